/* account.c - see account.h. */
#include "account.h"

/* How far a maker's clock may be ahead of what is known here and still be believed when tokens are ended: a token from further in the future
 * must not end all those to come. */
#define AHEAD_MAX (3600 * INSTANT_SECOND)

static instant later(instant a, instant b)
{
	return a > b ? a : b;
}

bool standing_admits(const struct standing *s, instant iat)
{
	if (!s->is_known)
		return true;
	return s->is_active && (s->tokens_ended_at == INSTANT_NONE || iat > s->tokens_ended_at);
}

/* INSTANT_NONE is before all times. */
instant standing_issue(const struct standing *s, instant now)
{
	return s->tokens_ended_at == INSTANT_NONE ? now : later(now, s->tokens_ended_at + 1);
}

instant standing_end(const struct standing *s, instant now, instant iat)
{
	instant end = later(now, s->tokens_ended_at);

	return iat <= end + AHEAD_MAX ? later(end, iat) : end;
}

bool is_of_shop(enum role role, bool is_owner, bool is_staff)
{
	return (role == ROLE_SHOPKEEPER && is_owner) || (role != ROLE_ADMIN && is_staff);
}

static int64_t wait_after(uint64_t n, int64_t tries, int64_t max_s)
{
	uint64_t doublings = n - (uint64_t)tries;

	if (n < (uint64_t)tries)
		return 0;
	return (doublings >= 30 || INT64_C(1) << doublings > max_s ? max_s : INT64_C(1) << doublings) * INSTANT_SECOND;
}

int64_t failures_wait(const struct failures *f, instant now, int64_t tries, int64_t max_s)
{
	int64_t wait = wait_after(f->n, tries, max_s);

	if (f->at == INSTANT_NONE || f->at <= now - FAILURES_LAST)
		return 0;
	/* By another machine's clock it may have come a little later than now. A lot later: a clock was set back, and nobody waits for that. */
	if (f->at > now)
		return f->at - now <= wait ? wait : 0;
	return f->at + wait > now ? f->at + wait - now : 0;
}
