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
