/* tool_check.c - `pickup check` and `pickup conf`: whether everything is as it must be, one line a point.
 * Owns: these modes. Does not own: the rules of settings (conf.c), statements (db.c), migrations (migrate.c).
 * Used by: main.c. */
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "modes.h"
#include "arena.h"
#include "clock.h"
#include "db_outbox.h"
#include "db_shop.h"
#include "jwt.h"
#include "migrate.h"
#include "tool_opt.h"
#include "upload_store.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PAGE 200
#define BACKLOG_COUNTED 10000
#define BACKLOG_SECONDS 10	/* beyond a change of relays; in quiet times a notification waits for milliseconds */
#define ZONE_SAMPLE "Asia/Kolkata"

extern char **environ;

struct check {
	struct arena *arena;
	const char *params;
	struct conf_store *settings;
	const struct conf *conf;
	struct db *db;
	instant now;
	bool has_db, has_schema;	/* what later points may build on */
	unsigned faults;
};

static void ok(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void fail(struct check *k, const char *what, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void ok(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("ok   ", stdout);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
}

static void fail(struct check *k, const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("FAIL %s: ", what);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	k->faults++;
}

/* settings and files */

static void setting_fault(void *ctx, const char *file, unsigned line, const char *why)
{
	if (line)
		fail(ctx, "settings", "%s:%u: %s", file, line, why);
	else
		fail(ctx, "settings", "%s: %s", file, why);
}

/* PICKUP_ variables that are no settings belong to scripts around us. */
static void take_environment(struct check *k)
{
	size_t n;
	const struct setting *table = conf_table(&n);
	char why[512];

	for (char **e = environ; *e; e++) {
		struct str name = { *e, strcspn(*e, "=") };
		for (size_t i = 0; i < n; i++)
			if (str_is(name, table[i].name) && !conf_set(k->settings, name, str_from(*e + name.len + 1), why, sizeof why))
				fail(k, "settings", "environment: %s", why);
	}
}

static void check_settings(struct check *k)
{
	unsigned before = k->faults;

	if (k->params && conf_load(k->settings, k->params, setting_fault, k) != OC_OK && k->faults == before)
		fail(k, "settings", "%s: can't be read", k->params);
	take_environment(k);
	if (k->faults == before)
		ok("settings: %s", k->params ? k->params : "defaults and environment (no --params)");
}

static void check_option_file(struct check *k)
{
	char why[512] = "";

	if (db_option_file_ok(k->conf->db_option_file, why, sizeof why))
		ok("option file: %s", k->conf->db_option_file);
	else
		fail(k, "option file", "%s", why);
}

static void check_keys(struct check *k)
{
	char why[512] = "";
	struct keyring *keys = keyring_new(k->conf, why, sizeof why);

	if (keys)
		ok("keys: tokens are verified%s; %s", keyring_can_issue(keys) ? " and issued" : ", not issued",
			keyring_can_ticket(keys) ? "tickets too" : "no tickets (PICKUP_TICKET_KEY_FILE is not set)");
	else
		fail(k, "keys", "%s", why);
	keyring_free(keys);
}

static void check_uploads(struct check *k)
{
	char why[512];

	if (!*k->conf->upload_dir)
		ok("uploads: none are taken (PICKUP_UPLOAD_DIR is not set)");
	else if (upload_dir_ok(k->conf->upload_dir, why, sizeof why))
		ok("uploads: %s", k->conf->upload_dir);
	else
		fail(k, "uploads", "%s", why);
}

/* database */

static enum outcome take_text(void *ctx, const struct db_val *vals)
{
	struct check *k = ctx;

	printf("ok   database: answers, version %.*s\n", STR_FMT(db_get_text(&vals[0])));
	k->has_db = true;
	return OC_OK;
}

static void check_database(struct check *k)
{
	enum outcome oc = db_connect(k->db);

	if (oc == OC_OK)
		oc = db_run(k->db, SQL_SERVER_VERSION, 0, NULL, 0, take_text, k, NULL);
	if (oc != OC_OK)
		fail(k, "database", "no answer (%s); see that it runs and that the option file names its socket or host, user, password and database."
			" What lies in it is not checked", db_error_text(k->db));
}

static enum outcome take_uint(void *ctx, const struct db_val *vals)
{
	*(uint64_t *)ctx = db_get_uint(&vals[0]);
	return OC_OK;
}

static void check_schema(struct check *k)
{
	uint64_t number = 0;
	enum outcome oc = migrate_check_schema(k->db);

	k->has_schema = oc == OC_OK;
	if (oc == OC_OK)
		oc = db_run(k->db, SQL_SCHEMA_VERSION, 0, NULL, 0, take_uint, &number, NULL);
	if (oc == OC_OK)
		ok("schema: migration %" PRIu64 ", needed is %d", number, SQL_SCHEMA_NEEDED);
	else if (oc == OC_CONFLICT)
		fail(k, "schema", "the tables are older than migration %d or incomplete; run `pickup migrate%s%s`", SQL_SCHEMA_NEEDED,
			k->params ? " --params " : "", k->params ? k->params : "");
	else
		fail(k, "schema", "can't be read (%s); see that the database's user may read it", db_error_text(k->db));
}

static void statement_fault(void *ctx, const char *statement, const char *why)
{
	char what[80];

	snprintf(what, sizeof what, "statement %s", statement);
	fail(ctx, what, "%s; the tables are not as the migrations make them, or the user lacks a right on them", why);
}

static void check_statements(struct check *k)
{
	unsigned before = k->faults;
	enum outcome oc = db_check_statements(k->db, statement_fault, k);

	if (oc == OC_OK)
		ok("statements: all %d prepare", SQL__MAX);
	else if (k->faults == before)
		fail(k, "statements", "the database went away (%s)", db_error_text(k->db));
}

/* zones */

/* The zones of all active shops, page by page. */
static enum outcome check_shop_zones(struct check *k, struct zone_cache *zones, uint64_t *shops)
{
	struct shop_id before = { 0 };
	struct arena *a = arena_new();
	enum outcome oc = OC_OK;

	for (size_t n = PAGE; oc == OC_OK && n == PAGE; *shops += n) {
		struct shop *v = NULL;
		arena_reset(a);
		n = 0;
		oc = db_shop_list(k->db, a, before, PAGE, &v, &n);
		for (size_t i = 0; i < n; i++) {
			before = v[i].id;
			if (!zone_exists(zones, v[i].timezone))
				fail(k, "zones", "shop %" PRIu64 " is in %.*s, for which there is no file; install tzdata, or `pickup shop change %"
					PRIu64 " --timezone …`", v[i].id.v, STR_FMT(v[i].timezone), v[i].id.v);
		}
	}
	arena_free(a);
	return oc;
}

static void check_zones(struct check *k)
{
	const char *dir = *k->conf->zoneinfo ? k->conf->zoneinfo : NULL;
	struct zone_cache *zones = zone_cache_new(dir);
	unsigned before = k->faults;
	uint64_t shops = 0;

	if (!zone_exists(zones, STR(ZONE_SAMPLE)))
		fail(k, "zones", "no file for " ZONE_SAMPLE " in %s; install tzdata, or set PICKUP_ZONEINFO", dir ? dir : "the host's directories");
	else if (k->has_schema && check_shop_zones(k, zones, &shops) != OC_OK)
		fail(k, "zones", "the shops' zones can't be read (%s)", db_error_text(k->db));
	if (k->faults == before)
		ok("zones: " ZONE_SAMPLE " and those of %" PRIu64 " active shops", shops);
	zone_cache_free(zones);
}

/* relay */

static void check_relay(struct check *k)
{
	struct lease l;

	if (db_lease_get(k->db, k->arena, &l) != OC_OK)
		fail(k, "relay", "its lease can't be read (%s)", db_error_text(k->db));
	else if (!l.holder.s)
		fail(k, "relay", "table relay_lease has lost its row; INSERT INTO relay_lease VALUES (1, '', '2000-01-01', 0, '')");
	else if (!l.is_held)
		fail(k, "relay", "none is at work (last: %.*s), so nothing is published; start `pickup relay`", STR_FMT(l.holder.len ? l.holder : STR("never one")));
	else if (l.state.len)
		fail(k, "relay", "%.*s says: %.*s", STR_FMT(l.holder), STR_FMT(l.state));
	else
		ok("relay: %.*s is at work", STR_FMT(l.holder));
}

static void check_outbox(struct check *k)
{
	uint64_t n;
	instant oldest;
	enum outcome oc = db_outbox_waiting(k->db, BACKLOG_COUNTED, &n, &oldest);
	int64_t seconds = oldest != INSTANT_NONE && oldest < k->now ? (k->now - oldest) / INSTANT_SECOND : 0;

	if (oc != OC_OK)
		fail(k, "outbox", "can't be read (%s)", db_error_text(k->db));
	else if (seconds > 2 * k->conf->relay_lease_s + BACKLOG_SECONDS)
		fail(k, "outbox", "%s%" PRIu64 " notifications wait, the oldest for %" PRId64 " s; see that the relay runs and what it logs",
			n == BACKLOG_COUNTED ? "at least " : "", n, seconds);
	else
		ok("outbox: %" PRIu64 " notifications wait", n);
}

static void check_refusals(struct check *k)
{
	uint64_t n;

	if (db_refusal_count(k->db, &n) != OC_OK)
		fail(k, "refusals", "can't be read (%s)", db_error_text(k->db));
	else if (n)
		fail(k, "refusals", "%" PRIu64 " notifications were refused by a push instance and put aside; table push_refusals says which and with"
			" what status: mend that instance's configuration, then delete the rows (their events are in table events, and both are"
			" forgotten after PICKUP_EVENTS_DAYS)", n);
	else
		ok("refusals: none");
}

/* push instances */

static size_t drop_body(char *s, size_t size, size_t n, void *ctx)
{
	(void)s;
	(void)ctx;
	return size * n;
}

/* GET {url}/status; the HTTP status, or 0 with why (CURL_ERROR_SIZE bytes). */
static long instance_status(struct arena *a, struct str url, int64_t timeout_ms, char *why)
{
	CURL *h = curl_easy_init();
	bool is_unix = url.len > 5 && memcmp(url.s, "unix:", 5) == 0;
	const char *text = arena_memdup(a, url.s, url.len);
	long status = 0, error = 0;
	CURLcode rc;

	snprintf(why, CURL_ERROR_SIZE, "no memory");
	if (!h)
		return 0;
	if (is_unix)
		curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, text + 5);
	curl_easy_setopt(h, CURLOPT_URL, is_unix ? "http://localhost/status" : arena_printf(a, "%s/status", text));
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, drop_body);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, why);
	*why = '\0';
	rc = curl_easy_perform(h);
	curl_easy_getinfo(h, CURLINFO_OS_ERRNO, &error);
	if (rc == CURLE_OK)
		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
	else if (!*why || rc == CURLE_COULDNT_CONNECT)
		snprintf(why, CURL_ERROR_SIZE, "%s", error ? strerror((int)error) : curl_easy_strerror(rc));
	curl_easy_cleanup(h);
	return status;
}

static void check_one_push(struct check *k, struct str url)
{
	char why[CURL_ERROR_SIZE];
	long status = instance_status(k->arena, url, k->conf->push_timeout_ms, why);

	if (status == 200)
		ok("push: %.*s answers", STR_FMT(url));
	else if (status)
		fail(k, "push", "%.*s/status answers %ld, not 200; is it the publishers' listener of the push nginx?", STR_FMT(url), status);
	else
		fail(k, "push", "%.*s: %s; see that the push nginx runs and that we may reach it", STR_FMT(url), why);
}

static void check_push(struct check *k)
{
	const char *p = k->conf->push_urls;

	p += strspn(p, " ");
	if (!*p)
		fail(k, "push", "no instance; set PICKUP_PUSH_URLS");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		fail(k, "push", "libcurl can't start");
		return;
	}
	while (*p) {
		struct str url = { p, strcspn(p, " ") };
		check_one_push(k, url);
		p += url.len;
		p += strspn(p, " ");
	}
	curl_global_cleanup();
}

/* Connecting a datagram socket sends nothing; it fails where nobody has the path open. */
static int connect_relay(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, error = 0;

	if (strlen(path) >= sizeof address.sun_path)
		return ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		error = errno;
	close(fd);
	return error;
}

static void check_socket(struct check *k)
{
	const char *path = k->conf->relay_socket;
	int error;

	if (!*path) {
		ok("relay socket: none is set; the relay looks every %" PRId64 " ms", k->conf->relay_poll_ms);
		return;
	}
	error = connect_relay(path);
	if (error == 0)
		ok("relay socket: %s", path);
	else
		fail(k, "relay socket", "%s: %s; %s", path, strerror(error), error == EACCES ? "let our user write to it"
			: "see that `pickup relay` runs on this machine with the same settings");
}

/* the modes */

static const struct point {
	void (*run)(struct check *k);
	bool is_of_db;				/* also with --db */
	enum { NEEDS_NOTHING, NEEDS_DB, NEEDS_SCHEMA } needs;
} points[] = {
	{ check_settings, true, NEEDS_NOTHING },
	{ check_option_file, true, NEEDS_NOTHING },
	{ check_keys, false, NEEDS_NOTHING },
	{ check_uploads, false, NEEDS_NOTHING },
	{ check_database, true, NEEDS_NOTHING },
	{ check_schema, true, NEEDS_DB },
	{ check_statements, true, NEEDS_SCHEMA },
	{ check_zones, false, NEEDS_NOTHING },
	{ check_relay, false, NEEDS_SCHEMA },
	{ check_outbox, false, NEEDS_SCHEMA },
	{ check_refusals, false, NEEDS_SCHEMA },
	{ check_push, false, NEEDS_NOTHING },
	{ check_socket, false, NEEDS_NOTHING },
};

static void check_all(struct check *k, bool only_db)
{
	for (size_t i = 0; i < COUNT(points); i++) {
		const struct point *p = &points[i];
		if (only_db && !p->is_of_db)
			continue;
		if ((p->needs == NEEDS_DB && !k->has_db) || (p->needs == NEEDS_SCHEMA && !k->has_schema))
			continue;
		p->run(k);
		fflush(stdout);
	}
}

struct check_opts { bool only_db; };

static const struct opt check_opts[] = {
	{ "db", NULL, OPT_FLAG, .offset = offsetof(struct check_opts, only_db),
		.help = "only settings, option file, database, schema and statements" },
};

int mode_check(int argc, char **argv)
{
	static const struct verb verb = {
		NULL, "Prints a line a point: `ok   what`, or `FAIL what: why, and what to do`. Ends with 1 where one fails.",
		.opts = check_opts, .n = COUNT(check_opts)
	};
	static const struct verbs t = { "check", "", &verb, 1, sizeof(struct check_opts) };
	struct call c = { .arena = arena_new() };
	struct clock clock = clock_system();
	int status = opt_parse(&t, argc, argv, &c);

	if (status < 0 && c.faults)
		status = EX_USAGE;
	if (status < 0) {
		struct check k = { .arena = c.arena, .params = c.params, .settings = conf_new(), .now = clock.now(&clock) };
		k.conf = conf_get(k.settings);
		k.db = db_new(k.conf);
		check_all(&k, ((struct check_opts *)c.opts)->only_db);
		db_free(k.db);
		conf_free(k.settings);
		status = opt_flush("check", k.faults ? 1 : 0);
	}
	arena_free(c.arena);
	return status;
}

int mode_conf(int argc, char **argv)
{
	static const struct verb verb = { NULL, "Prints NAME=value of every setting in force.", .opts = NULL };
	static const struct verbs t = { "conf", "", &verb, 1, 1 };
	struct call c = { .arena = arena_new() };
	struct conf_store *settings = NULL;
	int status = opt_parse(&t, argc, argv, &c);

	if (status < 0) {
		settings = tool_settings("conf", c.params);
		status = c.faults ? EX_USAGE : settings ? 0 : EX_CONFIG;
		if (status == 0) {
			struct buf out = BUF_IN(c.arena);
			conf_dump(settings, &out);
			fwrite(out.s, 1, out.len, stdout);
			status = opt_flush("conf", 0);
		}
	}
	conf_free(settings);
	arena_free(c.arena);
	return status;
}
