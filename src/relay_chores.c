/* relay_chores.c - what the relay does beside publishing, each thing at its own time.
 * Owns: that they are done one after another, and only while the database answers. Does not own: what each does (relay_prune.c, relay_expire.c).
 * Used by: relay.c, with the lease. */
#include "relay.h"

void relay_chores(struct relay *r)
{
	if (clock_mono() >= r->expire_at && relay_db_ready(r))
		relay_expire(r);
	if (clock_mono() >= r->prune_at && relay_db_ready(r))
		relay_prune(r);
}

int64_t relay_chores_due(const struct relay *r)
{
	return r->expire_at < r->prune_at ? r->expire_at : r->prune_at;
}
