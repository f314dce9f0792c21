/* throttle.c - see throttle.h. */
#include "throttle.h"

#include <arpa/inet.h>

#include "problem.h"

#define V4_BYTES 4
#define V6_NETWORK_BYTES 8

bool throttle_address(struct arena *a, struct str remote, struct str *out)
{
	static const unsigned char wrapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned char address[sizeof(struct in6_addr)];
	const char *text = remote.s ? arena_memdup(a, remote.s, remote.len) : "";
	if (inet_pton(AF_INET, text, address) == 1) {
		*out = (struct str){ arena_memdup(a, (const char *)address, V4_BYTES), V4_BYTES };
		return true;
	}
	if (inet_pton(AF_INET6, text, address) != 1)
		return false;
	bool is_v4 = memcmp(address, wrapped, sizeof wrapped) == 0;
	size_t len = is_v4 ? V4_BYTES : V6_NETWORK_BYTES;
	*out = (struct str){ arena_memdup(a, (const char *)address + (is_v4 ? sizeof wrapped : 0), len), len };
	return true;
}

/* Kinds are kept apart by a letter, and number and address by their lengths: an address has one of two. */
static struct str subject(struct req *r, char kind, struct str number, struct str address)
{
	struct buf b = BUF_IN(r->arena);
	char name[PSEUDONYM_SIZE];
	buf_addc(&b, kind);
	buf_addf(&b, "%zu:", address.len);
	buf_addstr(&b, address);
	buf_addstr(&b, number);
	keyring_pseudonym(r->app->keys, buf_str(&b), name);
	return str_from(arena_strdup(r->arena, name));
}

static struct login_subjects subjects_of(struct req *r, struct str number)
{
	struct login_subjects s = { .number = subject(r, 'n', number, STR("")) };
	struct str address;
	if (!throttle_address(r->arena, r->http.remote_addr, &address))
		return s;
	s.address = subject(r, 'a', STR(""), address);
	s.pair = subject(r, 'p', number, address);
	return s;
}

struct beginning { struct req *r; struct attempt *attempt; int64_t wait; };

static int64_t wait_of(const struct beginning *b, const struct failures *f, instant now)
{
	const struct conf *c = b->r->app->conf;
	return failures_wait(f, now, c->login_tries, c->login_wait_max_s);
}

static enum outcome begin_once(struct db *db, void *ctx)
{
	struct beginning *b = ctx;
	struct app *app = b->r->app;
	struct login_counts counts;
	enum outcome oc = db_login_look(db, &b->attempt->subjects, b->r->now, &counts);
	if (oc != OC_OK)
		return oc;
	/* Others may have been counted while this one waited for the rows. */
	instant now = app->clock.now(&app->clock);
	int64_t waits[] = { wait_of(b, &counts.number, now), wait_of(b, &counts.address, now), wait_of(b, &counts.pair, now) };
	b->attempt->is_known = counts.is_known;
	b->wait = 0;
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
		b->wait = waits[i] > b->wait ? waits[i] : b->wait;
	return b->wait ? OC_REFUSED : db_login_count(db, &b->attempt->subjects, counts.is_known, now);
}

enum outcome throttle_begin(struct req *r, struct str number, struct attempt *out)
{
	*out = (struct attempt){ .subjects = subjects_of(r, number) };
	struct beginning b = { .r = r, .attempt = out };
	enum outcome oc = db_transact(r->app->db, begin_once, &b);
	if (oc == OC_REFUSED)
		return problem_wait(r, (b.wait + INSTANT_SECOND - 1) / INSTANT_SECOND, "Too many wrong passwords. Wait as long as Retry-After says.");
	return oc;
}

enum outcome throttle_good(struct db *db, const struct attempt *a, instant now)
{
	return db_login_good(db, &a->subjects, a->is_known, now);
}

enum outcome throttle_welcome(struct db *db, struct req *r, struct str number)
{
	if (!keyring_can_issue(r->app->keys))
		return OC_OK;
	struct login_subjects s = subjects_of(r, number);
	return db_login_good(db, &s, true, r->now);
}
