/* access.c - see access.h. */
#include "access.h"

#include "account.h"
#include "db_staff.h"
#include "db_user.h"
#include "problem.h"

enum outcome access_refuse(struct req *r)
{
	return problem_reply(r, PROBLEM_FORBIDDEN, "That is somebody else's.");
}

enum outcome access_refuse_others(struct req *r)
{
	return problem_reply(r, PROBLEM_FORBIDDEN, "Only the shop's people may do this.");
}

enum outcome access_shop(struct req *r, struct shop_id id)
{
	struct shop_ties ties;
	enum outcome oc = db_shop_ties(r->app->db, id, r->who.sub, &ties);
	if (oc == OC_NOT_FOUND || (oc == OC_OK && !is_of_shop(r->who.role, ties.is_owner, ties.is_staff)))
		return access_refuse(r);
	return oc;
}

enum outcome access_owner(struct req *r, const struct shop *shop)
{
	if (r->who.role == ROLE_SHOPKEEPER && shop->owner_id.v == r->who.sub.v)
		return OC_OK;
	return shop->is_active ? access_refuse(r) : OC_NOT_FOUND;
}

enum outcome access_account(struct req *r)
{
	struct user user;
	enum outcome oc = db_user_get(r->app->db, r->arena, r->who.sub, &user);
	if (oc == OC_NOT_FOUND || (oc == OC_OK && !user.is_active))
		return problem_reply(r, PROBLEM_UNAUTHORIZED, "This account does not exist or is not active.");
	return oc;
}

enum outcome access_channel(struct req *r, struct channel ch)
{
	if (ch.kind == CHANNEL_SHOP)
		return access_shop(r, (struct shop_id){ ch.id });
	return r->who.role == ROLE_CUSTOMER && r->who.sub.v == ch.id ? OC_OK : access_refuse(r);
}
