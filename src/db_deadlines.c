/* db_deadlines.c - see db_deadlines.h. */
#include "db_deadlines.h"

struct due { struct order_id *v; size_t n, limit; };

static enum outcome take_due(void *ctx, const struct db_val *v)
{
	struct due *due = ctx;
	if (due->n == due->limit)
		return OC_BAD;
	due->v[due->n++].v = db_get_uint(&v[0]);
	return OC_OK;
}

enum outcome db_deadlines_due(struct db *db, instant now, size_t limit, struct order_id *out, size_t *n)
{
	struct db_val args[] = { db_time(now), db_uint(limit) };
	struct due due = { out, 0, limit };
	enum outcome oc = db_run(db, SQL_DEADLINES_DUE, 0, args, 2, take_due, &due, NULL);
	*n = oc == OC_OK ? due.n : 0;
	return oc;
}

enum outcome db_deadline_delete(struct db *db, struct order_id id)
{
	struct db_val args[] = { db_uint(id.v) };
	return db_run(db, SQL_DEADLINE_DELETE, 0, args, 1, NULL, NULL, NULL);
}
