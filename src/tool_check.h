/* tool_check.h - what the files of `pickup check` share.
 * Owns: struct check, the points. Used by tool_check*.c only.
 * A point that fails says what is wrong, what comes of it, and the command or line that mends it. */
#ifndef PICKUP_TOOL_CHECK_H
#define PICKUP_TOOL_CHECK_H

#include "arena.h"
#include "clock.h"
#include "conf.h"
#include "db.h"

struct check {
	struct arena *arena;
	const char *params;
	struct conf_store *settings;
	const struct conf *conf;
	struct db *db;
	struct clock clock;
	instant now;
	bool has_db, has_schema;	/* what later points may build on */
	bool is_counted;
	uint64_t workers, busy, relays;	/* that count on this machine; 0 where none are known */
	unsigned faults;
};

/* One line each. what: the point's name. */
void check_ok(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void check_fail(struct check *k, const char *what, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* What one may live with, if one knows: no fault. */
void check_warn(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* tool_check_files.c */
void check_user(struct check *k);
void check_option_file(struct check *k);
void check_keys(struct check *k);
void check_uploads(struct check *k);
void check_disk(struct check *k);
void check_metrics(struct check *k);
void check_workers(struct check *k);
/* tool_check_db.c */
void check_database(struct check *k);
void check_clock(struct check *k);
void check_schema(struct check *k);
void check_statements(struct check *k);
void check_zones(struct check *k);
/* tool_check_server.c */
void check_writes(struct check *k);
void check_server(struct check *k);
/* What to do about an error of the database, from its text; otherwise: about any that is not known. */
const char *check_advice(const char *error_text, const char *otherwise);
/* tool_check_push.c */
void check_relay(struct check *k);
void check_outbox(struct check *k);
void check_backlog(struct check *k);
void check_refusals(struct check *k);
void check_push(struct check *k);
void check_relay_socket(struct check *k);
/* tool_check_nginx.c: whether the nginx behind that socket may read what lies in dir. False: why says who may not, and where. Also true where
 * that can't be told. */
bool check_nginx_reads(const char *socket, const char *dir, char *why, size_t n);
/* Whether everybody on this machine may connect to the socket. */
bool check_is_open_to_all(const char *socket);

#endif
