/* db_user.c - rows of users as struct user.
 * Owns: loading and storing users. Does not own: SQL texts (db_sql.c), passwords (passwd.c).
 * Used by: endpoints of people, tool_user.c, tool_shop.c. */
#include "db_user.h"
#include "arena.h"
#include "log.h"

struct users { struct arena *arena; struct user *v; size_t n, max; };

static enum outcome take_user(void *ctx, const struct db_val *vals)
{
	struct users *us = ctx;
	struct user *u;

	if (us->n == us->max)
		return OC_BAD;
	u = &us->v[us->n++];
	u->id.v = db_get_uint(&vals[0]);
	u->full_name = str_dup(us->arena, db_get_text(&vals[1]));
	u->phone_number = str_dup(us->arena, db_get_text(&vals[2]));
	u->email = str_dup(us->arena, db_get_text(&vals[3]));
	u->password_hash = str_dup(us->arena, db_get_text(&vals[4]));
	u->is_active = db_get_int(&vals[6]) != 0;
	u->created_at = db_get_time(&vals[7]);
	u->tokens_ended_at = db_get_time(&vals[8]);
	if (role_parse(db_get_text(&vals[5]), &u->role))
		return OC_OK;
	log_error("user %llu has a role that does not exist", (unsigned long long)u->id.v);
	return OC_BAD;
}

static enum outcome get_one(struct db *db, struct arena *a, enum sql id, struct db_val key, struct user *out)
{
	struct users us = { .arena = a, .v = out, .max = 1 };
	enum outcome oc = db_run(db, id, 0, &key, 1, take_user, &us, NULL);

	return oc == OC_OK && us.n == 0 ? OC_NOT_FOUND : oc;
}

enum outcome db_user_get(struct db *db, struct arena *a, struct user_id id, struct user *out)
{
	return get_one(db, a, SQL_USER_GET, db_uint(id.v), out);
}

enum outcome db_user_lock(struct db *db, struct arena *a, struct user_id id, struct user *out)
{
	return get_one(db, a, SQL_USER_LOCK, db_uint(id.v), out);
}

enum outcome db_user_by_phone(struct db *db, struct arena *a, struct str phone, struct user *out)
{
	return get_one(db, a, SQL_USER_BY_PHONE, db_text(phone), out);
}

enum outcome db_user_list(struct db *db, struct arena *a, struct user_id after, uint64_t limit, struct user **out, size_t *n)
{
	const struct db_val args[] = { db_uint(after.v), db_uint(limit) };
	struct users us = { .arena = a, .v = arena_array(a, limit, sizeof *us.v), .max = limit };
	enum outcome oc = db_run(db, SQL_USER_LIST, 0, args, 2, take_user, &us, NULL);

	if (oc != OC_OK)
		return oc;
	*out = us.v;
	*n = us.n;
	return OC_OK;
}

enum outcome db_user_insert(struct db *db, struct user *u)
{
	const struct db_val args[] = {
		db_text(u->full_name), db_text(u->phone_number), db_text(u->email), db_text(u->password_hash),
		db_text(str_from(role_name(u->role))), db_time(u->created_at),
	};
	struct db_done done = { 0 };
	enum outcome oc = db_run(db, SQL_USER_INSERT, 0, args, sizeof args / sizeof *args, NULL, NULL, &done);

	if (oc == OC_OK)
		u->id.v = done.insert_id;
	return oc;
}

enum outcome db_user_update(struct db *db, const struct user *u)
{
	const struct db_val args[] = {
		db_text(u->full_name), db_text(u->phone_number), db_text(u->email), db_text(u->password_hash),
		db_text(str_from(role_name(u->role))), db_int(u->is_active), db_time(u->tokens_ended_at), db_uint(u->id.v),
	};
	struct db_done done = { 0 };
	enum outcome oc = db_run(db, SQL_USER_UPDATE, 0, args, sizeof args / sizeof *args, NULL, NULL, &done);

	return oc == OC_OK && done.affected == 0 ? OC_NOT_FOUND : oc;
}
