/* tool_request.c - `pickup request`: one request from the shell, answered by the very code that serves; `pickup routes`, `pickup openapi`.
 * Owns: turning arguments into CGI variables. Does not own: what the request does (app.c), what the description says (api/). */
#include "modes.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "app.h"
#include "openapi.h"
#include "route.h"
#include "tool.h"

#define PARAMS_MAX 64

struct shell_request {
	struct arena *arena;
	char *params[PARAMS_MAX + 1];
	size_t param_count;
	struct str body;
	size_t body_read;
	char status_class;	/* '2' of "Status: 201" */
	int write_error;	/* of standard output; 0: none */
};

static int read_body(void *ctx, char *buf, int n)
{
	struct shell_request *s = ctx;
	size_t left = s->body.len - s->body_read;
	size_t take = left < (size_t)n ? left : (size_t)n;
	memcpy(buf, s->body.s + s->body_read, take);
	s->body_read += take;
	return (int)take;
}

static bool write_answer(void *ctx, const struct iovec *parts, int n, bool is_end)
{
	struct shell_request *s = ctx;
	static const char prefix[] = "Status: ";
	const char *head = n ? parts[0].iov_base : "";
	if (!s->status_class && n && parts[0].iov_len > sizeof prefix && strncmp(head, prefix, sizeof prefix - 1) == 0)
		s->status_class = head[sizeof prefix - 1];
	for (int i = 0; i < n && !s->write_error; i++)
		if (fwrite(parts[i].iov_base, 1, parts[i].iov_len, stdout) != parts[i].iov_len)
			s->write_error = errno;
	if (!s->write_error && ((is_end && putchar('\n') == EOF) || fflush(stdout)))
		s->write_error = errno;
	return !s->write_error;
}

static bool add_param(struct shell_request *s, const char *name, const char *value)
{
	if (s->param_count == PARAMS_MAX)
		return false;
	s->params[s->param_count++] = arena_printf(s->arena, "%s=%s", name, value);
	return true;
}

/* "If-Match: x" becomes HTTP_IF_MATCH=x (RFC 3875 section 4.1.18). */
static bool add_header(struct shell_request *s, const char *header)
{
	const char *colon = strchr(header, ':');
	if (!colon || colon == header)
		return false;
	char *name = arena_printf(s->arena, "HTTP_%.*s", (int)(colon - header), header);
	for (char *c = name; *c; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	const char *value = colon + 1 + strspn(colon + 1, " \t");
	if (strcmp(name, "HTTP_CONTENT_TYPE") == 0)
		name += strlen("HTTP_");
	return add_param(s, name, value);
}

static bool read_whole(struct arena *a, FILE *in, struct str *out)
{
	char piece[4096];
	struct buf b = BUF_IN(a);
	for (size_t n; (n = fread(piece, 1, sizeof piece, in)) > 0; )
		buf_add(&b, piece, n);
	*out = buf_str(&b);
	return !ferror(in);
}

static bool take_body(struct shell_request *s, const char *text)
{
	s->body = str_from(text);
	if (strcmp(text, "-") == 0 && !read_whole(s->arena, stdin, &s->body))
		return false;
	return add_param(s, "CONTENT_TYPE", "application/json")
		&& add_param(s, "CONTENT_LENGTH", arena_printf(s->arena, "%zu", s->body.len));
}

static const char help[] =
	"usage: pickup request [--params FILE] [--token TOKEN] [--header 'Name: value'] [--body JSON|-] METHOD PATH[?QUERY]\n"
	"Answers one request in this process and prints the answer, head and body. --body - reads standard input.\n"
	"Exit status 0 where the answer is 2xx or 304, else 1.\n";

static int parse_options(int argc, char **argv, struct shell_request *s, const char **params)
{
	static const struct option options[] = {
		{ "params", required_argument, NULL, 'p' }, { "token", required_argument, NULL, 't' },
		{ "header", required_argument, NULL, 'H' }, { "body", required_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
	};
	static char name[] = "pickup request";
	bool is_good = true;
	argv[0] = name;		/* for getopt's messages */
	for (int c; is_good && (c = getopt_long(argc, argv, "", options, NULL)) != -1; ) {
		switch (c) {
		case 'p': *params = optarg; break;
		case 't': is_good = add_param(s, "HTTP_AUTHORIZATION", arena_printf(s->arena, "Bearer %s", optarg)); break;
		case 'H': is_good = add_header(s, optarg); break;
		case 'b': is_good = take_body(s, optarg); break;
		case 'h': fputs(help, stdout); return -1;
		default: return EX_USAGE;
		}
	}
	if (!is_good || argc - optind != 2)
		return tool_fail(EX_USAGE, "request", "METHOD and PATH are needed, and headers as 'Name: value'; see --help");
	const char *query = strchr(argv[optind + 1], '?');
	size_t path_len = query ? (size_t)(query - argv[optind + 1]) : strlen(argv[optind + 1]);
	add_param(s, "REQUEST_METHOD", argv[optind]);
	add_param(s, "PATH_INFO", arena_printf(s->arena, "%.*s", (int)path_len, argv[optind + 1]));
	add_param(s, "QUERY_STRING", query ? query + 1 : "");
	return 0;
}

static int answer(struct shell_request *s, const char *params)
{
	struct conf_store *settings = tool_settings("request", params);
	struct app app;
	char why[512];
	if (!settings)
		return EX_CONFIG;
	bool is_ready = app_init(&app, settings, METRICS_VISITOR, why, sizeof why);
	struct http_io io = { s->params, read_body, write_answer, s };
	bool is_written = is_ready && app_answer(&app, &io);
	app_clear(&app);
	if (!is_ready)
		return tool_fail(EX_CONFIG, "request", "%s", why);
	if (s->write_error)
		return tool_fail(EX_IOERR, "request", "standard output: %s", strerror(s->write_error));
	if (!is_written)
		return tool_fail(EX_UNAVAILABLE, "request", "the answer broke off");
	return s->status_class == '2' || s->status_class == '3' ? 0 : 1;
}

int mode_request(int argc, char **argv)
{
	struct shell_request s = { .arena = arena_new(), .body = STR("") };
	const char *params = NULL;
	int status = parse_options(argc, argv, &s, &params);
	if (status == 0)
		status = answer(&s, params);
	arena_free(s.arena);
	return status < 0 ? 0 : status;
}

int mode_routes(int argc, char **argv)
{
	static const char *const who[] = {
		[WHO_PUBLIC] = "public", [WHO_ANY] = "signed in", [WHO_CUSTOMER] = "customer",
		[WHO_SHOPKEEPER] = "shopkeeper", [WHO_SUBSCRIBER] = "subscriber",
		[WHO_ANY_HOT] = "signed in", [WHO_CUSTOMER_HOT] = "customer", [WHO_PEOPLE_HOT] = "the shop's people",
	};
	size_t n;
	const struct route *routes = route_table(&n);
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		puts("usage: pickup routes\nPrints every endpoint: method, path, who may, what it is for; tab-separated.");
		return 0;
	}
	if (argc > 1)
		return tool_fail(EX_USAGE, "routes", "unexpected argument: %s", argv[1]);
	for (size_t i = 0; i < n; i++)
		printf("%s\t%s\t%s\t%s\n", http_method_name(routes[i].method), routes[i].path, who[routes[i].who], routes[i].summary);
	return 0;
}

int mode_openapi(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		puts("usage: pickup openapi\nPrints the description of the API (OpenAPI 3.1, JSON) that GET /api/v1/openapi.json gives.");
		return 0;
	}
	if (argc > 1)
		return tool_fail(EX_USAGE, "openapi", "unexpected argument: %s", argv[1]);
	if (fwrite(openapi_text, 1, openapi_len, stdout) != openapi_len || fflush(stdout) != 0)
		return tool_fail(EX_IOERR, "openapi", "standard output: %s", strerror(errno));
	return 0;
}
