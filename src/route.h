/* route.h - the table of endpoints: method, path, who may, what body, which function.
 * Owns: matching, and the refusals that need no endpoint: 404, 405 with Allow, 401, 403, 415, 413, 400.
 * Does not own: anything an endpoint decides. */
#ifndef PICKUP_ROUTE_H
#define PICKUP_ROUTE_H

#include "app.h"

enum route_who {
	WHO_PUBLIC,
	WHO_ANY,		/* a good access token of any role */
	WHO_CUSTOMER,		/* of a customer */
	WHO_SHOPKEEPER,		/* of a shopkeeper (which shop, the endpoint looks) */
	WHO_SUBSCRIBER,		/* an access token or a ticket, as a header or as ?token= */
	/* The same without a round trip of its own: whether the account still lets the token count is seen by the handler's statement, which sets
	 * r->is_judged. Where it did not come to that, it is looked at before the answer goes out. */
	WHO_ANY_HOT, WHO_CUSTOMER_HOT,
	WHO_PEOPLE_HOT		/* likewise, of one of a shop's people (which shop, the endpoint looks) */
};
enum route_body {
	BODY_NONE,
	BODY_JSON,
	BODY_OPTIONAL,		/* as BODY_JSON, or none */
	BODY_RAW		/* of any type and length; the endpoint reads it from r->io */
};

struct route {
	enum http_method method;
	const char *path;		/* segments; {id} is a decimal number from 1, {name} any text */
	enum route_who who;
	enum route_body body;
	enum outcome (*handler)(struct req *r);
	const char *summary;
};

const struct route *route_table(size_t *n);
/* Its row in the counters, also for none; and a number that says what all rows are: another one where the table is another. */
unsigned route_row(const struct route *route);
uint64_t route_meaning(void);
/* Finds the route, keeps its gates, runs its handler; the reply is decided afterwards, whatever happened. */
void route_dispatch(struct req *r, const struct http_io *io);

#endif
