/* app.c - a worker's parts put together, and the life of one request.
 * Owns: the order of things in a request. Does not own: accepting (worker.c), routing (route.c). */
#include "app.h"

#include <string.h>

#include "log.h"
#include "migrate.h"
#include "problem.h"
#include "route.h"

bool app_init(struct app *app, struct conf_store *settings, enum metrics_role role, char *why, size_t n)
{
	const struct conf *conf = conf_get(settings);
	*app = (struct app){ .settings = settings, .conf = conf, .clock = clock_system() };
	log_set_level((enum log_level)conf->log_level);
	app->arena = arena_new();
	app->piece_arena = arena_new();
	app->zones = zone_cache_new(conf->zoneinfo);
	app->poke = poke_sender_new();
	app->db = db_new(conf);
	app->metrics = metrics_new(role, route_meaning());
	metrics_keep(app->metrics, conf->metrics_file, clock_mono());
	app->keys = keyring_new(conf, why, n);
	return app->keys && db_option_file_ok(conf->db_option_file, why, n);
}

void app_clear(struct app *app)
{
	keyring_free(app->keys);
	metrics_free(app->metrics);
	db_free(app->db);
	poke_sender_free(app->poke);
	zone_cache_free(app->zones);
	arena_free(app->arena);
	arena_free(app->piece_arena);
	conf_free(app->settings);
	*app = (struct app){ 0 };
}

/* Settings may have come anew with the request. What was made from the old ones is made again: the connection when it is next needed. */
static void take_settings(struct app *app, const struct http_io *io, instant now)
{
	if (conf_from_params(app->settings, io->params)) {
		log_set_level((enum log_level)app->conf->log_level);
		db_disconnect(app->db);
		zone_cache_free(app->zones);
		app->zones = zone_cache_new(app->conf->zoneinfo);
	}
	keyring_refresh(app->keys, app->conf, now);
}

/* A worker may have been started before its database, so the tables are looked at when it is first there. The health
 * endpoints tell by themselves what is away. */
static bool has_tables(struct req *r)
{
	struct app *app = r->app;
	bool is_api = r->http.segment_count > 1;
	if (app->is_schema_checked || !is_api)
		return true;
	enum outcome oc = migrate_check_schema(app->db);
	app->is_schema_checked = oc == OC_OK;
	if (oc != OC_OK)
		problem_reply(r, PROBLEM_UNAVAILABLE, oc == OC_DOWN ? "The database is not available." : "The database is being set up.");
	return oc == OC_OK;
}

/* What goes in and out, and how long it was waited for that. */
struct timed_io { const struct http_io *io; int64_t read_us, write_us; };

static int timed_read(void *ctx, char *buf, int n)
{
	struct timed_io *t = ctx;
	int64_t before = clock_mono();
	int got = t->io->read(t->io->ctx, buf, n);
	t->read_us += clock_mono() - before;
	return got;
}

static bool timed_write(void *ctx, const struct iovec *parts, int n, bool is_end)
{
	struct timed_io *t = ctx;
	int64_t before = clock_mono();
	bool is_taken = t->io->write(t->io->ctx, parts, n, is_end);
	t->write_us += clock_mono() - before;
	return is_taken;
}

static void add_field(struct buf *line, const char *name, uint64_t value)
{
	buf_adds(line, name);
	buf_adduint(line, value);
}

/* For programs, so no path and no query: what strangers send is nginx's to log, and what can't be in a line can't leak from it. */
static void log_request(const struct req *r, const struct timed_io *io, bool is_written, int64_t us, const struct db_used *db)
{
	struct buf line = BUF_IN(r->arena);
	buf_reserve(&line, 300);
	buf_adds(&line, "event=request method=");
	buf_adds(&line, http_method_name(r->http.method));
	buf_adds(&line, " route=");
	buf_adds(&line, r->route ? r->route->path : "none");
	add_field(&line, " status=", (uint64_t)r->reply->status);
	add_field(&line, " bytes=", r->reply->written + r->reply->body.len + r->reply->file.len);
	add_field(&line, " user=", r->who.sub.v);
	add_field(&line, " us=", (uint64_t)us);
	add_field(&line, " read_us=", (uint64_t)io->read_us);
	add_field(&line, " db_us=", (uint64_t)db->us);
	add_field(&line, " write_us=", (uint64_t)io->write_us);
	add_field(&line, " statements=", db->statements);
	if (db->replays)
		add_field(&line, " replays=", db->replays);
	if (!is_written)
		buf_adds(&line, r->reply->is_begun ? " end=broken" : " end=client_gone");
	log_fields(LOG_INFO, line.s, line.len);
}

/* What fails for the client's fault is nothing that we could mend. */
static bool is_to_be_logged(const struct req *r, bool is_written)
{
	bool is_failure = r->reply->status >= 500 || (!is_written && r->reply->is_begun);
	int64_t which = r->app->conf->log_requests;
	return log_is_on(LOG_INFO) && (which == LOG_REQUESTS_ALL || (which == LOG_REQUESTS_FAILED && is_failure));
}

static void count_request(const struct req *r, int64_t us, const struct db_used *db)
{
	struct app *app = r->app;
	struct metrics_slot *own = metrics_own(app->metrics);
	unsigned connections = db_connections(app->db);
	metrics_request(app->metrics, route_row(r->route), r->reply->status, us, db->us, db->statements);
	metrics_add(&own->replays, db->replays);
	metrics_add(&own->connections, connections - app->connections_counted);
	app->connections_counted = connections;
	metrics_set(&own->in_hand, 0);
}

static void set_log_request(struct str id)
{
	char name[64];
	size_t len = id.len < sizeof name ? id.len : sizeof name - 1;
	if (len)
		memcpy(name, id.s, len);
	name[len] = '\0';
	log_set_request(name);
}

static void end_request(const struct req *r, const struct timed_io *io, bool is_written, int64_t us)
{
	struct db_used db = db_used(r->app->db);
	count_request(r, us, &db);
	if (is_to_be_logged(r, is_written))
		log_request(r, io, is_written, us, &db);
}

void app_idle(struct app *app)
{
	metrics_keep(app->metrics, app->conf->metrics_file, clock_mono());
}

bool app_answer(struct app *app, const struct http_io *outer)
{
	int64_t started = clock_mono();
	struct timed_io timed = { outer, 0, 0 };
	const struct http_io inner = { outer->params, timed_read, timed_write, &timed }, *io = &inner;
	struct http_reply reply;
	struct req r = { .app = app, .arena = app->arena, .io = io, .reply = &reply, .now = app->clock.now(&app->clock) };

	http_reply_init(&reply, app->arena, io);
	http_req_parse(io, &r.http);
	set_log_request(r.http.request_id);
	take_settings(app, io, r.now);
	metrics_keep(app->metrics, app->conf->metrics_file, started);
	metrics_set(&metrics_own(app->metrics)->in_hand, 1);
	db_begin(app->db);
	if (has_tables(&r))
		route_dispatch(&r, io);
	db_end(app->db);
	bool is_written = http_reply_write(&reply);
	end_request(&r, &timed, is_written, clock_mono() - started);
	if (db_in_transaction(app->db))
		db_abandon(app->db);
	log_set_request("");
	arena_reset(app->arena);
	return is_written;
}
