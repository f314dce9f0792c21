/* db_staff.c - see db_staff.h. */
#include "db_staff.h"

struct ties_row { struct user_id user; struct shop_ties *out; bool is_seen; };

static enum outcome take_ties(void *ctx, const struct db_val *v)
{
	struct ties_row *row = ctx;
	row->is_seen = true;
	*row->out = (struct shop_ties){ db_get_uint(&v[0]) == row->user.v, v[1].type != DB_NULL };
	return OC_OK;
}

enum outcome db_shop_ties(struct db *db, struct shop_id shop, struct user_id user, struct shop_ties *out)
{
	struct ties_row row = { .user = user, .out = out };
	struct db_val args[] = { db_uint(user.v), db_uint(shop.v) };
	enum outcome oc = db_run(db, SQL_SHOP_TIES, 0, args, 2, take_ties, &row, NULL);
	return oc == OC_OK && !row.is_seen ? OC_NOT_FOUND : oc;
}
