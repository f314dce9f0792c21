/* db_account.c - see db_account.h. */
#include "db_account.h"

struct standing standing_of_row(const struct db_val *v)
{
	return (struct standing){ v[0].type != DB_NULL, db_get_int(&v[1]) != 0, db_get_time(&v[2]) };
}

/* Without one it is before whatever was ended. */
struct db_val iat_value(instant iat)
{
	return db_time(iat == INSTANT_NONE ? 0 : iat);
}

struct standing_row { struct standing *out; bool *is_staff; };

static enum outcome take_standing(void *ctx, const struct db_val *v)
{
	struct standing_row *row = ctx;
	*row->out = standing_of_row(v);
	*row->is_staff = db_get_int(&v[STANDING_COLUMNS]) != 0;
	return OC_OK;
}

enum outcome db_standing_get(struct db *db, struct user_id id, struct standing *out, bool *is_staff)
{
	struct standing_row row = { out, is_staff };
	struct db_val args[] = { db_uint(id.v) };
	*out = (struct standing){ .tokens_ended_at = INSTANT_NONE };
	*is_staff = false;
	return db_run(db, SQL_STANDING_GET, 0, args, 1, take_standing, &row, NULL);
}

enum outcome db_close_channel(struct db *db, struct channel ch, instant at)
{
	struct db_val args[] = { db_uint(ch.kind), db_uint(ch.id), db_time(at) };
	return db_run(db, SQL_CLOSE_CHANNEL, 0, args, 3, NULL, NULL, NULL);
}

enum outcome db_close_channels_of(struct db *db, struct user_id id, instant at)
{
	struct db_val args[] = { db_uint(id.v), db_time(at), db_time(at), db_uint(id.v), db_time(at), db_uint(id.v) };
	return db_run(db, SQL_CLOSE_CHANNELS_OF, 0, args, 6, NULL, NULL, NULL);
}
