/* worker.c - `pickup serve`: a FastCGI worker, or one plain CGI request.
 * Owns: the accept loop, signals. Does not own: what a request does (app.c); being started again (a supervisor's). */
#include "modes.h"

#include <errno.h>
#include <fcntl.h>
#include <fcgiapp.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "clock.h"
#include "deadline.h"
#include "fcgi_in.h"
#include "fcgi_out.h"
#include "log.h"
#include "migrate.h"
#include "tool.h"

extern char **environ;

/* Set by the handler, read by the loop; and what the loop waits on, the one thing that a signal may touch. */
static volatile sig_atomic_t is_ending, waits_on = -1;

/* Whatever system call it interrupts goes on (SA_RESTART), but for the wait for connections, and that fails as well where it begins after the
 * signal: there is no moment at which it would be lost. The request in hand may get the descriptor's number for something else, hence "once". */
static void end_accepting(int sig)
{
	int error = errno;
	(void)sig;
	if (!is_ending) {
		is_ending = 1;
		close(waits_on);
	}
	errno = error;
}

/* Of one request only, which is answered. */
static void go_on(int sig)
{
	(void)sig;
}

static const int ends[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };

static void all_ends(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		sigaddset(set, ends[i]);
}

static void catch_signals(bool is_cgi)
{
	struct sigaction end = { .sa_handler = is_cgi ? go_on : end_accepting, .sa_flags = SA_RESTART }, ignore = { .sa_handler = SIG_IGN };
	all_ends(&end.sa_mask);		/* one at a time */
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		sigaction(ends[i], &end, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

#define SECOND INT64_C(1000000)
/* A web server begins at once. Who does not may have gone, and shall not keep a worker: nor does one that wanted its connection kept, or that
 * we need nothing more of. */
#define SILENCE (2 * SECOND)
/* Who begins a request and does not end it shall not keep a worker either: it then reads as the end of what was sent. */
#define REQUEST (5 * SECOND)

/* The connection in hand. */
struct client {
	struct fcgi_in in;
	struct deadline deadline;
	_Atomic int64_t until;		/* the latest moment at which anything is read of it */
	bool is_whole;			/* the request was read to its end */
	bool in_pieces;			/* so is its answer written */
};

static int64_t stop_reading(void *ctx, int64_t now)
{
	struct client *c = ctx;
	if (c->in.has_begun && now < c->until)
		return c->until;
	shutdown(c->in.fd, SHUT_RD);
	return 0;
}

static int fcgi_read(void *ctx, char *buf, int n)
{
	struct client *c = ctx;
	return fcgi_in_read(&c->in, buf, n);
}

static void read_on(struct client *c, int64_t until)
{
	c->until = until;
	deadline_set(&c->deadline, until);
}

/* Reads what is left of a request, as a rule but the mark of its end; a body that nobody wanted only where all is told. True: this was
 * the end. */
static bool read_rest(struct client *c, bool all)
{
	char rest[4096];
	read_on(c, clock_mono() + SILENCE);
	int n = fcgi_in_read(&c->in, rest, sizeof rest);
	while (n > 0 && all && clock_mono() < c->until)
		n = fcgi_in_read(&c->in, rest, sizeof rest);
	return n == 0;
}

/* Of an answer in pieces, each may wait so long for a web server that takes nothing: it stores them, so that only one whose room has run out, for
 * a client that does not read, keeps a worker waiting. */
#define PIECE_S 30

/* Nothing more is read of the client while its answer is made, so no deadline for that holds. */
static void begin_pieces(struct client *c)
{
	deadline_clear(&c->deadline);
	setsockopt(c->in.fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){ .tv_sec = PIECE_S }, sizeof(struct timeval));
	c->in_pieces = true;
}

/* Whoever keeps the connection may send all of a body before reading anything, so that is read before. */
static bool fcgi_write(void *ctx, const struct iovec *parts, int n, bool is_end)
{
	struct client *c = ctx;
	if ((c->in.is_kept || !is_end) && !c->is_whole)
		c->is_whole = read_rest(c, true);
	if (!is_end && !c->in_pieces)
		begin_pieces(c);
	return fcgi_out_write(c->in.fd, c->in.request_id, parts, n, is_end);
}

/* A socket that is closed with something unread may take the answer with it. Whoever waits for the connection's end while it still sends
 * learns of it at once. */
static void linger(struct client *c)
{
	char rest[4096];
	read_on(c, clock_mono() + SILENCE);
	shutdown(c->in.fd, SHUT_WR);
	while (clock_mono() < c->until && read(c->in.fd, rest, sizeof rest) > 0)
		continue;
}

/* True: the connection may bring another request. */
static bool answer_request(struct app *app, struct client *c)
{
	struct http_io io = { c->in.params, fcgi_read, fcgi_write, c };
	c->is_whole = c->in_pieces = false;
	bool is_written = app_answer(app, &io);
	if (!c->in.is_kept)
		c->is_whole = read_rest(c, false);
	if (!c->is_whole)
		linger(c);
	return is_written && c->is_whole && c->in.is_kept;
}

static bool serve_request(struct app *app, struct client *c)
{
	int64_t now = clock_mono();
	c->until = now + REQUEST;
	deadline_set(&c->deadline, now + SILENCE);
	bool may_go_on = fcgi_in_next(&c->in) && answer_request(app, c);
	deadline_clear(&c->deadline);
	return may_go_on;
}

/* Whether a kept connection brings another request. Told to end, nobody waits for that: here signals get through while it waits, and then only. */
static bool is_speaking(const struct client *c)
{
	if (fcgi_in_has_more(&c->in))
		return !is_ending;
	int64_t until = clock_mono() + SILENCE, left = SILENCE;
	struct pollfd p = { .fd = c->in.fd, .events = POLLIN };
	sigset_t held, before;
	int n = 0;
	all_ends(&held);
	sigprocmask(SIG_BLOCK, &held, &before);
	for (; !is_ending && left > 0; left = until - clock_mono()) {
		n = ppoll(&p, 1, &(struct timespec){ .tv_sec = left / SECOND, .tv_nsec = left % SECOND * 1000 }, &before);
		if (n >= 0 || errno != EINTR)
			break;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return n > 0;
}

static void serve_connection(struct app *app, struct client *c, int fd)
{
	fcgi_in_connect(&c->in, fd);
	while (serve_request(app, c) && is_speaking(c))
		continue;
	close(fd);
	fcgi_in_connect(&c->in, -1);
}

/* The client was gone before it was accepted. */
static bool is_of_client(int error)
{
	return error == ECONNABORTED || error == ECONNRESET || error == EPROTO || error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH ||
		error == ENETDOWN || error == EHOSTDOWN || error == ENONET || error == ENOPROTOOPT || error == EOPNOTSUPP || error == EPERM;
}

/* A connection for which a worker was woken that was killed before it took it is nobody's, and nobody else is woken. */
#define LOOK_AROUND_MS 500

/* Of idle workers the one that has waited on the socket for longest in all is woken for a connection, so a quiet hour is one worker's, with
 * its memory and that of its database connection warm; blocking in accept() would wake them in turn. Whoever shares the socket may make it block
 * all the same: systemd does, each time it starts one more worker. Then accept() waits no longer than a look around, or a signal that came before
 * it would be heard with the next connection only. False: errno tells why. */
static bool wait_on_listener(void)
{
	struct timeval longest = { .tv_usec = LOOK_AROUND_MS * 1000 };
	struct epoll_event e = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	int flags = fcntl(STDIN_FILENO, F_GETFL), fd = epoll_create1(EPOLL_CLOEXEC);
	bool is_set = flags >= 0 && fd >= 0 && fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == 0 &&
		setsockopt(STDIN_FILENO, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest) == 0 && epoll_ctl(fd, EPOLL_CTL_ADD, STDIN_FILENO, &e) == 0;
	waits_on = fd;
	return is_set;
}

/* A connection, whoever was quicker than others; below 0: none, and errno tells why. One for which this worker was woken as a signal came is
 * taken. */
static int next_connection(void)
{
	struct epoll_event e;
	if (epoll_wait(waits_on, &e, 1, LOOK_AROUND_MS) < 0)
		return -1;
	return accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);
}

static int serve_fastcgi(struct app *app)
{
	int domain = AF_UNIX, on = 1, listens = 0;
	getsockopt(STDIN_FILENO, SOL_SOCKET, SO_DOMAIN, &domain, &(socklen_t){ sizeof domain });
	if (!is_ending && (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listens, &(socklen_t){ sizeof listens }) != 0 || !listens))
		return tool_fail(EX_OSERR, "serve", "standard input is no socket that is listened on");
	if (!is_ending && !wait_on_listener())
		return tool_fail(EX_OSERR, "serve", "can't wait for connections: %s", strerror(errno));
	struct client client;
	fcgi_in_init(&client.in);
	deadline_init(&client.deadline, SIGRTMIN + 1, stop_reading, &client);
	while (!is_ending) {
		int fd = next_connection();
		if (fd >= 0) {
			if (domain != AF_UNIX) {
				setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
				/* It comes with the listener's. */
				setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ 0 }, sizeof(struct timeval));
			}
			serve_connection(app, &client, fd);
		} else if (!is_ending && errno != EINTR && errno != EAGAIN && !is_of_client(errno)) {
			log_error("accept: %s", strerror(errno));
			break;
		} else if (!is_ending) {
			app_idle(app);
		}
	}
	deadline_free(&client.deadline);
	fcgi_in_free(&client.in);
	return is_ending ? 0 : EX_OSERR;
}

static int cgi_read(void *ctx, char *buf, int n)
{
	(void)ctx;
	ssize_t got;
	do
		got = read(STDIN_FILENO, buf, (size_t)n);
	while (got < 0 && errno == EINTR);
	return (int)got;
}

/* A piece that never gets its successor ends with us, and our status is all that tells. */
static bool cgi_write(void *ctx, const struct iovec *parts, int n, bool is_end)
{
	(void)ctx;
	(void)is_end;
	for (int i = 0; i < n; i++) {
		const char *s = parts[i].iov_base;
		for (size_t left = parts[i].iov_len; left > 0; ) {
			ssize_t done = write(STDOUT_FILENO, s, left);
			if (done < 0 && errno == EINTR)
				continue;
			if (done < 0)
				return false;
			s += done;
			left -= (size_t)done;
		}
	}
	return true;
}

static int serve_cgi(struct app *app)
{
	struct http_io io = { environ, cgi_read, cgi_write, NULL };
	return app_answer(app, &io) ? 0 : EX_IOERR;
}

/* Refuses to start on an older schema; a database that is away is waited for, request by request. */
static int check_schema(struct app *app)
{
	enum outcome oc = migrate_check_schema(app->db);
	app->is_schema_checked = oc == OC_OK;
	if (oc == OC_OK)
		return 0;
	if (oc == OC_DOWN) {
		log_warn("the database is away; serving 503 until it is there");
		return 0;
	}
	return tool_fail(EX_CONFIG, "serve", "the database's tables are older than this program: run `pickup migrate` with the same --params first");
}

static const char help[] =
	"usage: pickup serve [--params FILE] [--clock-file FILE]\n"
	"Answers FastCGI requests on the listening socket that is its standard input (spawn-fcgi, systemd), until SIGTERM.\n"
	"Where standard input is no socket it answers the one CGI request that the environment describes, and ends.\n"
	"  --params FILE      settings to start with (nginx/pickup.params); requests carry the live ones\n"
	"  --clock-file FILE  for tests: FILE holds the seconds by which the clock is moved, or @ and those since 1970 at which it stands\n";

static int parse_options(int argc, char **argv, const char **params, const char **clock_file)
{
	static const struct option options[] = {
		{ "params", required_argument, NULL, 'p' }, { "clock-file", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
	};
	static char name[] = "pickup serve";
	argv[0] = name;		/* for getopt's messages */
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1; ) {
		switch (c) {
		case 'p': *params = optarg; break;
		case 'c': *clock_file = optarg; break;
		case 'h': fputs(help, stdout); return -1;
		default: return EX_USAGE;
		}
	}
	return optind == argc ? 0 : tool_fail(EX_USAGE, "serve", "unexpected argument: %s", argv[optind]);
}

static int serve(struct conf_store *settings, const char *clock_file, bool is_cgi)
{
	struct app app;
	char why[512];
	if (!app_init(&app, settings, METRICS_WORKER, why, sizeof why)) {
		app_clear(&app);
		return tool_fail(EX_CONFIG, "serve", "%s", why);
	}
	if (clock_file)
		app.clock = clock_shifted(clock_file);
	catch_signals(is_cgi);
	int status = is_cgi ? 0 : check_schema(&app);
	if (status == 0)
		status = is_cgi ? serve_cgi(&app) : serve_fastcgi(&app);
	app_clear(&app);
	return status;
}

/* Managers start a worker again at once: without a pause one that may not start would take all cores and fill the log. */
#define REFUSAL_PAUSE_S 1

int mode_serve(int argc, char **argv)
{
	const char *params = NULL, *clock_file = NULL;
	int status = parse_options(argc, argv, &params, &clock_file);
	if (status)
		return status < 0 ? 0 : status;
	/* The library installs handlers of its own: one for SIGPIPE, and, where there is none yet, one that loses a SIGTERM that comes before ours. */
	catch_signals(false);
	bool is_cgi = FCGX_IsCGI();
	struct conf_store *settings = tool_service_settings("serve", params);
	status = settings ? serve(settings, clock_file, is_cgi) : EX_CONFIG;
	if ((status == EX_CONFIG || status == EX_OSERR) && !is_cgi)
		sleep(REFUSAL_PAUSE_S);
	return status;
}
