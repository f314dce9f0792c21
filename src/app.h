/* app.h - what a worker owns for its life, and what a request is while it is answered.
 * Owns: struct app, struct req. Used by: route.c, endpoints, worker.c, tool_request.c. */
#ifndef PICKUP_APP_H
#define PICKUP_APP_H

#include "arena.h"
#include "clock.h"
#include "conf.h"
#include "db.h"
#include "http_reply.h"
#include "http_req.h"
#include "input.h"
#include "jwt.h"
#include "metrics.h"
#include "poke.h"
#include "timefmt.h"

/* Allocated at start, kept until the end; holds nothing that another worker could miss. */
struct app {
	struct conf_store *settings;
	const struct conf *conf;		/* of settings */
	struct keyring *keys;
	struct db *db;
	struct zone_cache *zones;
	struct poke_sender *poke;
	struct metrics *metrics;
	struct clock clock;
	struct arena *arena;			/* reset after each request */
	struct arena *piece_arena;		/* for one piece of an answer that is written in pieces; empty otherwise */
	unsigned connections_counted;		/* of the database, in metrics */
	bool is_schema_checked;			/* the database was seen to have the tables that we need */
};

/* settings become app's own. role: how it counts; a visitor does not.  False: something is wrong with keys or the option file; why says what. */
must_check bool app_init(struct app *app, struct conf_store *settings, enum metrics_role role, char *why, size_t n);
void app_clear(struct app *app);

#define ROUTE_IDS_MAX 2
struct route;

/* One request. Endpoints read it and write reply. */
struct req {
	struct app *app;
	struct arena *arena;
	struct http_req http;
	const struct http_io *io;		/* for an endpoint that reads the body itself */
	struct http_reply *reply;
	instant now;
	struct claims who;			/* where the route asks for somebody */
	bool is_judged;				/* it was looked whether their account still lets the token count, and it does */
	const struct route *route;		/* NULL: none was found */
	uint64_t ids[ROUTE_IDS_MAX];		/* what {id} stood for in the path */
	struct str name;			/* and {name} */
	const struct body *body;		/* where the route takes one */
};

/* Answers one request from io; always writes an answer. False: the other side is gone, or the answer broke off without an end. */
bool app_answer(struct app *app, const struct http_io *io);
/* To be called now and then while no request comes: a file of counters that was replaced has to learn of idle workers too. */
void app_idle(struct app *app);

#endif
