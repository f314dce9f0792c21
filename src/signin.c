/* signin.c - see signin.h. */
#include "signin.h"

#include <string.h>

#include "problem.h"
#include "reply.h"

enum outcome signin_check(struct req *r)
{
	return keyring_can_issue(r->app->keys) ? OC_OK : problem_reply(r, PROBLEM_NOT_FOUND, "Access tokens are issued elsewhere.");
}

bool signin_matches(struct req *r, struct str hash, struct str password)
{
	db_end(r->app->db);
	bool is_right = passwd_matches(r->app->conf, hash, password);
	db_begin(r->app->db);
	return is_right;
}

enum outcome signin_hash(struct req *r, struct str password, char out[PASSWD_HASH_SIZE])
{
	db_end(r->app->db);
	enum outcome oc = passwd_hash(r->app->conf, password, out);
	db_begin(r->app->db);
	return oc == OC_OK ? OC_OK : OC_BUSY;
}

struct buf *signin_reply_token(struct req *r, const char *name, struct str token, int64_t ttl)
{
	struct buf *b = reply_json(r, 200);
	http_reply_header(r->reply, "Cache-Control", "no-store");
	buf_addf(b, "{\"%s\":", name);
	buf_addjson(b, token);
	if (strcmp(name, "access_token") == 0)
		buf_adds(b, ",\"token_type\":\"bearer\"");
	buf_addf(b, ",\"expires_in\":%lld", (long long)ttl);
	return b;
}

enum outcome signin_reply_for(struct req *r, const struct user *user)
{
	const struct app *app = r->app;
	const struct standing s = standing_of_user(user);
	struct claims claims = { user->id, user->role, r->now + app->conf->token_ttl_s * INSTANT_SECOND, standing_issue(&s, r->now) };
	struct str token;
	if (jwt_issue(r->arena, app->keys, app->conf, &claims, &token) != OC_OK)
		return OC_BAD;
	struct buf *b = signin_reply_token(r, "access_token", token, app->conf->token_ttl_s);
	buf_addf(b, ",\"role\":\"%s\",\"user_id\":%llu}", role_name(user->role), (unsigned long long)user->id.v);
	return OC_OK;
}

struct confirming { struct req *r; const struct user *seen; const struct attempt *attempt; struct user user; };

/* Comparing a password takes its time, in which it may have been changed, and tokens ended. Who ends them holds this row as well, and takes the
 * time after that: so it is later than this request's, or we see it. */
static enum outcome confirm(struct db *db, void *ctx)
{
	struct confirming *c = ctx;
	enum outcome oc = db_user_lock(db, c->r->arena, c->seen->id, &c->user);
	if (oc != OC_OK)
		return oc;
	if (!c->user.is_active || !str_eq(c->user.password_hash, c->seen->password_hash))
		return OC_NOT_FOUND;
	return throttle_good(db, c->attempt, c->r->now);
}

enum outcome signin_reply(struct req *r, const struct user *user, const struct attempt *attempt)
{
	struct confirming c = { .r = r, .seen = user, .attempt = attempt };
	enum outcome oc = db_transact(r->app->db, confirm, &c);
	return oc == OC_OK ? signin_reply_for(r, &c.user) : oc;
}
