/* db_login.c - see db_login.h. */
#include "db_login.h"

/* The numbers stand in the table. */
enum login_kind { BY_NUMBER = 1, BY_ADDRESS = 2, BY_PAIR = 3 };

/* How long a number is known to sign in from an address where it does not any more. */
#define PAIR_LASTS (90 * 86400 * INSTANT_SECOND)

static enum outcome take_counts(void *ctx, const struct db_val *v)
{
	struct login_counts *counts = ctx;
	struct failures f = { db_get_uint(&v[1]), db_get_time(&v[2]) };
	switch (db_get_uint(&v[0])) {
	case BY_NUMBER:
		counts->number = f;
		return OC_OK;
	case BY_ADDRESS:
		counts->address = f;
		return OC_OK;
	case BY_PAIR:
		counts->is_known = true;
		counts->pair = f;
		return OC_OK;
	default:
		return OC_BAD;
	}
}

#define KEYS_MAX 2
struct key { enum login_kind kind; struct str subject; };

/* Always in this order, so that two transactions lock them in the same one. */
static unsigned keys_of(const struct login_subjects *s, bool is_known, struct key keys[KEYS_MAX])
{
	unsigned n = 0;
	if (is_known) {
		keys[n++] = (struct key){ BY_PAIR, s->pair };
		return n;
	}
	keys[n++] = (struct key){ BY_NUMBER, s->number };
	if (s->address.s)
		keys[n++] = (struct key){ BY_ADDRESS, s->address };
	return n;
}

static struct db_val *put_keys(struct db_val *v, const struct key *keys, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		*v++ = db_uint(keys[i].kind);
		*v++ = db_text(keys[i].subject);
	}
	return v;
}

/* Rows are made before they are looked at: of one that is not there nobody can have a lock, and a hundred at once would all see nothing. */
enum outcome db_login_look(struct db *db, const struct login_subjects *s, instant now, struct login_counts *out)
{
	struct db_val pair[] = { db_text(s->pair) }, rows[3 * KEYS_MAX], args[2 * KEYS_MAX], *v = rows;
	struct key keys[KEYS_MAX];
	*out = (struct login_counts){ .number.at = INSTANT_NONE, .address.at = INSTANT_NONE, .pair.at = INSTANT_NONE };
	enum outcome oc = s->pair.s ? db_run(db, SQL_LOGIN_KNOWN, 0, pair, 1, take_counts, out, NULL) : OC_OK;
	if (oc != OC_OK || out->is_known)
		return oc;
	unsigned n = keys_of(s, false, keys);
	for (unsigned i = 0; i < n; i++) {
		v = put_keys(v, &keys[i], 1);
		*v++ = db_time(now);
	}
	put_keys(args, keys, n);
	db_hold(db);
	oc = db_run(db, SQL_LOGIN_ENSURE, n, rows, 3 * n, NULL, NULL, NULL);
	if (oc == OC_OK)
		oc = db_run(db, SQL_LOGIN_LOOK, n, args, 2 * n, take_counts, out, NULL);
	return oc == OC_OK ? db_collect(db) : oc;
}

enum outcome db_login_count(struct db *db, const struct login_subjects *s, bool is_known, instant now)
{
	struct key keys[KEYS_MAX];
	unsigned n = keys_of(s, is_known, keys);
	struct db_val args[2 + 2 * KEYS_MAX] = { db_time(now - FAILURES_LAST), db_time(now) };
	put_keys(args + 2, keys, n);
	return db_run(db, SQL_LOGIN_COUNT, n, args, 2 + 2 * n, NULL, NULL, NULL);
}

enum outcome db_login_good(struct db *db, const struct login_subjects *s, bool is_known, instant now)
{
	struct db_val pair[] = { db_text(s->pair), db_time(now) }, args[2 * KEYS_MAX];
	struct key keys[KEYS_MAX];
	enum outcome oc = s->pair.s ? db_run(db, SQL_LOGIN_REMEMBER, 0, pair, 2, NULL, NULL, NULL) : OC_OK;
	if (oc != OC_OK || is_known)
		return oc;
	unsigned n = keys_of(s, false, keys);
	put_keys(args, keys, n);
	return db_run(db, SQL_LOGIN_FORGET, n, args, 2 * n, NULL, NULL, NULL);
}

enum outcome db_login_prune(struct db *db, instant now, uint64_t limit, uint64_t *n)
{
	static const int64_t lasts[] = { [BY_NUMBER] = FAILURES_LAST, [BY_ADDRESS] = FAILURES_LAST, [BY_PAIR] = PAIR_LASTS };
	enum outcome oc = OC_OK;
	*n = 0;
	for (int kind = BY_NUMBER; kind <= BY_PAIR && oc == OC_OK; kind++) {
		struct db_val args[] = { db_uint((uint64_t)kind), db_time(now - lasts[kind]), db_uint(limit) };
		struct db_done done = { 0 };
		oc = db_run(db, SQL_LOGIN_PRUNE, 0, args, 3, NULL, NULL, &done);
		*n += done.affected;
	}
	return oc;
}
