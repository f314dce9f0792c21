/* access.c - see access.h. */
#include "access.h"

#include "db_shop.h"
#include "problem.h"

enum outcome access_refuse(struct req *r)
{
	return problem_reply(r, PROBLEM_FORBIDDEN, "That is somebody else's.");
}

enum outcome access_shop(struct req *r, struct shop_id id)
{
	struct shop shop;
	if (r->who.role != ROLE_SHOPKEEPER)
		return access_refuse(r);
	enum outcome oc = db_shop_get(r->app->db, r->arena, id, &shop);
	if (oc == OC_NOT_FOUND || (oc == OC_OK && shop.owner_id.v != r->who.sub.v))
		return access_refuse(r);
	return oc;
}

enum outcome access_channel(struct req *r, struct channel ch)
{
	if (ch.kind == CHANNEL_SHOP)
		return access_shop(r, (struct shop_id){ ch.id });
	return r->who.role == ROLE_CUSTOMER && r->who.sub.v == ch.id ? OC_OK : access_refuse(r);
}
