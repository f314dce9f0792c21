/* conf.h - the settings: one table of names, types, bounds, units and defaults; nginx/pickup.params is its face.
 * Owns: parsing of values, the params file, taking new values with each request.
 * A bad value never takes anything down: the last good one stays in force and the log says so once. */
#ifndef PICKUP_CONF_H
#define PICKUP_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "outcome.h"
#include "str.h"

enum token_alg { TOKEN_HS256, TOKEN_RS256, TOKEN_ES256, TOKEN_ALG__MAX };

enum log_requests { LOG_REQUESTS_NONE, LOG_REQUESTS_FAILED, LOG_REQUESTS_ALL, LOG_REQUESTS__MAX };

/* The values in force. Texts are owned by the store and stay until it is freed. "" means not set. */
struct conf {
	const char *db_option_file;	/* PICKUP_DB_OPTION_FILE: MySQL option file with a [pickup] group */
	int64_t db_connect_timeout_s;	/* PICKUP_DB_CONNECT_TIMEOUT_S  1..60, 1 */
	int64_t db_timeout_s;		/* PICKUP_DB_TIMEOUT_S  1..60, 2: one answer of the server */
	int64_t db_lock_wait_s;		/* PICKUP_DB_LOCK_WAIT_S  1..60, 1 */
	bool db_pipeline;		/* PICKUP_DB_PIPELINE  on | off, on: statements that belong together in one round trip */
	int64_t db_replays;		/* PICKUP_DB_REPLAYS  0..50, 10: of a unit of work after a deadlock */
	int64_t token_alg;		/* PICKUP_TOKEN_ALG  HS256 | RS256 | ES256 (enum token_alg), HS256 */
	const char *token_key_file;	/* PICKUP_TOKEN_KEY_FILE: secret (HS256, at least 32 bytes) or PEM public key */
	const char *ticket_key_file;	/* PICKUP_TICKET_KEY_FILE: secret of the tickets; "" derives it from an HS256 token key */
	const char *token_issuer;	/* PICKUP_TOKEN_ISSUER: required "iss" unless "" */
	const char *token_audience;	/* PICKUP_TOKEN_AUDIENCE: required "aud" unless "" */
	int64_t token_ttl_s;		/* PICKUP_TOKEN_TTL_S  60..31536000, 43200 */
	int64_t token_leeway_s;		/* PICKUP_TOKEN_LEEWAY_S  0..300, 0: for clocks that differ, at exp and nbf */
	int64_t ticket_ttl_s;		/* PICKUP_TICKET_TTL_S  5..300, 60 */
	bool registration;		/* PICKUP_REGISTRATION  on | off, on */
	int64_t password_memory_kib;	/* PICKUP_PASSWORD_MEMORY_KIB  8192..1048576, 19456 */
	int64_t password_passes;	/* PICKUP_PASSWORD_PASSES  1..10, 2 */
	int64_t login_tries;		/* PICKUP_LOGIN_TRIES  1..1000000, 10: wrong passwords in a row before the next try has to wait */
	int64_t login_wait_max_s;	/* PICKUP_LOGIN_WAIT_MAX_S  1..900, 60 */
	int64_t body_max;		/* PICKUP_BODY_MAX  bytes, 1024..4194304, 262144 */
	int64_t request_deadline_ms;	/* PICKUP_REQUEST_DEADLINE_MS  100..60000, 1800: for the database's part of a request */
	int64_t retry_after_s;		/* PICKUP_RETRY_AFTER_S  1..3600, 5: in 503 answers */
	int64_t idempotency_hours;	/* PICKUP_IDEMPOTENCY_HOURS  24..8760, 48 */
	const char *upload_dir;		/* PICKUP_UPLOAD_DIR: of uploaded photos; "" takes none */
	const char *upload_accel;	/* PICKUP_UPLOAD_ACCEL: where the web server knows it, "/_uploads/"; "" sends them ourselves */
	int64_t upload_max;		/* PICKUP_UPLOAD_MAX  bytes, 65536..104857600, 10485760 */
	int64_t uploads_waiting;	/* PICKUP_UPLOADS_WAITING  1..1000, 20: of one customer, without an order */
	int64_t upload_days;		/* PICKUP_UPLOAD_DAYS  1..3650, 90: kept after the order is finished */
	int64_t shop_lead_minutes;	/* PICKUP_SHOP_LEAD_MINUTES  0..43200, 0; this and the next ones: for shops that have set nothing themselves, 0 is off */
	int64_t shop_max_days_ahead;	/* PICKUP_SHOP_MAX_DAYS_AHEAD  0..3650, 0 */
	int64_t shop_last_order_minutes;	/* PICKUP_SHOP_LAST_ORDER_MINUTES  0..1440, 0 */
	int64_t shop_slot_minutes;	/* PICKUP_SHOP_SLOT_MINUTES  0..1440, 0 */
	int64_t shop_slot_capacity;	/* PICKUP_SHOP_SLOT_CAPACITY  0..100000, 0 */
	int64_t shop_accept_within_minutes;	/* PICKUP_SHOP_ACCEPT_WITHIN_MINUTES  0..1440, 0 */
	bool shop_auto_confirm;		/* PICKUP_SHOP_AUTO_CONFIRM  on | off, off */
	int64_t shop_preparation_minutes;	/* PICKUP_SHOP_PREPARATION_MINUTES  0..1440, 0 */
	int64_t events_days;		/* PICKUP_EVENTS_DAYS  1..3650, 30 */
	const char *relay_socket;	/* PICKUP_RELAY_SOCKET: datagram socket that wakes the relay */
	int64_t relay_poll_ms;		/* PICKUP_RELAY_POLL_MS  10..60000, 500 */
	int64_t relay_batch;		/* PICKUP_RELAY_BATCH  1..1000, 200 rows */
	int64_t relay_gather_ms;	/* PICKUP_RELAY_GATHER_MS  0..1000, 5 */
	int64_t relay_lease_s;		/* PICKUP_RELAY_LEASE_S  2..300, 5 */
	const char *push_urls;		/* PICKUP_PUSH_URLS: publishers, space-separated; "unix:/path" or "http://host:port" */
	int64_t push_timeout_ms;	/* PICKUP_PUSH_TIMEOUT_MS  100..60000, 2000 */
	int64_t push_retry_max_ms;	/* PICKUP_PUSH_RETRY_MAX_MS  100..600000, 5000: longest pause between tries */
	int64_t log_level;		/* PICKUP_LOG_LEVEL  error | warn | info | debug (enum log_level), info */
	int64_t log_requests;		/* PICKUP_LOG_REQUESTS  none | failed | all (enum log_requests), all */
	const char *metrics_file;	/* PICKUP_METRICS_FILE: counters that all processes of the machine share; "" counts nothing */
	const char *zoneinfo;		/* PICKUP_ZONEINFO: directory of TZif files; "" for the host's */
};

struct conf_store;

/* All settings at their defaults; owned by the caller. */
struct conf_store *conf_new(void);
void conf_free(struct conf_store *s);
/* Borrowed; the same address for the store's life, its content changes with conf_set and conf_from_params. */
const struct conf *conf_get(const struct conf_store *s);
/* Sets one setting, above what conf_load reads before or after. False: unknown name or bad value; why (size n) says so in a sentence, nothing changed. */
must_check bool conf_set(struct conf_store *s, struct str name, struct str value, char *why, size_t n);

/* Called once per fault with a line number (0: the file as a whole). */
typedef void conf_report(void *ctx, const char *file, unsigned line, const char *why);
/* Reads "fastcgi_param PICKUP_… value;" lines with nginx's comments, quotes and escapes. Other fastcgi_params are ignored; anything
 * else, an unknown PICKUP_ name, a name given twice or a bad value is reported, and the rest still taken. The values become the base that
 * requests start from. OC_OK, OC_REFUSED (faults reported) or OC_NOT_FOUND (can't be read; reported). */
must_check enum outcome conf_load(struct conf_store *s, const char *file, conf_report *report, void *ctx);
/* Whether a "NAME=value" parameter is one of ours. The first letter tells nearly all others apart, without a call. */
static inline bool conf_is_setting(const char *entry)
{
	return *entry == 'P' && strncmp(entry, "PICKUP_", 7) == 0;
}
/* Takes the PICKUP_ entries of a request's "NAME=value" parameters (NULL-terminated): base values, then these. Unchanged entries since the last
 * call cost one comparison each. A setting that left the parameters is back at its base. Faults are logged once per bad value.
 * True where anything changed. */
bool conf_from_params(struct conf_store *s, char *const *params);
/* "NAME=value" lines of everything in force, for people. */
void conf_dump(const struct conf_store *s, struct buf *out);

/* One row of the table, for documentation and tests. */
struct setting {
	const char *name;		/* PICKUP_… */
	enum setting_type { SETTING_INT, SETTING_TEXT, SETTING_PATH, SETTING_BOOL, SETTING_WORD, SETTING_URLS } type;
	size_t offset;			/* in struct conf */
	const char *fallback;		/* the default, as text */
	int64_t min, max;
	const char *const *words;	/* SETTING_WORD */
	const char *unit, *meaning;
};
const struct setting *conf_table(size_t *n);

#endif
