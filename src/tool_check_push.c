/* tool_check_push.c - `pickup check`: the relay, what waits for it, the push instances.
 * Owns: these points. Does not own: publishing (relay*.c). Used by: tool_check.c. */
#include "tool_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "db_outbox.h"
#include "push_status.h"

#define BACKLOG_COUNTED 10000
#define BACKLOG_SECONDS 10	/* beyond a change of relays; in quiet times a notification waits for milliseconds */

/* relay */

void check_relay(struct check *k)
{
	struct lease l;

	if (db_lease_get(k->db, k->arena, &l) != OC_OK)
		check_fail(k, "relay", "its lease can't be read (%s)", db_error_text(k->db));
	else if (!l.holder.s)
		check_fail(k, "relay", "table relay_lease has lost its row; INSERT INTO relay_lease VALUES (1, '', '2000-01-01', 0, '')");
	else if (!l.is_held)
		check_fail(k, "relay", "none is at work (last: %.*s), so shops hear of no order; start `pickup relay%s%s`", STR_FMT(l.holder.len ? l.holder : STR("never one")),
			k->params ? " --params " : "", k->params ? k->params : "");
	else if (l.state.len)
		check_fail(k, "relay", "%.*s says: %.*s", STR_FMT(l.holder), STR_FMT(l.state));
	else
		check_ok("relay", "%.*s is at work", STR_FMT(l.holder));
}

static int64_t waited(const struct check *k, instant since)
{
	return since != INSTANT_NONE && since < k->now ? (k->now - since) / INSTANT_SECOND : 0;
}

static int64_t backlog_seconds(const struct check *k)
{
	return 2 * k->conf->relay_lease_s + BACKLOG_SECONDS;
}

void check_outbox(struct check *k)
{
	uint64_t n;
	instant oldest;
	enum outcome oc = db_outbox_waiting(k->db, BACKLOG_COUNTED, &n, &oldest);
	int64_t seconds = waited(k, oldest);

	if (oc != OC_OK)
		check_fail(k, "outbox", "can't be read (%s)", db_error_text(k->db));
	else if (seconds > backlog_seconds(k))
		check_fail(k, "outbox", "%s%" PRIu64 " notifications wait, the oldest for %" PRId64 " s; see that the relay runs and what it logs",
			n == BACKLOG_COUNTED ? "at least " : "", n, seconds);
	else
		check_ok("outbox", "%" PRIu64 " notifications wait", n);
}

void check_refusals(struct check *k)
{
	uint64_t n;

	if (db_refusal_count(k->db, &n) != OC_OK)
		check_fail(k, "refusals", "can't be read (%s)", db_error_text(k->db));
	else if (n)
		check_fail(k, "refusals", "%" PRIu64 " notifications were refused by a push instance and put aside; table push_refusals says which and with"
			" what status: mend that instance's configuration, then delete the rows (their events are in table events, and both are"
			" forgotten after PICKUP_EVENTS_DAYS)", n);
	else
		check_ok("refusals", "none");
}

/* push instances */

/* The first word of the setting from *p on; moves *p behind it. */
static struct str next_url(const char **p)
{
	*p += strspn(*p, " ");
	struct str url = { *p, strcspn(*p, " ") };
	*p += url.len;
	return url;
}

/* Who reaches that socket publishes to everybody. */
static void check_access(struct check *k, struct str url)
{
	if (url.len < 6 || memcmp(url.s, "unix:", 5) != 0)
		return;
	const char *path = arena_memdup(k->arena, url.s + 5, url.len - 5);
	if (check_is_open_to_all(path))
		check_fail(k, "push", "%s: everybody on this machine may connect, and whoever does can tell shops and customers what they like;"
			" close its directory: chmod o= %.*s", path, (int)(strrchr(path, '/') - path), path);
}

static void check_one_push(struct check *k, struct str url)
{
	struct push_status s;
	push_status_get(url, k->conf->push_timeout_ms, &s);

	if (s.status == 200 && !s.has[PUSH_PUBLISHED])
		check_fail(k, "push", "%.*s/status answers, but not as nchan does, so that is some other server: its subscribers hear nothing. Name the publishers' listener of"
			" push.conf in PICKUP_PUSH_URLS", STR_FMT(url));
	else if (s.status == 200)
		check_ok("push", "%.*s answers", STR_FMT(url));
	else if (s.status)
		check_fail(k, "push", "%.*s/status answers %d, not 200; is it the publishers' listener of push.conf?", STR_FMT(url), s.status);
	else
		check_fail(k, "push", "%.*s: %s; its subscribers hear nothing, and messages wait. See that the push nginx runs (nginx -c …/push.conf), and that our"
			" user may reach it: the directory's group", STR_FMT(url), s.why);
	check_access(k, url);
}

void check_push(struct check *k)
{
	const char *p = k->conf->push_urls;
	struct str url = next_url(&p);

	if (!url.len)
		check_fail(k, "push", "no instance, so that nobody is told of orders; set PICKUP_PUSH_URLS");
	for (; url.len; url = next_url(&p))
		check_one_push(k, url);
}

/* Beyond the outbox: what has its number and did not get there. */
void check_backlog(struct check *k)
{
	unsigned before = k->faults;
	uint64_t most = 0;
	const char *p = k->conf->push_urls;

	for (struct str url; (url = next_url(&p)).len; ) {
		uint64_t n;
		instant oldest;
		enum outcome oc = db_cursor_lag(k->db, url, &n, &oldest);
		if (oc == OC_NOT_FOUND)
			continue;	/* new: the relay enters it when it starts */
		if (oc != OC_OK) {
			check_fail(k, "push backlog", "can't be read (%s)", db_error_text(k->db));
			return;
		}
		if (waited(k, oldest) > backlog_seconds(k))
			check_fail(k, "push backlog", "%.*s has yet to get %" PRIu64 " notifications, the oldest since %" PRId64 " s; see that this instance runs, and what"
				" the relay logs of it", STR_FMT(url), n, waited(k, oldest));
		most = n > most ? n : most;
	}
	if (k->faults == before)
		check_ok("push backlog", "%" PRIu64 " notifications at most", most);
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

void check_relay_socket(struct check *k)
{
	const char *path = k->conf->relay_socket;
	int error;

	if (!*path) {
		check_ok("relay socket", "none is set; the relay looks every %" PRId64 " ms", k->conf->relay_poll_ms);
		return;
	}
	error = connect_relay(path);
	if (error == 0)
		check_ok("relay socket", "%s", path);
	else
		check_fail(k, "relay socket", "%s: %s; %s", path, strerror(error), error == EACCES ? "let our user write to it"
			: "see that `pickup relay` runs on this machine with the same settings");
}
