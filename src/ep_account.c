/* ep_account.c - what people do with their own account: end all tokens.
 * Owns: what that gives. Does not own: which tokens count then (account.c), closing subscriptions (the relay's). */
#include "ep.h"

#include "auth.h"
#include "db_account.h"
#include "db_user.h"
#include "problem.h"

static enum outcome end_tokens(struct db *db, void *ctx)
{
	struct req *r = ctx;
	struct user user;
	enum outcome oc = db_user_lock(db, r->arena, r->who.sub, &user);
	if (oc != OC_OK)
		return oc;
	struct standing s = standing_of_user(&user);
	oc = auth_judge(r, &s);
	if (oc != OC_OK)
		return oc;
	/* Not the request's: see confirm() in signin.c. */
	instant now = r->app->clock.now(&r->app->clock);
	user.tokens_ended_at = standing_end(&s, now, r->who.iat);
	oc = db_user_update(db, &user);
	return oc == OC_OK ? db_close_channels_of(db, user.id, now) : oc;
}

enum outcome ep_logout_all(struct req *r)
{
	enum outcome oc = db_transact(r->app->db, end_tokens, r);
	if (oc == OC_NOT_FOUND)
		return problem_reply(r, PROBLEM_NOT_FOUND, "This account is kept elsewhere: end its tokens there.");
	if (oc != OC_OK)
		return oc;
	poke_send(r->app->poke, r->app->conf->relay_socket);
	r->reply->status = 204;
	return OC_OK;
}
