/* main.c - the program: `pickup MODE …`.
 * Owns: the table of modes. Does not own: what a mode does or its options (modes.h).
 * PACKAGE_VERSION comes from configure. */
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "modes.h"

struct mode { const char *name; int (*run)(int argc, char **argv); const char *help; };

static const struct mode modes[] = {
	{ "serve", mode_serve, "answer requests: a FastCGI worker, or one plain CGI request" },
	{ "relay", mode_relay, "publish notifications to the push instances" },
	{ "migrate", mode_migrate, "bring the database's tables up to date" },
	{ "restored", mode_restored, "once after a backup was restored" },
	{ "check", mode_check, "check settings, keys, database, relay and push instances" },
	{ "conf", mode_conf, "print the settings in force" },
	{ "user", mode_user, "create, list, change users" },
	{ "shop", mode_shop, "create, list, change shops" },
	{ "product", mode_product, "create, list, change products" },
	{ "token", mode_token, "make a token for a user" },
	{ "request", mode_request, "answer one request from the shell" },
	{ "routes", mode_routes, "print the table of routes" },
	{ "openapi", mode_openapi, "print the description of the API" },
};
#define MODES (sizeof modes / sizeof *modes)

static void print_help(FILE *to)
{
	fputs("usage: pickup MODE [OPTION…]\n\n", to);
	for (size_t i = 0; i < MODES; i++)
		fprintf(to, "  %-9s %s\n", modes[i].name, modes[i].help);
	fputs("\n`pickup MODE --help` tells the options of a mode; `pickup --version` the version.\n", to);
}

static int ended(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	perror("pickup: can't write to standard output");
	return EX_IOERR;
}

/* Run by a web server as plain CGI, which gives no arguments, or gives a client's: a query without "=" becomes arguments
 * (RFC 3875 section 4.4). These must never choose a mode. */
static bool is_bare_cgi(int argc)
{
	const char *query = getenv("QUERY_STRING");

	return getenv("GATEWAY_INTERFACE") && (argc < 2 || (query && *query && !strchr(query, '=')));
}

/* glibc raises both limits with each larger piece that is given back, and then keeps up to twice that piece: one long answer would
 * stay with its worker for ever. Set once, they stand. Below: what a common request needs, which is not fetched anew each time. */
#define KEPT_BYTES (384 << 10)

static void give_memory_back(void)
{
#ifdef M_TRIM_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
#endif
}

/* FastCGI lets a manager start us with standard output and error closed. The next file or connection would get their numbers, and lines of the
 * log would go into it: the database's, or the counters'. */
static bool fill_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && close(fd) == 0;
}

int main(int argc, char **argv)
{
	static char *serve[] = { "serve", NULL };

	if (!fill_standard_files())
		return EX_OSERR;
	give_memory_back();
	if (is_bare_cgi(argc))
		return mode_serve(1, serve);
	if (argc < 2) {
		print_help(stderr);
		return EX_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return ended();
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("pickup " PACKAGE_VERSION);
		return ended();
	}
	for (size_t i = 0; i < MODES; i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run(argc - 1, argv + 1);
	fprintf(stderr, "pickup: \"%s\": there is no such mode; see pickup --help\n", argv[1]);
	return EX_USAGE;
}
