/* signin.c - see signin.h. */
#include "signin.h"

#include <string.h>

#include "problem.h"
#include "reply.h"

enum outcome signin_check(struct req *r)
{
	return keyring_can_issue(r->app->keys) ? OC_OK : problem_reply(r, PROBLEM_NOT_FOUND, "Access tokens are issued elsewhere.");
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

static enum outcome reply_access_token(struct req *r, const struct user *user)
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

struct confirming { struct req *r; const struct user *seen; struct user user; };

/* Comparing a password takes its time, in which it may have been changed, and tokens ended. Who ends them holds this row as well, and takes the
 * time after that: so it is later than this request's, or we see it. */
static enum outcome confirm(struct db *db, void *ctx)
{
	struct confirming *c = ctx;
	enum outcome oc = db_user_lock(db, c->r->arena, c->seen->id, &c->user);
	if (oc != OC_OK)
		return oc;
	return c->user.is_active && str_eq(c->user.password_hash, c->seen->password_hash) ? OC_OK : OC_NOT_FOUND;
}

enum outcome signin_reply(struct req *r, const struct user *user)
{
	struct confirming c = { .r = r, .seen = user };
	enum outcome oc = db_transact(r->app->db, confirm, &c);
	return oc == OC_OK ? reply_access_token(r, &c.user) : oc;
}
