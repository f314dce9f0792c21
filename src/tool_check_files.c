/* tool_check_files.c - `pickup check`: files and folders of this machine.
 * Owns: these points. Does not own: what keys and photos are (keyring.c, upload_store.c). Used by: tool_check.c. */
#include "tool_check.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "jwt.h"
#include "metrics.h"
#include "route.h"
#include "upload_store.h"

/* Some dozens of photos, and as many files. */
#define PHOTOS_MIN (256 << 20)
#define METRICS_MIN (4 << 20)
#define FILES_MIN 1000

/* Nothing is closed to root, so files are judged for the service only where its own user asks. The relay's socket tells who that is. */
void check_user(struct check *k)
{
	struct stat st;
	const char *socket = k->conf->relay_socket;
	const struct passwd *p;

	if (geteuid() == 0 && *socket && stat(socket, &st) == 0 && st.st_uid != 0 && (p = getpwuid(st.st_uid)))
		check_ok("user", "root, to whom no file is closed; for what the service's may use: sudo -u %s pickup check%s%s", p->pw_name,
			k->params ? " --params " : "", k->params ? k->params : "");
	else
		check_ok("user", "number %u; files are judged for it", (unsigned)geteuid());
}

void check_option_file(struct check *k)
{
	char why[512] = "";

	if (db_option_file_ok(k->conf->db_option_file, why, sizeof why))
		check_ok("option file", "%s", k->conf->db_option_file);
	else
		check_fail(k, "option file", "%s. Without it workers do not start; it has a line [pickup], then socket= or host=, user=, password= and database=", why);
}

void check_keys(struct check *k)
{
	char why[512] = "";
	struct keyring *keys = keyring_new(k->conf, why, sizeof why);

	if (keys)
		check_ok("keys", "tokens are verified%s; %s", keyring_can_issue(keys) ? " and issued" : ", not issued",
			keyring_can_ticket(keys) ? "tickets too" : "no tickets (PICKUP_TICKET_KEY_FILE is not set)");
	else
		check_fail(k, "keys", "%s. Without it workers do not start; %s", why, k->conf->token_alg == TOKEN_HS256 ?
			"a new secret: (umask 077; head -c 32 /dev/urandom | base64 >FILE), then let the workers' user own it" :
			"it is the issuer's public key (PEM)");
	keyring_free(keys);
}

/* The push nginx runs as the front one does; and we have its socket. */
static void check_web_server(struct check *k)
{
	char why[512];
	const char *url = k->conf->push_urls + strspn(k->conf->push_urls, " ");
	const char *dir = k->conf->upload_dir;

	if (!*k->conf->upload_accel || strncmp(url, "unix:", 5) != 0 ||
			check_nginx_reads(arena_memdup(k->arena, url + 5, strcspn(url, " ") - 5), dir, why, sizeof why))
		check_ok("uploads", "%s", dir);
	else
		check_fail(k, "uploads", "%s, so shops can't see the photos; install -d -m 2750 -g GROUP %s with a group of nginx's user, or set PICKUP_UPLOAD_ACCEL"
			" to \"\" and let the workers send them", why, dir);
}

void check_uploads(struct check *k)
{
	char why[512];

	if (!*k->conf->upload_dir)
		check_ok("uploads", "none are taken (PICKUP_UPLOAD_DIR is not set)");
	else if (!upload_dir_ok(k->conf->upload_dir, why, sizeof why))
		check_fail(k, "uploads", "%s; no photo can be stored until then. A new folder: install -d -m 2750 -o OUR-USER -g GROUP-OF-NGINX %s", why, k->conf->upload_dir);
	else
		check_web_server(k);
}

/* False: there is too little; it was told. */
static bool has_room(struct check *k, const char *dir, uint64_t bytes, const char *what)
{
	struct statvfs fs;
	if (statvfs(dir, &fs) != 0)
		return true;	/* others have told that */
	uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (free_bytes < bytes)
		check_fail(k, "disk", "%" PRIu64 " MiB are free in %s, below %" PRIu64 ": %s; free some", free_bytes >> 20, dir, bytes >> 20, what);
	else if (fs.f_files && fs.f_favail < FILES_MIN)
		check_fail(k, "disk", "%" PRIu64 " more files fit into %s: %s; remove some", (uint64_t)fs.f_favail, dir, what);
	else
		return true;
	return false;
}

static const char *folder_of(struct check *k, const char *file)
{
	const char *slash = strrchr(file, '/');
	return slash && slash > file ? arena_memdup(k->arena, file, (size_t)(slash - file)) : "/";
}

void check_disk(struct check *k)
{
	bool ok = true;

	if (*k->conf->upload_dir)
		ok &= has_room(k, k->conf->upload_dir, (uint64_t)PHOTOS_MIN, "photos will soon be refused");
	if (*k->conf->metrics_file)
		ok &= has_room(k, folder_of(k, k->conf->metrics_file), (uint64_t)METRICS_MIN, "workers that start can't count there");
	if (ok)
		check_ok("disk", "there is room; the database's own is not seen from here");
}

static void tell_of_metrics(struct check *k, enum outcome oc, const struct metrics_sum *sum)
{
	const char *file = k->conf->metrics_file, *dir = folder_of(k, file);

	if (oc == OC_OK)
		check_ok("metrics", "%s, %" PRIu64 " workers and %" PRIu64 " relays of this machine count there", file, sum->workers, sum->relays);
	else if (oc == OC_CONFLICT)
		check_fail(k, "metrics", "%s is another version's; start the workers of this one, and they replace it", file);
	else if (oc != OC_NOT_FOUND || access(file, F_OK) == 0)
		check_fail(k, "metrics", "%s can't be used, so nothing is counted: it must be a file of counters of our own user's, and nobody else's to write; rm it, and the"
			" workers make it anew within seconds, or name another one in PICKUP_METRICS_FILE", file);
	else if (access(dir, W_OK | X_OK) != 0)
		check_fail(k, "metrics", "%s: %s for our user, so nothing is counted; install -d -m 0750 -o OUR-USER %s", dir, strerror(errno), dir);
	else
		check_ok("metrics", "%s, which the first worker will make", file);
}

void check_metrics(struct check *k)
{
	if (!*k->conf->metrics_file) {
		check_ok("metrics", "none are kept (PICKUP_METRICS_FILE is not set)");
		return;
	}
	struct metrics *m = metrics_new(METRICS_VISITOR, route_meaning());
	struct metrics_sum *sum = arena_alloc(k->arena, sizeof *sum);
	metrics_keep(m, k->conf->metrics_file, 0);
	enum outcome oc = metrics_read(m, sum);
	tell_of_metrics(k, oc, sum);
	k->is_counted = oc == OC_OK;
	k->workers = sum->workers;
	k->busy = sum->busy;
	k->relays = sum->relays;
	metrics_free(m);
}

/* A machine that has no file never had a worker: one for the relay alone. */
void check_workers(struct check *k)
{
	if (k->workers)
		check_ok("workers", "%" PRIu64 " run on this machine, %" PRIu64 " have a request in hand", k->workers, k->busy);
	else if (k->is_counted)
		check_fail(k, "workers", "none runs any more on this machine, so nginx answers 502 or 503 for them; start their unit, or the spawn-fcgi that keeps them, and see"
			" what they logged as they ended. (Where the web server runs the program as plain CGI: PICKUP_METRICS_FILE \"\")");
	else
		check_ok("workers", "none is known of (see metrics)");
}
