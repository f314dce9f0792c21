/* ep_account.c - what people do with their own account: end all tokens, set another password.
 * Owns: what that gives. Does not own: which tokens count then (account.c), closing subscriptions (the relay's). */
#include "ep.h"

#include "auth.h"
#include "db_account.h"
#include "db_user.h"
#include "person.h"
#include "problem.h"
#include "signin.h"

/* The caller's row, which is ours until the transaction ends, if the token that they came with still counts. OC_NOT_FOUND: they have none. */
static enum outcome lock_caller(struct db *db, struct req *r, struct user *out)
{
	enum outcome oc = db_user_lock(db, r->arena, r->who.sub, out);
	if (oc != OC_OK)
		return oc;
	struct standing s = standing_of_user(out);
	return auth_judge(r, &s);
}

/* Writes the row, and ends all tokens given out so far. */
static enum outcome end_tokens(struct db *db, struct req *r, struct user *user)
{
	struct standing s = standing_of_user(user);
	/* Not the request's: see confirm() in signin.c. */
	instant now = r->app->clock.now(&r->app->clock);
	user->tokens_ended_at = standing_end(&s, now, r->who.iat);
	enum outcome oc = db_user_update(db, user);
	return oc == OC_OK ? db_close_channels_of(db, user->id, now) : oc;
}

static enum outcome refuse_foreign(struct req *r)
{
	return problem_reply(r, PROBLEM_NOT_FOUND, "This account is kept elsewhere.");
}

static enum outcome logout_once(struct db *db, void *ctx)
{
	struct req *r = ctx;
	struct user user;
	enum outcome oc = lock_caller(db, r, &user);
	return oc == OC_OK ? end_tokens(db, r, &user) : oc;
}

enum outcome ep_logout_all(struct req *r)
{
	enum outcome oc = db_transact(r->app->db, logout_once, r);
	if (oc == OC_NOT_FOUND)
		return refuse_foreign(r);
	if (oc != OC_OK)
		return oc;
	poke_send(r->app->poke, r->app->conf->relay_socket);
	r->reply->status = 204;
	return OC_OK;
}

/* Generous bounds: person.c has the real ones. What was sent as the current password is compared, whatever it is. */
struct password_input { struct str current_password, new_password; };

static const struct field password_fields[] = {
	{ .name = "current_password", .type = FIELD_TEXT, .required = true, .max = PASSWORD_MAX_BYTES, .offset = offsetof(struct password_input, current_password) },
	{ .name = "new_password", .type = FIELD_TEXT, .required = true, .max = PASSWORD_MAX_BYTES, .offset = offsetof(struct password_input, new_password) },
};
enum { F_CURRENT, F_NEW };
static const struct field_table password_table = {
	password_fields, sizeof password_fields / sizeof *password_fields, sizeof(struct password_input)
};

static enum outcome read_passwords(struct req *r, struct password_input *in)
{
	struct faults f = FAULTS_IN(r->arena);
	const char *why;
	struct presence seen = body_fill(r->body, &password_table, in, &f);
	if ((seen.present & 1u << F_NEW) && !password_check(r->arena, in->new_password, &in->new_password, &why))
		fault_add(&f, "new_password", "%s", why);
	return f.n ? problem_faults(r, &f) : OC_OK;
}

static enum outcome refuse_current(struct req *r)
{
	struct faults f = FAULTS_IN(r->arena);
	fault_add(&f, "current_password", "is not the password");
	return problem_faults(r, &f);
}

struct renewing { struct req *r; struct attempt attempt; struct user seen, user; struct str hash; };

static enum outcome renew_once(struct db *db, void *ctx)
{
	struct renewing *n = ctx;
	enum outcome oc = lock_caller(db, n->r, &n->user);
	if (oc == OC_OK && !str_eq(n->user.password_hash, n->seen.password_hash))
		oc = refuse_current(n->r);
	if (oc != OC_OK)
		return oc;
	n->user.password_hash = n->hash;
	oc = end_tokens(db, n->r, &n->user);
	return oc == OC_OK ? throttle_good(db, &n->attempt, n->r->now) : oc;
}

/* Whether they know the current one, which counts as a try to sign in. */
static enum outcome check_current(struct renewing *n, struct str password)
{
	struct req *r = n->r;
	enum outcome oc = db_user_get(r->app->db, r->arena, r->who.sub, &n->seen);
	if (oc == OC_NOT_FOUND)
		return refuse_foreign(r);
	if (oc == OC_OK)
		oc = throttle_begin(r, n->seen.phone_number, &n->attempt);
	if (oc != OC_OK)
		return oc;
	return signin_matches(r, n->seen.password_hash, password) ? OC_OK : refuse_current(r);
}

enum outcome ep_password(struct req *r)
{
	struct renewing n = { .r = r };
	struct password_input in = { 0 };
	char hash[PASSWD_HASH_SIZE];
	enum outcome oc = signin_check(r);
	if (oc == OC_OK)
		oc = read_passwords(r, &in);
	if (oc == OC_OK)
		oc = check_current(&n, in.current_password);
	if (oc == OC_OK)
		oc = signin_hash(r, in.new_password, hash);
	if (oc != OC_OK)
		return oc;
	n.hash = str_from(hash);
	oc = db_transact(r->app->db, renew_once, &n);
	if (oc != OC_OK)
		return oc;
	poke_send(r->app->poke, r->app->conf->relay_socket);
	return signin_reply_for(r, &n.user);
}
