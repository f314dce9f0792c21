/* ep_health.c - for load balancers and supervisors: do the workers answer, do the database and the relay?
 * Owns: what counts as ready. */
#include "ep.h"

#include "db_outbox.h"
#include "problem.h"
#include "reply.h"

enum outcome ep_healthz(struct req *r)
{
	buf_adds(reply_json(r, 200), "{\"status\":\"ok\"}");
	return OC_OK;
}

static enum outcome refuse(struct req *r, const char *database, const char *publisher, const char *detail)
{
	struct buf *b = problem_open(r, PROBLEM_UNAVAILABLE, detail);
	buf_addf(b, ",\"database\":\"%s\",\"publisher\":\"%s\"", database, publisher);
	return problem_close(r);
}

enum outcome ep_readyz(struct req *r)
{
	struct lease lease;
	uint64_t refused;
	enum outcome oc = db_lease_get(r->app->db, r->arena, &lease);
	if (oc == OC_OK)
		oc = db_refusal_count(r->app->db, &refused);
	if (oc != OC_OK)
		return refuse(r, "away", "unknown", "The database is not available.");
	if (!lease.is_held)
		return refuse(r, "ok", "away", "No relay is at work: notifications wait.");
	if (lease.is_failing)
		return refuse(r, "ok", "failing", "The relay can't reach a push server: notifications wait.");
	struct buf *b = reply_json(r, 200);
	buf_addf(b, "{\"status\":\"ok\",\"database\":\"ok\",\"publisher\":\"ok\",\"put_aside\":%llu}", (unsigned long long)refused);
	return OC_OK;
}
