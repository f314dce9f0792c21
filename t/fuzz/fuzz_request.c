/* fuzz_request.c - a whole request as a worker takes it, with a database that is away: lines "NAME=value" as the web server passes them, an empty line,
 * the body. The first byte says who asks: 'c' a customer, 's' a shopkeeper, each with a good token; else whoever the lines say.
 * Owns: what must hold of every answer. Built with libFuzzer (README). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "app.h"
#include "http_reply.h"
#include "jwt.h"
#include "log.h"

#define LINES_MAX 64

static void must(bool holds)
{
	if (!holds)
		abort();
}

static const char *private_file(const char *text)
{
	static char paths[4][64];
	static unsigned n;
	int fd = memfd_create("private", 0);

	must(fd >= 0 && n < 4 && fchmod(fd, 0600) == 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	snprintf(paths[n], sizeof(paths[n]), "/proc/self/fd/%d", fd);
	return paths[n++];
}

static void set(struct conf_store *store, const char *name, const char *value)
{
	char why[512];

	must(conf_set(store, str_from(name), str_from(value), why, sizeof(why)));
}

/* Made at the first input and kept: libFuzzer has no end to free it at. */
static struct app *worker(void)
{
	static struct app app;
	char why[512] = "";

	if (!app.arena) {
		struct conf_store *store = conf_new();

		set(store, "PICKUP_DB_OPTION_FILE", private_file("[pickup]\nsocket=/tmp/no/such/socket\n"));
		set(store, "PICKUP_TOKEN_KEY_FILE", private_file("a key for fuzzing that guards nothing at all"));
		set(store, "PICKUP_LOG_LEVEL", "error");
		set(store, "PICKUP_REGISTRATION", "off");	/* it would hash passwords, slowly */
		must(app_init(&app, store, METRICS_VISITOR, why, sizeof(why)));
		app.is_schema_checked = true;
	}
	return &app;
}

struct wire { const char *body; size_t left; char answer[16384]; size_t len; };

static int give(void *ctx, char *buf, int n)
{
	struct wire *w = ctx;
	size_t part = (size_t)n < w->left ? (size_t)n : w->left;

	memcpy(buf, w->body, part);
	w->body += part;
	w->left -= part;
	return (int)part;
}

static bool take(void *ctx, const struct iovec *parts, int n, bool is_end)
{
	struct wire *w = ctx;

	must(is_end && w->len == 0);
	for (int i = 0; i < n; i++) {
		must(parts[i].iov_len < sizeof(w->answer) - w->len);
		memcpy(w->answer + w->len, parts[i].iov_base, parts[i].iov_len);
		w->len += parts[i].iov_len;
	}
	return true;
}

/* Lines become params until an empty one; the settings are not a stranger's to send. Gives where the body starts. */
static char *split(char *text, char *end, char *params[], size_t *n)
{
	while (text < end) {
		char *stop = memchr(text, '\n', (size_t)(end - text)), *line = text;

		if (!stop)
			stop = end;
		*stop = '\0';
		text = stop < end ? stop + 1 : end;
		if (stop == line)
			break;
		if (strncmp(line, "PICKUP_", 7) != 0 && *n < LINES_MAX)
			params[(*n)++] = line;
	}
	return text;
}

static char *good_token(struct app *app, struct arena *a, enum role role)
{
	instant now = app->clock.now(&app->clock);
	struct claims claims = { { 1 }, role, now + 3600 * INSTANT_SECOND, now };
	struct str token;

	must(jwt_issue(a, app->keys, app->conf, &claims, &token) == OC_OK);
	return arena_printf(a, "HTTP_AUTHORIZATION=Bearer %.*s", STR_FMT(token));
}

/* The header's lines are clean, and its length is the body's. */
static void check_answer(const char *s, size_t len, int *status)
{
	const char *end = memmem(s, len, "\r\n\r\n", 4), *length;

	must(end && sscanf(s, "Status: %d ", status) == 1);
	for (const char *p = s; p < end; p++)
		must((*p >= ' ' && *p <= '~') || (p[0] == '\r' && p[1] == '\n') || (p[0] == '\n' && p[-1] == '\r'));
	if (*status != 204) {
		size_t body = len - (size_t)(end + 4 - s);

		length = memmem(s, (size_t)(end - s), "\r\nContent-Length: ", 18);
		must(length && (body == 0 || strtoull(length + 18, NULL, 10) == body));
	}
	must((*status == 405) == (memmem(s, (size_t)(end - s), "\r\nAllow: ", 9) != NULL));
	must((*status == 503) == (memmem(s, (size_t)(end - s), "\r\nRetry-After: ", 15) != NULL));
}

/* Nothing is found, stored or broken without a database. */
static bool is_possible(int status)
{
	static const int all[] = { 200, 204, 400, 401, 403, 404, 405, 413, 415, 422, 503 };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i] == status)
			return true;
	return false;
}

static void check_etags(struct str list)
{
	static const char etag[] = "\"15-3\"";

	if (etag_listed(list, etag))
		must(str_is(str_trim(list), "*") || memmem(list.s, list.len, etag, sizeof(etag) - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct app *app = worker();
	struct arena *a = arena_new();
	char *text = arena_alloc(a, size + 1), *params[LINES_MAX + 3], *body;
	struct wire w = { 0 };
	size_t n = 0;
	int status = 0;

	if (size) {
		memcpy(text, data + 1, size - 1);
		body = split(text, text + size - 1, params, &n);
		w.body = body;
		w.left = (size_t)(text + size - 1 - body);
		/* the last one of a name counts */
		params[n++] = arena_printf(a, "CONTENT_LENGTH=%zu", w.left);
		if (*data == 'c' || *data == 's')
			params[n++] = good_token(app, a, *data == 'c' ? ROLE_CUSTOMER : ROLE_SHOPKEEPER);
	}
	params[n] = NULL;
	must(app_answer(app, &(struct http_io){ params, give, take, &w }));
	check_answer(w.answer, w.len, &status);
	must(is_possible(status));
	if (size)
		check_etags((struct str){ (const char *)data, size });
	arena_free(a);
	return 0;
}
