/* worker.c - `pickup serve`: a FastCGI worker, or one plain CGI request.
 * Owns: the accept loop, signals. Does not own: what a request does (app.c); being started again (a supervisor's). */
#include "modes.h"

#include <errno.h>
#include <fcgiapp.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "log.h"
#include "migrate.h"
#include "tool.h"

extern char **environ;

/* Set by the handler, read by the loop: the one thing that a signal may touch. */
static volatile sig_atomic_t is_ending;

/* A signal that comes between the loop's look and its accept() would be lost, so the alarm repeats it. */
static void on_signal(int sig)
{
	(void)sig;
	is_ending = 1;
	alarm(1);
}

static const int ends[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGALRM };

static void catch_signals(void)
{
	struct sigaction end = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		sigaction(ends[i], &end, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

/* They wait from the moment on that a connection is ours until its answer is out: libfcgi takes a read or write that a signal
 * interrupts for the client's end. */
static void hold_signals(bool is_held)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		sigaddset(&set, ends[i]);
	sigprocmask(is_held ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static int fcgi_read(void *ctx, char *buf, int n)
{
	FCGX_Request *f = ctx;
	return FCGX_GetStr(buf, n, f->in);
}

static bool fcgi_write(void *ctx, const char *s, size_t n)
{
	FCGX_Request *f = ctx;
	return FCGX_PutStr(s, (int)n, f->out) == (int)n && FCGX_FFlush(f->out) == 0;
}

/* Where signals get through, so one may come just as accept() has given a connection: that is served all the same. It blocks, so that
 * of many workers one only wakes for each connection. Negative: errno says why. */
static int accept_one(void)
{
	hold_signals(false);
	int fd = is_ending ? -1 : accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);
	int error = is_ending ? EINTR : errno;
	hold_signals(true);
	errno = error;
	return fd;
}

/* A web server speaks at once. Who does not may have gone, and shall not keep a worker: nor does one that wanted its connection kept. */
#define SILENCE_MS 2000

static bool is_speaking(int fd, bool is_kept)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	if (is_kept)
		hold_signals(false);
	int n = poll(&p, 1, SILENCE_MS);
	if (is_kept)
		hold_signals(true);
	return n > 0 || (n < 0 && !is_kept);	/* some other signal is no silence */
}

/* Who begins a request and does not end it shall not keep a worker either: it then reads as the end of what was sent. */
#define REQUEST_S 5

static volatile sig_atomic_t client_fd = -1;

static void on_timer(int sig)
{
	int error = errno;
	(void)sig;
	if (client_fd >= 0)
		shutdown(client_fd, SHUT_RD);
	errno = error;
}

/* A timer of its own, whose handler restarts what it interrupts: libfcgi would take an interrupted write for the client's end. */
static timer_t make_timer(void)
{
	struct sigaction act = { .sa_handler = on_timer, .sa_flags = SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1 };
	timer_t timer;
	if (sigaction(event.sigev_signo, &act, NULL) != 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
		log_die("no timer: %s", strerror(errno));
	return timer;
}

static void set_timer(timer_t timer, int fd, time_t seconds)
{
	struct itimerspec at = { .it_value.tv_sec = seconds };
	client_fd = fd;
	timer_settime(timer, 0, &at, NULL);
}

/* libfcgi can't be told to hold signals between accepting and the end of the parameters, nor to let them through before. So it
 * gets the connection as one that was kept, and no socket to accept others on. */
static void serve_connection(struct app *app, int fd, timer_t timer)
{
	FCGX_Request f;
	if (FCGX_InitRequest(&f, -1, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		log_die("libfcgi makes no request");
	f.ipcFd = fd;
	f.keepConnection = 1;
	for (bool is_kept = false; f.ipcFd >= 0 && !(is_kept && is_ending) && is_speaking(f.ipcFd, is_kept); is_kept = true) {
		set_timer(timer, f.ipcFd, REQUEST_S);
		if (FCGX_Accept_r(&f) != 0)
			break;
		struct http_io io = { f.envp, fcgi_read, fcgi_write, &f };
		app_answer(app, &io);
		FCGX_Finish_r(&f);
	}
	set_timer(timer, -1, 0);
	/* Not by libfcgi, which would wait until the other side closes too. */
	if (f.ipcFd >= 0)
		close(f.ipcFd);
}

/* The client was gone before it was accepted. */
static bool is_of_client(int error)
{
	return error == ECONNABORTED || error == ECONNRESET || error == EPROTO || error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH ||
		error == ENETDOWN || error == EHOSTDOWN || error == ENONET || error == ENOPROTOOPT || error == EOPNOTSUPP || error == EPERM;
}

static int serve_fastcgi(struct app *app)
{
	int domain = AF_UNIX, on = 1;
	if (FCGX_Init() != 0 || getsockopt(STDIN_FILENO, SOL_SOCKET, SO_DOMAIN, &domain, &(socklen_t){ sizeof domain }) != 0)
		return tool_fail(EX_OSERR, "serve", "standard input is no socket that can be listened on");
	timer_t timer = make_timer();
	hold_signals(true);
	while (!is_ending) {
		int fd = accept_one();
		if (fd < 0 && (errno == EINTR || is_of_client(errno)))
			continue;
		if (fd < 0) {
			log_error("accept: %s", strerror(errno));
			break;
		}
		if (domain != AF_UNIX)
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		serve_connection(app, fd, timer);
	}
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

static bool cgi_write(void *ctx, const char *s, size_t n)
{
	(void)ctx;
	while (n > 0) {
		ssize_t done = write(STDOUT_FILENO, s, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		s += done;
		n -= (size_t)done;
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
	"  --clock-file FILE  for tests: FILE holds the seconds by which the clock is moved\n";

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
	if (!app_init(&app, settings, why, sizeof why)) {
		app_clear(&app);
		return tool_fail(EX_CONFIG, "serve", "%s", why);
	}
	if (clock_file)
		app.clock = clock_shifted(clock_file);
	catch_signals();
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
	bool is_cgi = FCGX_IsCGI();
	struct conf_store *settings = tool_service_settings("serve", params);
	status = settings ? serve(settings, clock_file, is_cgi) : EX_CONFIG;
	if (status == EX_CONFIG && !is_cgi)
		sleep(REFUSAL_PAUSE_S);
	return status;
}
