/* db_user.h - users, typed. Owns: rows of users. Text is arena memory. */
#ifndef PICKUP_DB_USER_H
#define PICKUP_DB_USER_H

#include "account.h"
#include "db.h"
#include "ids.h"
#include "person.h"

struct user {
	struct user_id id;
	struct str full_name, phone_number, email /* or none */, password_hash /* or none */;
	enum role role;
	bool is_active;
	instant created_at;
	instant tokens_ended_at;	/* tokens issued up to then are void; or INSTANT_NONE */
};

/* OC_OK with *out filled, OC_NOT_FOUND, or db_run's errors. */
must_check enum outcome db_user_get(struct db *db, struct arena *a, struct user_id id, struct user *out);
/* The same; the row is ours until the transaction ends. */
must_check enum outcome db_user_lock(struct db *db, struct arena *a, struct user_id id, struct user *out);
must_check enum outcome db_user_by_phone(struct db *db, struct arena *a, struct str phone, struct user *out);
/* Up to limit users with ids above after, in order of id: an arena array. */
must_check enum outcome db_user_list(struct db *db, struct arena *a, struct user_id after, uint64_t limit, struct user **out, size_t *n);
/* What it says of the user's tokens. */
static inline struct standing standing_of_user(const struct user *u)
{
	return (struct standing){ true, u->is_active, u->tokens_ended_at };
}
/* Inserts u (its id and what was ended are ignored) and sets u->id. OC_CONFLICT: the phone number is taken. */
must_check enum outcome db_user_insert(struct db *db, struct user *u);
/* Writes every column of u but created_at. OC_NOT_FOUND; OC_CONFLICT: the phone number is taken. */
must_check enum outcome db_user_update(struct db *db, const struct user *u);

#endif
