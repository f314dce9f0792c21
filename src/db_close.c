/* db_close.c - see db_close.h. */
#include "db_close.h"

struct rows { struct arena *arena; struct close_row *v; size_t n, cap; };

static enum outcome take_row(void *ctx, const struct db_val *v)
{
	struct rows *rows = ctx;
	rows->v = arena_room(rows->arena, rows->v, rows->n, &rows->cap, sizeof *rows->v);
	rows->v[rows->n++] = (struct close_row){ db_get_uint(&v[0]), { (enum channel_kind)db_get_uint(&v[1]), db_get_uint(&v[2]) } };
	return OC_OK;
}

enum outcome db_closes_fetch(struct db *db, struct arena *a, uint64_t after, uint64_t limit, struct close_row **out, size_t *n)
{
	struct db_val args[] = { db_uint(after), db_uint(limit) };
	struct rows rows = { .arena = a };
	enum outcome oc = db_run(db, SQL_CLOSES_FETCH, 0, args, 2, take_row, &rows, NULL);
	*out = rows.v;
	*n = rows.n;
	return oc;
}

/* Prepared for two counts only: many are filled up with their last one. */
enum outcome db_closes_delete(struct db *db, const uint64_t *ids, size_t n)
{
	struct db_val args[CLOSES_DELETE_MAX];
	size_t reps = n <= 1 ? n : CLOSES_DELETE_MAX;
	if (n == 0 || n > CLOSES_DELETE_MAX)
		return n ? OC_BAD : OC_OK;
	for (size_t i = 0; i < reps; i++)
		args[i] = db_uint(ids[i < n ? i : n - 1]);
	return db_run(db, SQL_CLOSES_DELETE, (unsigned)reps, args, reps, NULL, NULL, NULL);
}
