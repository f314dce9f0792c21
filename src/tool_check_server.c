/* tool_check_server.c - `pickup check`: how the database server is set up.
 * Owns: these points, what is advised where it does not let us in. Does not own: what lies in it (tool_check_db.c). Used by: tool_check.c. */
#include "tool_check.h"

#include <inttypes.h>
#include <stdlib.h>

/* By the server's or the client library's number, which begins the text of an error. */
static const struct { unsigned long error; const char *advice; } advices[] = {
	{ 1040, "all its connections are taken: raise max_connections in [mysqld], or run fewer workers" },
	{ 1203, "all connections of this user are taken: raise max_user_connections, or run fewer workers" },
	{ 1226, "all that this user may have is taken: raise the account's limits (ALTER USER ... WITH), or run fewer workers" },
	{ 1044, "the user has no right on that database: mend database= in the option file, or GRANT ALL ON that database TO the user" },
	{ 1045, "the server does not know this user, or the password is another one: mend the option file, or ALTER USER ... IDENTIFIED BY" },
	{ 1698, "the server knows this user by the system's user of that name, and not by a password: run as that one, or ALTER USER ... IDENTIFIED BY" },
	{ 1049, "there is no such database: mend database= in the option file, or CREATE DATABASE and run `pickup migrate`" },
	{ 1130, "the server lets nobody in from this machine: CREATE USER 'name'@'this machine' there" },
	{ 1129, "the server has shut this machine out after too many failed connections: FLUSH HOSTS there, and see what fails" },
	{ 1047, "this node of the cluster has lost the others: mend their connection, or name another node in the option file" },
	{ 2002, "nothing listens there: start the server, or mend socket=, or host= and port=, in the option file" },
	{ 2003, "nothing listens there: start the server, or mend host= and port= in the option file" },
	{ 2005, "there is no machine of that name: mend host= in the option file" },
	{ 2013, "something listens there and does not answer in time: see what the server does, and whether host= and port= are its" },
	{ 2026, "no encrypted connection could be made: mend the ssl- lines of the option file" },
};

const char *check_advice(const char *error_text, const char *otherwise)
{
	unsigned long error = strtoul(error_text, NULL, 10);

	for (size_t i = 0; i < sizeof advices / sizeof *advices; i++)
		if (advices[i].error == error)
			return advices[i].advice;
	return otherwise;
}

/* Whether it takes writes: a copy that only reads prepares every statement, and answers every other question. */
void check_writes(struct check *k)
{
	if (db_run(k->db, SQL_WRITE_PROBE, 0, NULL, 0, NULL, NULL, NULL) == OC_OK)
		check_ok("writes", "are taken");
	else
		check_fail(k, "writes", "are refused (%s), so no order can be placed or changed; where that is a copy, name the server that it copies in the option file;"
			" else SET GLOBAL read_only = 0, or mend what it says", db_error_text(k->db));
}

struct server { uint64_t flush, log_bin, sync_binlog, connections, of_user; };

static enum outcome take_server(void *ctx, const struct db_val *v)
{
	*(struct server *)ctx = (struct server){ db_get_uint(&v[0]), db_get_uint(&v[1]), db_get_uint(&v[2]), db_get_uint(&v[3]), db_get_uint(&v[4]) };
	return OC_OK;
}

/* What one may have chosen, knowing its price. */
static void check_commits(const struct server *s)
{
	if (s->flush != 1)
		check_warn("commits", "innodb_flush_log_at_trx_commit is %" PRIu64 ", so a crash of the %s takes the last second's orders with it, which customers were told"
			" are placed (in a cluster: of all its machines at once); set it to 1 in [mysqld]", s->flush, s->flush == 0 ? "database" : "machine");
	else if (s->log_bin && s->sync_binlog != 1)
		check_warn("commits", "sync_binlog is %" PRIu64 ", so a crash of the machine takes with it what the binary log did not have on disk: orders that customers"
			" were told are placed; set it to 1 in [mysqld]", s->sync_binlog);
	else
		check_ok("commits", "are on disk before they are answered");
}

static void check_connections(struct check *k, const struct server *s)
{
	bool is_of_user = s->of_user && s->of_user < s->connections;
	uint64_t limit = is_of_user ? s->of_user : s->connections, needed = k->workers + k->relays;

	if (needed > limit)
		check_fail(k, "connections", "the server gives %s %" PRIu64 ", and the %" PRIu64 " workers and %" PRIu64 " relays of this machine need one each: who gets none"
			" answers 503; raise %s, or run fewer workers", is_of_user ? "this user" : "all together", limit, k->workers, k->relays,
			is_of_user ? "max_user_connections of that account" : "max_connections in [mysqld]");
	else
		check_ok("connections", "%" PRIu64 " at most; this machine needs %" PRIu64, limit, needed);
}

void check_server(struct check *k)
{
	struct server s = { 0 };

	if (db_run(k->db, SQL_SERVER_SETTINGS, 0, NULL, 0, take_server, &s, NULL) != OC_OK) {
		check_fail(k, "commits", "the server's settings can't be read (%s)", db_error_text(k->db));
		return;
	}
	check_commits(&s);
	check_connections(k, &s);
}
