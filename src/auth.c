/* auth.c - see auth.h. */
#include "auth.h"

#include <strings.h>

#include "db_account.h"
#include "problem.h"

/* None where there is no Bearer credential. The scheme's case does not matter (RFC 9110 section 11.1). */
static struct str bearer(struct str authorization)
{
	static const char scheme[] = "Bearer ";
	size_t len = sizeof scheme - 1;
	if (authorization.len <= len || strncasecmp(authorization.s, scheme, len) != 0)
		return STR_NONE;
	return str_trim((struct str){ authorization.s + len, authorization.len - len });
}

static struct str token_of(struct req *r, bool is_subscriber)
{
	struct str token = bearer(r->http.authorization);
	if (token.s || !is_subscriber)
		return token;
	struct faults ignored = FAULTS_IN(r->arena);
	struct query q = query_parse(r->arena, r->http.query, &ignored);
	return query_get(&q, "token");
}

enum outcome auth_caller(struct req *r, bool is_subscriber)
{
	const struct app *app = r->app;
	struct str token = token_of(r, is_subscriber);
	if (!token.s)
		return problem_reply(r, PROBLEM_UNAUTHORIZED, "Send Authorization: Bearer with an access token.");
	const char *why;
	enum outcome oc = jwt_verify(app->keys, app->conf, token, r->now, &r->who, &why);
	if (oc != OC_OK && is_subscriber) {
		const char *ticket_why;
		oc = jwt_verify_ticket(app->keys, app->conf, token, r->now, &r->who, &ticket_why);
	}
	return oc == OC_OK ? OC_OK : problem_reply(r, PROBLEM_UNAUTHORIZED, why);
}

enum outcome auth_judge(struct req *r, const struct standing *s)
{
	r->is_judged = standing_admits(s, r->who.iat);
	return r->is_judged ? OC_OK : problem_reply(r, PROBLEM_UNAUTHORIZED, "This token counts no more: sign in again.");
}

enum outcome auth_look(struct req *r, bool *is_staff)
{
	struct standing s;
	enum outcome oc = db_standing_get(r->app->db, r->who.sub, &s, is_staff);
	return oc == OC_OK ? auth_judge(r, &s) : oc;
}

struct asker auth_asker(const struct req *r)
{
	return (struct asker){ r->who.sub, r->who.role == ROLE_SHOPKEEPER, r->who.iat };
}
