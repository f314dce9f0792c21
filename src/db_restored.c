/* db_restored.c - see db_restored.h. */
#include "db_restored.h"

#include <stdio.h>

static const char *const tables[RESTORED_TABLES] = { "users", "shops", "products", "orders", "outbox", "channel_closes" };

struct taking { struct next_id *out; size_t n; };

/* In the order of the statement's text; the names are compared, as they go into a statement's text. */
static enum outcome take_next(void *ctx, const struct db_val *v)
{
	struct taking *t = ctx;
	if (t->n == RESTORED_TABLES || !str_is(db_get_text(&v[0]), tables[t->n]))
		return OC_BAD;
	t->out[t->n] = (struct next_id){ tables[t->n], db_get_uint(&v[1]) };
	t->n++;
	return OC_OK;
}

enum outcome db_restored_next_ids(struct db *db, struct next_id out[RESTORED_TABLES])
{
	struct taking t = { out, 0 };
	enum outcome oc = db_run(db, SQL_RESTORED_NEXT_IDS, 0, NULL, 0, take_next, &t, NULL);
	return oc == OC_OK && t.n != RESTORED_TABLES ? OC_BAD : oc;
}

enum outcome db_restored_skip_ids(struct db *db, const char *table, uint64_t next)
{
	char text[128];
	unsigned error;
	int n = snprintf(text, sizeof text, "%s%s%s%llu", sql_restored_skip_ids[0], table, sql_restored_skip_ids[1], (unsigned long long)next);
	return db_run_text(db, (struct str){ text, (size_t)n }, &error);
}

enum outcome db_restored_skip_numbers(struct db *db, uint64_t n, uint64_t *channels)
{
	struct db_val args[] = { db_uint(n) };
	struct db_done done = { 0 };
	enum outcome oc = db_run(db, SQL_RESTORED_SKIP_NUMBERS, 0, args, 1, NULL, NULL, &done);
	*channels = done.affected;
	return oc;
}

enum outcome db_restored_end_tokens(struct db *db, instant now)
{
	struct db_val args[] = { db_time(now) };
	return db_run(db, SQL_RESTORED_END_TOKENS, 0, args, 1, NULL, NULL, NULL);
}
