/* app.c - a worker's parts put together, and the life of one request.
 * Owns: the order of things in a request. Does not own: accepting (worker.c), routing (route.c). */
#include "app.h"

#include <string.h>

#include "log.h"
#include "migrate.h"
#include "problem.h"
#include "route.h"

bool app_init(struct app *app, struct conf_store *settings, char *why, size_t n)
{
	const struct conf *conf = conf_get(settings);
	*app = (struct app){ .settings = settings, .conf = conf, .clock = clock_system() };
	log_set_level((enum log_level)conf->log_level);
	app->arena = arena_new();
	app->piece_arena = arena_new();
	app->zones = zone_cache_new(conf->zoneinfo);
	app->poke = poke_sender_new();
	app->db = db_new(conf);
	app->keys = keyring_new(conf, why, n);
	return app->keys && db_option_file_ok(conf->db_option_file, why, n);
}

void app_clear(struct app *app)
{
	keyring_free(app->keys);
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

/* With each request: printf() would take four times as long. */
static void log_request(const struct req *r, int64_t started)
{
	struct buf line = BUF_IN(r->arena);
	buf_adds(&line, http_method_name(r->http.method));
	buf_addc(&line, ' ');
	buf_addstr(&line, r->http.path);
	buf_addc(&line, ' ');
	buf_adduint(&line, (uint64_t)r->reply->status);
	buf_addc(&line, ' ');
	buf_adduint(&line, r->reply->written + r->reply->body.len + r->reply->file.len);
	buf_adds(&line, " bytes user=");
	buf_adduint(&line, r->who.sub.v);
	buf_addc(&line, ' ');
	buf_adduint(&line, (uint64_t)(clock_mono() - started));
	buf_adds(&line, "us");
	log_info("%s", line.s);
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

bool app_answer(struct app *app, const struct http_io *io)
{
	int64_t started = clock_mono();
	struct http_reply reply;
	struct req r = { .app = app, .arena = app->arena, .io = io, .reply = &reply, .now = app->clock.now(&app->clock) };

	http_reply_init(&reply, app->arena, io);
	http_req_parse(io, &r.http);
	set_log_request(r.http.request_id);
	take_settings(app, io, r.now);
	db_begin(app->db);
	if (has_tables(&r))
		route_dispatch(&r, io);
	db_end(app->db);
	bool is_written = http_reply_write(&reply);
	if (!is_written)
		log_info(reply.is_begun ? "the answer broke off" : "the client went away before its answer");
	log_request(&r, started);
	if (db_in_transaction(app->db))
		db_abandon(app->db);
	log_set_request("");
	arena_reset(app->arena);
	return is_written;
}
