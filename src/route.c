/* route.c - see route.h. A newcomer starts at the table. */
#include "route.h"

#include <string.h>

#include "access.h"
#include "auth.h"
#include "ep.h"
#include "log.h"
#include "problem.h"

static const struct route routes[] = {
	{ HTTP_POST, "/api/v1/auth/register", WHO_PUBLIC, BODY_JSON, ep_register, "Create an account" },
	{ HTTP_POST, "/api/v1/auth/login", WHO_PUBLIC, BODY_JSON, ep_login, "Get an access token" },
	{ HTTP_POST, "/api/v1/auth/ticket", WHO_ANY, BODY_NONE, ep_ticket, "Get a one-minute token for opening a WebSocket" },
	{ HTTP_POST, "/api/v1/auth/password", WHO_ANY, BODY_JSON, ep_password, "Set another password, and end all other tokens" },
	{ HTTP_POST, "/api/v1/auth/logout-all", WHO_ANY, BODY_NONE, ep_logout_all, "End all my tokens, this one included" },
	{ HTTP_POST, "/api/v1/orders", WHO_CUSTOMER_HOT, BODY_JSON, ep_order_place, "Place an order" },
	{ HTTP_GET, "/api/v1/orders/me", WHO_CUSTOMER_HOT, BODY_NONE, ep_orders_of_me, "My orders, newest first" },
	{ HTTP_GET, "/api/v1/orders/shop/{id}", WHO_ANY_HOT, BODY_NONE, ep_orders_of_shop, "A shop's orders, newest first" },
	{ HTTP_GET, "/api/v1/orders/shop/{id}/export.csv", WHO_ANY, BODY_NONE, ep_orders_export, "A shop's orders of a period, as a file" },
	{ HTTP_GET, "/api/v1/orders/{id}", WHO_ANY_HOT, BODY_NONE, ep_order_get, "One order" },
	{ HTTP_PATCH, "/api/v1/orders/{id}", WHO_PEOPLE_HOT, BODY_JSON, ep_order_change, "Change an order's status, estimate or total" },
	{ HTTP_GET, "/api/v1/orders/{id}/history", WHO_ANY_HOT, BODY_NONE, ep_order_history, "Who set what and when" },
	{ HTTP_GET, "/api/v1/events/shop/{id}", WHO_ANY, BODY_NONE, ep_events_of_shop, "Notifications of a shop after a number" },
	{ HTTP_GET, "/api/v1/events/customer/{id}", WHO_ANY, BODY_NONE, ep_events_of_customer, "Notifications of a customer after a number" },
	{ HTTP_GET, "/api/v1/shops", WHO_PUBLIC, BODY_NONE, ep_shop_list, "Shops, newest first" },
	{ HTTP_GET, "/api/v1/shops/me", WHO_ANY, BODY_NONE, ep_shops_of_me, "Shops that are mine, or let me in, newest first" },
	{ HTTP_GET, "/api/v1/shops/{id}", WHO_PUBLIC, BODY_NONE, ep_shop_get, "One shop" },
	{ HTTP_POST, "/api/v1/shops", WHO_SHOPKEEPER, BODY_JSON, ep_shop_create, "Open a shop" },
	{ HTTP_PATCH, "/api/v1/shops/{id}", WHO_SHOPKEEPER, BODY_JSON, ep_shop_change, "Change a shop, its hours and rules" },
	{ HTTP_GET, "/api/v1/shops/{id}/slots", WHO_PUBLIC, BODY_NONE, ep_slots, "The slots of one day" },
	{ HTTP_GET, "/api/v1/shops/{id}/products", WHO_PUBLIC, BODY_NONE, ep_product_list, "What a shop has on sale" },
	{ HTTP_POST, "/api/v1/uploads", WHO_CUSTOMER, BODY_RAW, ep_upload_add, "Store a photo of a shopping list: JPEG, PNG or WebP as the body" },
	{ HTTP_GET, "/api/v1/uploads/{name}", WHO_ANY, BODY_NONE, ep_upload_get, "One photo" },
	{ HTTP_GET, "/api/v1/openapi.json", WHO_PUBLIC, BODY_NONE, ep_openapi, "This description of the API" },
	{ HTTP_POST, "/api/v1/shops/{id}/products", WHO_SHOPKEEPER, BODY_JSON, ep_product_create, "Put a product on sale" },
	{ HTTP_GET, "/api/v1/products/{id}", WHO_PUBLIC, BODY_NONE, ep_product_get, "One product" },
	{ HTTP_PATCH, "/api/v1/products/{id}", WHO_SHOPKEEPER, BODY_JSON, ep_product_change, "Change a product's price, stock, …" },
	{ HTTP_GET, "/api/v1/shops/{id}/staff", WHO_SHOPKEEPER, BODY_NONE, ep_staff_list, "Whom the owner has let into a shop" },
	{ HTTP_POST, "/api/v1/shops/{id}/staff", WHO_SHOPKEEPER, BODY_JSON, ep_staff_add, "Let somebody into a shop" },
	{ HTTP_DELETE, "/api/v1/shops/{id}/staff", WHO_SHOPKEEPER, BODY_OPTIONAL, ep_staff_remove, "Take somebody out of a shop, named in query or body" },
	{ HTTP_DELETE, "/api/v1/shops/{id}/staff/{id}", WHO_SHOPKEEPER, BODY_NONE, ep_staff_remove_one, "Take somebody out of a shop" },
	{ HTTP_GET, "/healthz", WHO_PUBLIC, BODY_NONE, ep_healthz, "The workers answer" },
	{ HTTP_GET, "/readyz", WHO_PUBLIC, BODY_NONE, ep_readyz, "So do the database and the relay" },
	{ HTTP_GET, "/_metrics", WHO_PUBLIC, BODY_NONE, ep_metrics, "What was done and how it goes, for Prometheus (this machine only)" },
	{ HTTP_GET, "/_ws_auth", WHO_SUBSCRIBER, BODY_NONE, ep_subscribe, "May this subscriber have that channel? (push server only)" },
};

/* One row is left for what has no route. */
_Static_assert(sizeof routes / sizeof *routes < METRICS_ROWS, "METRICS_ROWS are too few");

const struct route *route_table(size_t *n)
{
	*n = sizeof routes / sizeof *routes;
	return routes;
}

unsigned route_row(const struct route *route)
{
	return route ? (unsigned)(route - routes) : METRICS_ROWS - 1;
}

/* FNV-1a of all their names. */
uint64_t route_meaning(void)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		hash = (hash ^ (uint64_t)routes[i].method) * UINT64_C(1099511628211);
		for (const char *s = routes[i].path; *s; s++)
			hash = (hash ^ (unsigned char)*s) * UINT64_C(1099511628211);
	}
	return hash;
}

static bool begins_with_segment(const char *pattern, struct str segment)
{
	return strncmp(pattern, segment.s, segment.len) == 0 && (pattern[segment.len] == '/' || pattern[segment.len] == '\0');
}

#define API "/api/v1"
#define API_SEGMENTS 2

static bool is_api(const struct http_req *h)
{
	return h->segment_count >= API_SEGMENTS && str_is(h->segments[0], "api") && str_is(h->segments[1], "v1");
}

/* Whether the path's segments from that one on are the pattern's; r->ids and r->name take what {id} and {name} stood for. */
static bool path_matches(const char *pattern, unsigned segment, struct req *r)
{
	const struct http_req *h = &r->http;
	unsigned id = 0;
	while (*pattern == '/') {
		pattern++;
		if (segment >= h->segment_count || segment >= HTTP_SEGMENTS_MAX)
			return false;
		struct str have = h->segments[segment++];
		if (*pattern == '{' && pattern[1] == 'n') {
			r->name = have;
			pattern += sizeof "{name}" - 1;
		} else if (*pattern == '{') {
			if (!str_to_uint(have, INT64_MAX, &r->ids[id]) || r->ids[id] == 0)
				return false;
			id++;
			pattern += sizeof "{id}" - 1;
		} else if (!begins_with_segment(pattern, have)) {
			return false;
		} else {
			pattern += have.len;
		}
	}
	return segment == h->segment_count;
}

static bool method_fits(const struct route *route, enum http_method m)
{
	return route->method == m || (route->method == HTTP_GET && m == HTTP_HEAD);
}

static void add_allowed(struct buf *allow, const struct route *route)
{
	if (allow->len)
		buf_adds(allow, ", ");
	buf_adds(allow, http_method_name(route->method));
	if (route->method == HTTP_GET)
		buf_adds(allow, ", HEAD");
}

/* The route, or NULL with 404 or 405 as the reply. */
static const struct route *find_route(struct req *r)
{
	struct buf allow = BUF_IN(r->arena);
	bool of_api = is_api(&r->http);
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		/* Nearly all begin alike: what they begin with is compared once. No path is shorter than that. */
		bool is_of_api = memcmp(routes[i].path, API, sizeof API - 1) == 0;
		if (is_of_api != of_api || !path_matches(routes[i].path + (of_api ? sizeof API - 1 : 0), of_api ? API_SEGMENTS : 0, r))
			continue;
		if (method_fits(&routes[i], r->http.method))
			return &routes[i];
		add_allowed(&allow, &routes[i]);
	}
	if (!allow.len) {
		problem_reply(r, PROBLEM_NOT_FOUND, "There is no such path.");
		return NULL;
	}
	problem_reply(r, PROBLEM_METHOD_NOT_ALLOWED, "See the Allow header.");
	http_reply_header(r->reply, "Allow", allow.s);
	return NULL;
}

static bool is_hot(const struct route *route)
{
	return route->who >= WHO_ANY_HOT;
}

static enum outcome check_role(struct req *r, const struct route *route)
{
	bool wants_customer = route->who == WHO_CUSTOMER || route->who == WHO_CUSTOMER_HOT;
	if (wants_customer && r->who.role != ROLE_CUSTOMER)
		return problem_reply(r, PROBLEM_FORBIDDEN, "Only a customer may do this.");
	if (route->who == WHO_SHOPKEEPER && r->who.role != ROLE_SHOPKEEPER)
		return access_refuse_others(r);
	return OC_OK;
}

/* Nobody's role tells whether they are staff: their account does. */
static enum outcome look(struct req *r, const struct route *route)
{
	bool is_staff;
	enum outcome oc = auth_look(r, &is_staff);
	if (oc == OC_OK && route->who == WHO_PEOPLE_HOT && !is_of_shop(r->who.role, true, is_staff))
		return access_refuse_others(r);
	return oc;
}

/* Before an answer goes out that was made without a look at the account. Where the database is away, a refusal is a refusal all the same. */
static enum outcome admit_late(struct req *r, const struct route *route, enum outcome oc)
{
	bool is_refusal = oc == OC_REFUSED || oc == OC_NOT_FOUND;
	if (!is_hot(route) || r->is_judged || (oc != OC_OK && !is_refusal))
		return oc;
	enum outcome late = look(r, route);
	bool is_away = late == OC_DOWN || late == OC_BUSY;
	return late == OC_OK || (is_away && is_refusal) ? oc : late;
}

static enum outcome admit(struct req *r, const struct route *route)
{
	if (route->who == WHO_PUBLIC)
		return OC_OK;
	enum outcome oc = auth_caller(r, route->who == WHO_SUBSCRIBER);
	if (oc == OC_OK && !is_hot(route))
		oc = look(r, route);
	if (oc != OC_OK)
		return oc;
	oc = check_role(r, route);
	return oc == OC_OK ? OC_OK : admit_late(r, route, oc);
}

static enum outcome take_json(struct req *r, const struct http_io *io)
{
	struct str text;
	enum outcome oc = http_req_body(&r->http, io, r->arena, (uint64_t)r->app->conf->body_max, &text);
	if (oc != OC_OK)
		return problem_of_body(r, oc, r->app->conf->body_max);
	struct body *body;
	const char *why;
	if (body_parse(r->arena, text, &body, &why) != OC_OK)
		return problem_reply(r, PROBLEM_MALFORMED_JSON, why);
	r->body = body;
	return OC_OK;
}

static enum outcome take_body(struct req *r, const struct route *route, const struct http_io *io)
{
	bool has_body = http_req_has_body(&r->http), is_json = route->body != BODY_RAW;
	if (route->body == BODY_NONE || (route->body == BODY_OPTIONAL && !has_body))
		return OC_OK;
	if (is_json && has_body && !http_req_is_json(&r->http))
		return problem_reply(r, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "Send Content-Type: application/json, in UTF-8.");
	if (!http_req_is_uncoded(&r->http)) {
		problem_reply(r, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "Send the body as it is, without Content-Encoding.");
		http_reply_header(r->reply, "Accept-Encoding", "identity");
		return OC_REFUSED;
	}
	return is_json ? take_json(r, io) : OC_OK;
}

static enum outcome serve(struct req *r, const struct route *route, const struct http_io *io)
{
	enum outcome oc = take_body(r, route, io);
	return oc == OC_OK ? route->handler(r) : oc;
}

void route_dispatch(struct req *r, const struct http_io *io)
{
	r->reply->is_body_omitted = r->http.method == HTTP_HEAD;
	const struct route *route = r->route = find_route(r);
	if (!route)
		return;
	enum outcome oc = admit(r, route);
	if (oc == OC_OK)
		oc = admit_late(r, route, serve(r, route, io));
	problem_from_outcome(r, oc);
	if (!r->reply->status) {
		log_error("%s left no answer (outcome %d)", route->path, (int)oc);
		problem_from_outcome(r, OC_BAD);
	}
}
