/* relay.c - `pickup relay`: the only publisher. Its loop, its lease, its settings.
 * Owns: struct relay, when what is done, who may publish. Does not own: numbers, lanes, closing channels, pruning (relay_*.c).
 * Used by: main.c. */
#include "relay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "migrate.h"
#include "modes.h"
#include "tool.h"

#define MODE "relay"
#define SECOND_US INT64_C(1000000)
/* The most that two batches are, whatever they were set to when the relay died: one that was numbered, and one that was to be deleted with it. */
#define SWEEP_ROWS (2 * RELAY_BATCH_MAX)
#define ONCE_TRIES 5
/* When what was numbered is deleted, where no next message comes. */
#define TIDY_US INT64_C(20000)
#define STATE_MAX 500		/* relay_lease.state */
#define HOLDER_MAX 255		/* relay_lease.holder */

/* What only the loop needs. */
struct loop {
	struct relay relay;
	const char *params_file;	/* or NULL */
	struct stat params_taken, params_seen;	/* as it was when its values were taken; when it was last looked at */
	char holder[HOLDER_MAX + 1];
	int signals;
	bool is_once, is_schema_checked, is_standby_told;
	int status;			/* -1: go on; else the exit status */
	int64_t give_up_at;		/* --once: another relay holds the lease */
	bool is_drained;		/* --once: the outbox was seen empty */
};

/* ---- for all of relay*.c ---- */

bool relay_may_publish(const struct relay *r)
{
	return r->is_active && clock_mono() < r->held_until;
}

/* ---- lease ---- */

static void stand_down(struct loop *l, const char *why)
{
	struct relay *r = &l->relay;
	if (r->is_active)
		log_warn("%s: publishing stops here", why);
	r->is_active = false;
	relay_lanes_halt(r);
	relay_close_forget(r);
	seq_cache_forget(r->seqs);
}

/* Says once who is at work, instead of us. */
static void tell_standby(struct loop *l)
{
	struct arena *a = l->relay.arena;
	struct lease lease;
	if (l->is_standby_told)
		return;
	arena_reset(a);
	if (db_lease_get(l->relay.db, a, &lease) == OC_OK)
		log_info("another relay publishes (%.*s); standing by", STR_FMT(lease.holder));
	l->is_standby_told = true;
}

static enum outcome take_lease(struct loop *l, uint64_t seconds)
{
	struct relay *r = &l->relay;
	arena_reset(r->arena);
	struct buf state = BUF_IN(r->arena);
	relay_lanes_state(r, &state);
	size_t len = state.len < STATE_MAX ? state.len : STATE_MAX;
	/* Paths may be of any bytes, and what the table does not take would keep us from the lease. */
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)state.s[i] >= 0x80)
			state.s[i] = '?';
	return db_lease_take(r->db, str_from(l->holder), seconds, len ? (struct str){ state.s, len } : STR(""));
}

/* Counted from before the question, and less a quarter for what the clocks and a paused process may cost. */
static void lease_got(struct loop *l, int64_t asked)
{
	struct relay *r = &l->relay;
	int64_t lease = r->conf->relay_lease_s * SECOND_US;
	if (!r->is_active || asked >= r->held_until) {
		/* Others may have worked in between, so nothing that we remember holds. */
		relay_lanes_halt(r);
		relay_close_forget(r);
		r->in_doubt = true;
		log_info("publishing, as %s", l->holder);
	}
	uint64_t last;
	/* Somebody numbered beside us: where the database's clock jumped, two thought that they held the lease. */
	if (!r->in_doubt && db_pub_last(r->db, &last) == OC_OK && last != r->head)
		r->in_doubt = true;
	r->is_active = true;
	r->held_until = asked + lease - lease / 4;
	r->lease_at = asked + lease / 3;
	l->is_standby_told = false;
}

static void lease_step(struct loop *l)
{
	struct relay *r = &l->relay;
	int64_t asked = clock_mono();
	enum outcome oc = take_lease(l, (uint64_t)r->conf->relay_lease_s);
	if (oc == OC_CONFLICT) {
		stand_down(l, "another relay has taken over");
		tell_standby(l);
		r->lease_at = asked + r->conf->relay_lease_s * SECOND_US / 6;
	} else if (relay_db_ok(r, oc)) {
		lease_got(l, asked);
	}
}

/* ---- doubt ---- */

/* Old tables are a mistake of the installation that no waiting mends. */
static bool has_tables(struct loop *l)
{
	if (l->is_schema_checked)
		return true;
	enum outcome oc = migrate_check_schema(l->relay.db);
	l->is_schema_checked = relay_db_ok(&l->relay, oc);
	if (oc == OC_CONFLICT)
		l->status = EX_CONFIG;
	return l->is_schema_checked;
}

/* What a crash or a lost answer left half done is ended, though what was sent on a lost connection may commit even now. So the number
 * is read first: a late INSERT takes the next one, and ours meets it as a conflict. Read last, it would count rows that stand in the
 * outbox still. Where something was swept the number may have moved. */
static enum outcome find_head(struct relay *r, uint64_t *head)
{
	uint64_t swept = 0;
	enum outcome oc;
	do {
		oc = db_pub_last(r->db, head);
		if (oc == OC_OK)
			oc = db_outbox_sweep(r->db, SWEEP_ROWS, &swept);
	} while (oc == OC_OK && swept);
	return oc;
}

/* Finds out where the numbers stand. */
static enum outcome settle_doubt(struct relay *r)
{
	uint64_t head = 0;
	unsigned connection = db_connections(r->db);
	seq_cache_forget(r->seqs);
	relay_done_forget(r);
	enum outcome oc = find_head(r, &head);
	if (oc == OC_OK)
		oc = db_refusal_count(r->db, &r->put_aside);
	if (oc != OC_OK)
		return oc;
	r->head = head;
	if (r->window->next != head + 1)
		window_reset(r->window, head + 1);
	oc = relay_lanes_start(r);
	/* All of it on one connection, or again. */
	r->connection = db_connections(r->db);
	r->in_doubt = oc != OC_OK || r->connection != connection;
	return oc;
}

/* ---- settings ---- */

static void report_fault(void *ctx, const char *file, unsigned line, const char *why)
{
	(void)ctx;
	log_warn("%s:%u: %s", file, line, why);
}

static bool is_as_seen(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
		a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The file differs from what was taken, and nobody has written to it since the last look. */
static bool has_new_params(struct loop *l)
{
	struct stat now;
	if (!l->params_file || stat(l->params_file, &now) < 0 || is_as_seen(&now, &l->params_taken))
		return false;
	bool is_settled = is_as_seen(&now, &l->params_seen);
	l->params_seen = now;
	if (is_settled)
		l->params_taken = now;
	return is_settled;
}

/* What the database's connection was made of may be among the new values. */
static void reload_settings(struct loop *l)
{
	struct relay *r = &l->relay;
	r->params_at = clock_mono() + SECOND_US;
	metrics_keep(r->metrics, r->conf->metrics_file, clock_mono());
	if (!has_new_params(l))
		return;
	char *option_file = strdup(r->conf->db_option_file);
	enum outcome oc = conf_load(l->relay.settings, l->params_file, report_fault, NULL);
	log_set_level((enum log_level)r->conf->log_level);
	log_info("%s was read again%s", l->params_file, oc == OC_OK ? "" : "; faults in it are ignored");
	if (!option_file || strcmp(option_file, r->conf->db_option_file)) {
		db_disconnect(r->db);
		r->in_doubt = true;
	}
	free(option_file);
	/* The pause that has begun may be a longer one than is wanted now. */
	r->poll_at = 0;
	relay_lanes_configure(r);
}

/* ---- the loop ---- */

/* A step costs the database the same for one message as for ten: where more than one was found, the next ones are waited for a little. */
static bool is_gathering(const struct relay *r)
{
	return clock_mono() < r->gather_at;
}

static int64_t wake_at(const struct loop *l)
{
	const struct relay *r = &l->relay;
	int64_t db = INT64_MAX, at = r->params_at;
	if (!relay_may_publish(r))
		db = r->lease_at;
	else if (r->in_doubt)
		db = 0;
	else if (r->has_more || is_gathering(r))
		db = r->gather_at < r->lease_at ? r->gather_at : r->lease_at;
	else
		db = r->poll_at < r->lease_at ? r->poll_at : r->lease_at;
	if (relay_may_publish(r) && relay_chores_due(r) < db)
		db = relay_chores_due(r);
	if (db < r->db_at)
		db = r->db_at;
	if (db < at)
		at = db;
	if (relay_may_publish(r) && relay_lanes_due(r) < at)
		at = relay_lanes_due(r);
	if (relay_may_publish(r) && relay_close_due(r) < at)
		at = relay_close_due(r);
	return at;
}

/* Waits; true where a poke came. */
static bool wait_for_work(struct loop *l)
{
	struct relay *r = &l->relay;
	/* While they are gathered nobody need wake us for one more. */
	struct pollfd fds[] = {
		{ .fd = l->signals, .events = POLLIN },
		{ .fd = r->pokes && !is_gathering(r) ? poke_fd(r->pokes) : -1, .events = POLLIN },
	};
	struct signalfd_siginfo info;
	push_pool_wait(r->pool, fds, 2, wake_at(l) - clock_mono());
	if (fds[0].revents && read(l->signals, &info, sizeof info) > 0) {
		log_info("signal %u: ending", info.ssi_signo);
		l->status = EX_OK;
	}
	return (fds[1].fd < 0 || fds[1].revents) && poke_drain(r->pokes);
}

static void number_step(struct loop *l)
{
	struct relay *r = &l->relay;
	int64_t begun = clock_mono();
	enum outcome oc = relay_step(r);
	int64_t ended = clock_mono();
	r->poll_at = begun + r->conf->relay_poll_ms * 1000;
	if (r->done_n && r->poll_at > ended + TIDY_US)
		r->poll_at = ended + TIDY_US;
	r->gather_at = oc == OC_OK && !r->has_more && r->numbered > 1 ? begun + relay_gather_us(r, ended - begun) : 0;
	if (oc == OC_CONFLICT) {
		log_warn("numbers were taken already, or the lease ran out; looking again");
		r->lease_at = 0;
	}
	l->is_drained = relay_db_ok(r, oc) && !r->in_doubt && !r->has_more;
}

/* With the lease: from the most to the least urgent. */
static void work(struct loop *l, bool is_poked)
{
	struct relay *r = &l->relay;
	/* A poke comes once, the database perhaps not yet. */
	r->has_more |= is_poked;
	if (r->in_doubt && relay_db_ready(r) && relay_db_ok(r, settle_doubt(r)))
		r->has_more = true;
	if (!r->in_doubt && relay_db_ready(r) && !is_gathering(r) && (r->has_more || clock_mono() >= r->poll_at))
		number_step(l);
	relay_lanes_turn(r, true);
	/* No message was what they meant. */
	if (is_poked && !r->numbered)
		relay_close_poked(r);
	relay_close_turn(r);
	if (relay_may_publish(r) && !r->in_doubt)
		relay_chores(r);
}

/* --once ends where all is published, or where waiting would be needed. */
static void end_if_done(struct loop *l)
{
	struct relay *r = &l->relay;
	if (!l->is_once || l->status >= 0)
		return;
	if (r->is_db_away)
		l->status = tool_fail(EX_UNAVAILABLE, MODE, "the database is away");
	else if (!r->is_active && clock_mono() >= l->give_up_at)
		l->status = tool_fail(EX_UNAVAILABLE, MODE, "another relay is at work");
	else if (relay_may_publish(r) && relay_lanes_failing(r, ONCE_TRIES))
		l->status = tool_fail(EX_UNAVAILABLE, MODE, "not everything could be published; it is kept");
	else if (relay_may_publish(r) && l->is_drained && relay_lanes_done(r) && relay_close_done(r))
		l->status = EX_OK;
}

/* is_late: should have been renewed a while ago. */
static bool is_lease_due(const struct relay *r, bool is_late)
{
	if (!r->is_active || !relay_db_ready(r))
		return false;
	return clock_mono() >= r->lease_at + (is_late ? r->conf->relay_lease_s * SECOND_US / 6 : 0);
}

static void turn(struct loop *l)
{
	struct relay *r = &l->relay;
	bool is_poked = wait_for_work(l);
	if (l->status >= 0)
		return;
	if (clock_mono() >= r->lease_at && !relay_may_publish(r) && relay_db_ready(r) && has_tables(l))
		lease_step(l);
	/* What is renewed in time stands behind the messages; where these leave no time for it, before them. */
	if (is_lease_due(r, true))
		lease_step(l);
	if (relay_may_publish(r))
		work(l, is_poked);
	else
		push_pool_work(r->pool);
	if (is_lease_due(r, false))
		lease_step(l);
	if (clock_mono() >= r->params_at)
		reload_settings(l);
	end_if_done(l);
}

/* What was begun is ended, and a standby may take over at once. */
static void finish(struct loop *l)
{
	struct relay *r = &l->relay;
	if (relay_may_publish(r)) {
		relay_lanes_finish(r, clock_mono() + r->conf->push_timeout_ms * 1000);
		uint64_t swept;
		if ((r->in_doubt || r->done_n) && relay_db_ready(r))
			(void)relay_db_ok(r, db_outbox_sweep(r->db, SWEEP_ROWS, &swept));
	}
	if (!r->is_active)
		return;
	if (take_lease(l, 0) == OC_OK)
		log_info("gave up the lease");
	else
		log_warn("the lease could not be given up; it runs out");
}

/* ---- start and end ---- */

/* Signals are read from a descriptor, so that they end a wait and nothing else. */
static int catch_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int open_pokes(struct loop *l)
{
	struct relay *r = &l->relay;
	char why[512];
	if (!*r->conf->relay_socket) {
		log_warn("PICKUP_RELAY_SOCKET is not set: nobody can wake the relay, it polls");
		return 0;
	}
	enum outcome oc = poke_listen(r->conf->relay_socket, &r->pokes, why, sizeof why);
	return oc == OC_OK ? 0 : tool_fail(EX_CANTCREAT, MODE, "%s", why);
}

static int start(struct loop *l)
{
	struct relay *r = &l->relay;
	char why[512];
	if (l->params_file && stat(l->params_file, &l->params_taken) < 0)
		return tool_fail(EX_CONFIG, MODE, "%s: %s", l->params_file, strerror(errno));
	r->settings = tool_service_settings(MODE, l->params_file);
	if (!r->settings)
		return tool_fail(EX_CONFIG, MODE, "the settings can't be read");
	r->conf = conf_get(r->settings);
	log_set_level((enum log_level)r->conf->log_level);
	if (!db_option_file_ok(r->conf->db_option_file, why, sizeof why))
		return tool_fail(EX_CONFIG, MODE, "%s", why);
	l->signals = catch_signals();
	if (l->signals < 0)
		return tool_fail(EX_OSERR, MODE, "signals: %s", strerror(errno));
	int status = open_pokes(l);
	if (status)
		return status;
	relay_name_holder(r, l->holder, sizeof l->holder);
	r->clock = clock_system();
	r->db = db_new(r->conf);
	r->metrics = metrics_new(METRICS_RELAY, 0);
	metrics_keep(r->metrics, r->conf->metrics_file, clock_mono());
	r->pool = push_pool_new();
	r->arena = arena_new();
	r->zones = zone_cache_new(r->conf->zoneinfo);
	r->seqs = seq_cache_new();
	r->window = window_new();
	r->closes = closes_new();
	r->random = (unsigned)clock_mono() ^ (unsigned)getpid();
	l->give_up_at = clock_mono() + (r->conf->relay_lease_s + 1) * SECOND_US;
	relay_lanes_configure(r);
	return 0;
}

static void clear(struct loop *l)
{
	struct relay *r = &l->relay;
	relay_lanes_free(r);
	push_pool_free(r->pool);
	metrics_free(r->metrics);
	db_free(r->db);
	window_free(r->window);
	closes_free(r->closes);
	seq_cache_free(r->seqs);
	arena_free(r->arena);
	zone_cache_free(r->zones);
	poke_listener_free(r->pokes);
	if (l->signals >= 0)
		close(l->signals);
	conf_free(r->settings);
}

static int take_options(struct loop *l, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--once"))
			l->is_once = true;
		else if (!strcmp(argv[i], "--params") && i + 1 < argc)
			l->params_file = argv[++i];
		else if (!strcmp(argv[i], "--help")) {
			puts("usage: pickup relay [--params FILE] [--once]\n\n"
				"Numbers the notifications that wait in the outbox and publishes them.\n"
				"  --params FILE  settings, in the form of nginx/pickup.params; read again when it changes\n"
				"  --once         publishes what there is, then ends");
			return EX_OK;
		} else
			return tool_fail(EX_USAGE, MODE, "\"%s\" is not understood; see pickup relay --help", argv[i]);
	}
	return -1;
}

int mode_relay(int argc, char **argv)
{
	struct loop l = { .signals = -1 };
	int status = take_options(&l, argc, argv);
	if (status >= 0)
		return status;
	status = start(&l);
	for (l.status = -1; status == 0 && l.status < 0; )
		turn(&l);
	if (status == 0) {
		finish(&l);
		status = l.status;
	}
	clear(&l);
	return status;
}
