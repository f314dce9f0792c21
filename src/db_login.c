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

static void put_key(struct db_val **v, enum login_kind kind, struct str subject)
{
	*(*v)++ = db_uint(kind);
	*(*v)++ = db_text(subject);
}

/* What counts, and how many those are. Always in this order, so that two transactions lock them in the same one. */
static unsigned put_keys(struct db_val **v, const struct login_subjects *s, bool is_known)
{
	put_key(v, is_known ? BY_PAIR : BY_NUMBER, is_known ? s->pair : s->number);
	if (is_known || !s->address.s)
		return 1;
	put_key(v, BY_ADDRESS, s->address);
	return 2;
}

static enum outcome ensure(struct db *db, const struct login_subjects *s, instant now)
{
	struct db_val args[3 * KEYS_MAX], *v = args;
	unsigned n = s->address.s ? 2 : 1;
	put_key(&v, BY_NUMBER, s->number);
	*v++ = db_time(now);
	if (n == 2) {
		put_key(&v, BY_ADDRESS, s->address);
		*v++ = db_time(now);
	}
	return db_run(db, SQL_LOGIN_ENSURE, n, args, (size_t)(v - args), NULL, NULL, NULL);
}

/* Rows are made before they are looked at: of one that is not there nobody can have a lock, and a hundred at once would all see nothing. */
enum outcome db_login_look(struct db *db, const struct login_subjects *s, instant now, struct login_counts *out)
{
	struct db_val pair[] = { db_text(s->pair) }, args[2 * KEYS_MAX], *v = args;
	*out = (struct login_counts){ .number.at = INSTANT_NONE, .address.at = INSTANT_NONE, .pair.at = INSTANT_NONE };
	enum outcome oc = s->pair.s ? db_run(db, SQL_LOGIN_KNOWN, 0, pair, 1, take_counts, out, NULL) : OC_OK;
	if (oc != OC_OK || out->is_known)
		return oc;
	unsigned n = put_keys(&v, s, false);
	db_hold(db);
	oc = ensure(db, s, now);
	if (oc == OC_OK)
		oc = db_run(db, SQL_LOGIN_LOOK, n, args, (size_t)(v - args), take_counts, out, NULL);
	return oc == OC_OK ? db_collect(db) : oc;
}

enum outcome db_login_count(struct db *db, const struct login_subjects *s, bool is_known, instant now)
{
	struct db_val args[2 + 2 * KEYS_MAX] = { db_time(now - FAILURES_LAST), db_time(now) }, *v = args + 2;
	unsigned n = put_keys(&v, s, is_known);
	return db_run(db, SQL_LOGIN_COUNT, n, args, (size_t)(v - args), NULL, NULL, NULL);
}

enum outcome db_login_good(struct db *db, const struct login_subjects *s, bool is_known, instant now)
{
	struct db_val pair[] = { db_text(s->pair), db_time(now) };
	struct db_val number[] = { db_uint(BY_NUMBER), db_text(s->number) }, address[] = { db_uint(BY_ADDRESS), db_text(s->address) };
	enum outcome oc = s->pair.s ? db_run(db, SQL_LOGIN_REMEMBER, 0, pair, 2, NULL, NULL, NULL) : OC_OK;
	if (oc == OC_OK && !is_known)
		oc = db_run(db, SQL_LOGIN_FORGET, 0, number, 2, NULL, NULL, NULL);
	/* This try alone: what others failed at from there stays, or everybody with enough accounts could go on for ever. */
	if (oc == OC_OK && !is_known && s->address.s)
		oc = db_run(db, SQL_LOGIN_TAKE_BACK, 0, address, 2, NULL, NULL, NULL);
	return oc;
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
