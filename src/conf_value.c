/* conf_value.c - the table of settings, and what counts as a value of each.
 * Owns: names, bounds, defaults, meanings; checking one value. Does not own: which values are in force (conf.c).
 * Used by: conf.c. */
#include <stdio.h>
#include <string.h>

#include "conf_value.h"
#include "log.h"

#define NELEMS(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT_BYTES 255
#define URLS_BYTES 1000
#define SOCKET_BYTES 107	/* sizeof sun_path, less the NUL */
#define PATH_BYTES 4095

static const char *const alg_words[] = { [TOKEN_HS256] = "HS256", [TOKEN_RS256] = "RS256", [TOKEN_ES256] = "ES256", NULL };
static const char *const level_words[] = {
	[LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug", NULL
};

static const char *const requests_words[] = {
	[LOG_REQUESTS_NONE] = "none", [LOG_REQUESTS_FAILED] = "failed", [LOG_REQUESTS_ALL] = "all", NULL
};

#define ROW(name, type, field, fallback, min, max, words, unit, meaning) \
	{ "PICKUP_" name, type, offsetof(struct conf, field), fallback, min, max, words, unit, meaning }
#define INT(name, field, fallback, min, max, unit, meaning) \
	ROW(name, SETTING_INT, field, fallback, min, max, NULL, unit, meaning)
#define TEXT(name, field, meaning) ROW(name, SETTING_TEXT, field, "", 0, TEXT_BYTES, NULL, "bytes", meaning)
#define PATH(name, field, max, meaning) ROW(name, SETTING_PATH, field, "", 0, max, NULL, "bytes", meaning)
#define WORD(name, field, fallback, words, meaning) \
	ROW(name, SETTING_WORD, field, fallback, 0, NELEMS(words) - 2, words, "", meaning)

/* Meanings are the comments of nginx/pickup.params, word for word; a test compares. */
const struct setting conf_rows[] = {
	PATH("DB_OPTION_FILE", db_option_file, PATH_BYTES,
		"MySQL option file whose [pickup] group says where the database is and who we are: host or socket, user, password, database. "
		"Others must not be able to read it."),
	INT("DB_CONNECT_TIMEOUT_S", db_connect_timeout_s, "1", 1, 60, "seconds", "How long connecting to the database may take."),
	INT("DB_TIMEOUT_S", db_timeout_s, "2", 1, 60, "seconds",
		"How long the database may take for one answer before the connection counts as lost and the request gets 503."),
	INT("DB_LOCK_WAIT_S", db_lock_wait_s, "1", 1, 60, "seconds",
		"How long a statement waits for a row that another transaction holds, before the whole transaction is tried again."),
	INT("DB_REPLAYS", db_replays, "10", 0, 50, "times",
		"How often a transaction is tried again after a deadlock or a lock wait that took too long, before the request gets 503."),
	ROW("DB_PIPELINE", SETTING_BOOL, db_pipeline, "on", 0, 1, NULL, "",
		"Whether statements that belong together are sent before the first one's answer is read; \"off\" where a proxy before the database can't take that."),
	WORD("TOKEN_ALG", token_alg, "HS256", alg_words,
		"Algorithm of the access tokens; one that names another is refused. With RS256 or ES256 somebody else issues them: "
		"this server holds the public key alone, and its own login makes none."),
	PATH("TOKEN_KEY_FILE", token_key_file, PATH_BYTES,
		"Key of the access tokens: with HS256 a secret of at least 32 bytes (one newline at its end does not count) that others must not be able to read; "
		"with RS256 or ES256 a public key in PEM form. A changed file is taken within a second."),
	PATH("TICKET_KEY_FILE", ticket_key_file, PATH_BYTES,
		"Secret of the tickets for WebSockets, as for HS256. Where it is \"\", the tickets' key is derived from the access tokens' secret; "
		"with RS256 or ES256 there are no tickets then."),
	TEXT("TOKEN_ISSUER", token_issuer, "The \"iss\" that a token must carry, and that ours do; \"\" asks for none."),
	TEXT("TOKEN_AUDIENCE", token_audience, "The \"aud\" that a token must carry or list, and that ours do; \"\" asks for none."),
	INT("TOKEN_TTL_S", token_ttl_s, "43200", 60, 31536000, "seconds", "How long an access token from our login is good."),
	INT("TOKEN_LEEWAY_S", token_leeway_s, "0", 0, 300, "seconds",
		"How far the issuer's clock may differ from ours when \"exp\" and \"nbf\" are judged."),
	INT("TICKET_TTL_S", ticket_ttl_s, "60", 5, 300, "seconds", "How long a ticket for opening a WebSocket is good."),
	ROW("REGISTRATION", SETTING_BOOL, registration, "on", 0, 1, NULL, "", "Whether anybody may register as customer or shopkeeper."),
	INT("PASSWORD_MEMORY_KIB", password_memory_kib, "19456", 8192, 1048576, "KiB",
		"Memory that hashing a password takes (argon2id), in each worker that does it. Passwords stored before keep the cost they were stored with."),
	INT("PASSWORD_PASSES", password_passes, "2", 1, 10, "passes", "Passes over that memory; time grows with it."),
	INT("LOGIN_TRIES", login_tries, "10", 1, 1000000, "times",
		"How many wrong passwords in a row are taken for a phone number, or from a client address, before the next try has to wait: a second, then "
		"twice as long each time (429). For a number from an address where it has signed in before they are counted apart. "
		"Fifteen minutes without one, or a right one, end it."),
	INT("LOGIN_WAIT_MAX_S", login_wait_max_s, "60", 1, 900, "seconds", "The longest that the next try after a wrong password has to wait."),
	INT("BODY_MAX", body_max, "262144", 1024, 4194304, "bytes", "The longest JSON body that is read; longer ones get 413."),
	INT("REQUEST_DEADLINE_MS", request_deadline_ms, "1800", 100, 60000, "milliseconds",
		"How long a request may work with the database, all waiting and trying again included, before it gets 503. nginx's fastcgi_read_timeout must be longer."),
	INT("RETRY_AFTER_S", retry_after_s, "5", 1, 3600, "seconds", "What Retry-After says in a 503 answer."),
	INT("IDEMPOTENCY_HOURS", idempotency_hours, "48", 24, 8760, "hours", "How long an Idempotency-Key is remembered."),
	PATH("UPLOAD_DIR", upload_dir, PATH_BYTES,
		"Directory of the photos that customers upload; others must not be able to use it. Several machines must share one. Where it is \"\", none are taken."),
	ROW("UPLOAD_ACCEL", SETTING_TEXT, upload_accel, "/_uploads/", 0, TEXT_BYTES, NULL, "bytes",
		"Where nginx has that directory as a location that is internal: X-Accel-Redirect tells it which photo to send. Where it is \"\", the worker sends it."),
	INT("UPLOAD_MAX", upload_max, "10485760", 65536, 104857600, "bytes",
		"The largest photo that is taken; larger ones get 413. nginx's client_max_body_size for uploads must not be smaller."),
	INT("UPLOADS_WAITING", uploads_waiting, "20", 1, 1000, "photos",
		"How many photos of one customer may wait for an order; more get 429. One that has waited for a day is removed."),
	INT("UPLOAD_DAYS", upload_days, "90", 1, 3650, "days", "How long a photo is kept after its order was picked up or cancelled."),
	INT("SHOP_LEAD_MINUTES", shop_lead_minutes, "0", 0, 43200, "minutes",
		"How long before its pickup time a pre-order must be placed, at shops that have not set lead_minutes; 0 for any time."),
	INT("SHOP_MAX_DAYS_AHEAD", shop_max_days_ahead, "0", 0, 3650, "days",
		"How many days ahead pre-orders are taken, at shops that have not set max_days_ahead; 0 for no limit."),
	INT("SHOP_LAST_ORDER_MINUTES", shop_last_order_minutes, "0", 0, 1440, "minutes",
		"How long before closing the last order is taken, at shops that have not set last_order_minutes; 0 for up to the end."),
	INT("SHOP_SLOT_MINUTES", shop_slot_minutes, "0", 0, 1440, "minutes",
		"The length of a slot for pickups, at shops that have not set slot_minutes; 0 for no slots."),
	INT("SHOP_SLOT_CAPACITY", shop_slot_capacity, "0", 0, 100000, "orders",
		"How many orders a slot takes, at shops that have not set slot_capacity; 0 for no limit."),
	INT("SHOP_ACCEPT_WITHIN_MINUTES", shop_accept_within_minutes, "0", 0, 1440, "minutes",
		"How long an order may stay unconfirmed, in opening hours, before it is cancelled, at shops that have not set accept_within_minutes; 0 for any time."),
	ROW("SHOP_AUTO_CONFIRM", SETTING_BOOL, shop_auto_confirm, "off", 0, 1, NULL, "",
		"Whether orders are confirmed by themselves as they are placed, at shops that have not set auto_confirm."),
	INT("SHOP_PREPARATION_MINUTES", shop_preparation_minutes, "0", 0, 1440, "minutes",
		"The preparation time that an order is confirmed with by itself, at shops that have not set default_preparation_minutes; 0 for none."),
	INT("EVENTS_DAYS", events_days, "30", 1, 3650, "days", "How long published messages can be read again; older ones give 410."),
	PATH("RELAY_SOCKET", relay_socket, SOCKET_BYTES,
		"Datagram socket on which workers wake the relay after each commit. Where it is \"\", the relay notices at its next poll. "
		"Workers take another one at once, the relay as it starts."),
	INT("RELAY_POLL_MS", relay_poll_ms, "500", 10, 60000, "milliseconds",
		"How often the relay looks into the outbox when nothing wakes it."),
	INT("RELAY_BATCH", relay_batch, "200", 1, 1000, "rows", "How many outbox rows the relay takes at a time."),
	INT("RELAY_GATHER_MS", relay_gather_ms, "5", 0, 1000, "milliseconds",
		"Where orders come in quick succession, how long they are gathered before the relay takes them together; up to 50 where the database is slow"
		" to answer. One that comes alone never waits."),
	INT("RELAY_LEASE_S", relay_lease_s, "5", 2, 300, "seconds",
		"How long the relay at work may be silent before another one takes over."),
	ROW("PUSH_URLS", SETTING_URLS, push_urls, "", 0, URLS_BYTES, NULL, "bytes",
		"Every push nginx that messages are published to, separated by spaces: \"unix:/path\" or \"http://host:port\"."),
	INT("PUSH_TIMEOUT_MS", push_timeout_ms, "2000", 100, 60000, "milliseconds", "How long publishing one message may take."),
	INT("PUSH_RETRY_MAX_MS", push_retry_max_ms, "5000", 100, 600000, "milliseconds",
		"The longest pause between two tries to reach a push nginx that is away."),
	WORD("LOG_LEVEL", log_level, "info", level_words, "The least important lines that are still logged."),
	WORD("LOG_REQUESTS", log_requests, "all", requests_words,
		"Which requests get a line in the log (at the level info): all, those that failed for our fault (status 500 and above, or an answer that broke "
		"off), or none. nginx has a log of its own."),
	PATH("METRICS_FILE", metrics_file, PATH_BYTES,
		"File in which the workers and the relay of this machine count what they do, for /metrics; it must lie in memory (below /run), and is made "
		"by the first worker. Where it is \"\", nothing is counted, and /metrics gives 404."),
	PATH("ZONEINFO", zoneinfo, PATH_BYTES, "Directory of the time zone files; \"\" for the host's own."),
};

_Static_assert(NELEMS(conf_rows) == CONF_SETTINGS, "CONF_SETTINGS is the number of rows");

const struct setting *conf_table(size_t *n)
{
	*n = CONF_SETTINGS;
	return conf_rows;
}

const struct setting *conf_find(struct str name)
{
	for (size_t i = 0; i < CONF_SETTINGS; i++)
		if (str_is(name, conf_rows[i].name))
			return &conf_rows[i];
	return NULL;
}

/* The value as a sentence may show it: short, and printable on any terminal. */
struct shown { char s[64]; };

static struct shown show(struct str v)
{
	struct shown out;
	size_t n = v.len < sizeof out.s - 4 ? v.len : sizeof out.s - 4;

	for (size_t i = 0; i < n; i++)
		out.s[i] = v.s[i] >= ' ' && v.s[i] <= '~' ? v.s[i] : '?';
	snprintf(out.s + n, sizeof out.s - n, "%s", n < v.len ? "..." : "");
	return out;
}

static bool parse_word(const struct setting *t, struct str v, int64_t *out, char *why, size_t n)
{
	size_t len = 0;

	for (int64_t i = 0; t->words[i]; i++)
		if (str_is(v, t->words[i])) {
			*out = i;
			return true;
		}
	len = (size_t)snprintf(why, n, "%s: \"%s\" is none of", t->name, show(v).s);
	for (size_t i = 0; t->words[i] && len < n; i++)
		len += (size_t)snprintf(why + len, n - len, "%s %s", i ? "," : "", t->words[i]);
	return false;
}

static bool parse_int(const struct setting *t, struct str v, int64_t *out, char *why, size_t n)
{
	uint64_t u;

	if (str_to_uint(v, (uint64_t)t->max, &u) && u >= (uint64_t)t->min) {
		*out = (int64_t)u;
		return true;
	}
	snprintf(why, n, "%s: \"%s\" is no whole number from %lld to %lld (%s)", t->name, show(v).s,
		(long long)t->min, (long long)t->max, t->unit);
	return false;
}

static bool is_port(struct str s)
{
	uint64_t port;

	return str_to_uint(s, 65535, &port) && port > 0;
}

/* The rest of "http://": a name, an IPv4 address or an IPv6 one in brackets, then maybe ":port"; no path, no user. */
static bool is_host_port(struct str s)
{
	bool is_v6 = s.len && s.s[0] == '[';
	const char *allowed = is_v6 ? "0123456789abcdefABCDEF:." :
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_";
	size_t i = is_v6, start = i;

	while (i < s.len && memchr(allowed, s.s[i], strlen(allowed)))
		i++;
	if (i == start || (is_v6 && (i == s.len || s.s[i++] != ']')))
		return false;
	if (i == s.len)
		return true;
	return s.s[i] == ':' && is_port((struct str){ s.s + i + 1, s.len - i - 1 });
}

static bool is_push_url(struct str s)
{
	if (s.len > 6 && memcmp(s.s, "unix:/", 6) == 0)
		return s.len - 5 <= SOCKET_BYTES;
	return s.len > 7 && memcmp(s.s, "http://", 7) == 0 && is_host_port((struct str){ s.s + 7, s.len - 7 });
}

static bool are_push_urls(const struct setting *t, struct str v, char *why, size_t n)
{
	for (size_t i = 0; i < v.len;) {
		size_t end = i;
		while (end < v.len && v.s[end] != ' ')
			end++;
		struct str url = { v.s + i, end - i };
		if (url.len && !is_push_url(url)) {
			snprintf(why, n, "%s: \"%s\" is neither \"unix:/path\" (up to %d bytes of path) nor \"http://host:port\"",
				t->name, show(url).s, SOCKET_BYTES);
			return false;
		}
		i = end + 1;
	}
	return true;
}

static bool check_text(const struct setting *t, struct str v, char *why, size_t n)
{
	if (v.len > (size_t)t->max) {
		snprintf(why, n, "%s: is longer than %lld bytes", t->name, (long long)t->max);
		return false;
	}
	for (size_t i = 0; i < v.len; i++)
		if ((unsigned char)v.s[i] < ' ' || v.s[i] == 0x7f) {
			snprintf(why, n, "%s: holds a control character", t->name);
			return false;
		}
	if (!str_is_utf8(v)) {
		snprintf(why, n, "%s: is not UTF-8", t->name);
		return false;
	}
	if (t->type == SETTING_PATH && v.len && v.s[0] != '/') {
		snprintf(why, n, "%s: \"%s\" does not start with \"/\" (a path must be absolute)", t->name, show(v).s);
		return false;
	}
	return t->type != SETTING_URLS || are_push_urls(t, v, why, n);
}

bool conf_value_parse(const struct setting *t, struct str v, int64_t *out, char *why, size_t n)
{
	switch (t->type) {
	case SETTING_INT:
		return parse_int(t, v, out, why, n);
	case SETTING_WORD:
		return parse_word(t, v, out, why, n);
	case SETTING_BOOL:
		if (!str_is(v, "on") && !str_is(v, "off")) {
			snprintf(why, n, "%s: \"%s\" is neither on nor off", t->name, show(v).s);
			return false;
		}
		*out = str_is(v, "on");
		return true;
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_URLS:
		return check_text(t, v, why, n);
	}
	log_die("setting %s has no type", t->name);
}

void conf_value_unknown(struct str name, char *why, size_t n)
{
	snprintf(why, n, "\"%s\" is no setting", show(name).s);
}
