/* metrics.c - see metrics.h: a process and its slot.
 * Owns: making the file, taking a slot, counting. Does not own: the sums (metrics_sum.c). Used by: app.c, relay.c, ep_metrics.c, tool_check*.c. */
#include "metrics_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define SECOND_US INT64_C(1000000)
/* How often it is looked whether the file at the path is still this one; and whether there is one where there was none. */
#define LOOK_US (5 * SECOND_US)
#define RETRY_US SECOND_US
/* Whoever holds the head's lock does so for a few system calls, unless it was stopped amid them: nobody waits for that. */
#define LOCK_TRIES 20
#define LOCK_PAUSE_NS 1000000L
/* Between opening and locking it may have been replaced. */
#define OPEN_TRIES 5
#define FILE_MODE 0600

const int64_t metrics_bounds_us[METRICS_BUCKETS - 1] = { 1000, 2500, 5000, 10000, 25000, 100000, 500000, 2000000 };

struct metrics *metrics_new(enum metrics_role role, uint64_t meaning)
{
	struct metrics *m = calloc(1, sizeof *m);
	if (!m || !(m->unread = calloc(1, sizeof *m->unread)))
		log_die("no memory for counters");
	m->role = role;
	m->meaning = meaning;
	m->own = m->unread;
	m->fd = -1;
	m->may_replace = role == METRICS_WORKER;
	return m;
}

static void leave(struct metrics *m)
{
	if (m->file)
		munmap(m->file, sizeof *m->file);
	if (m->fd >= 0)
		close(m->fd);
	m->file = NULL;
	m->fd = -1;
	m->own = m->unread;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	leave(m);
	free(m->unread);
	free(m);
}

/* Of the description that was opened, not of the process: no other close() gives it up. */
bool metrics_lock(int fd, short type, size_t byte)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1 };
	return fcntl(fd, F_OFD_SETLK, &l) == 0;
}

static bool lock_head(int fd)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (metrics_lock(fd, F_WRLCK, METRICS_HEAD))
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NS }, NULL);
	}
	return false;
}

static bool is_at(const char *path, const struct stat *st)
{
	struct stat now;
	return stat(path, &now) == 0 && now.st_ino == st->st_ino && now.st_dev == st->st_dev;
}

/* Others may not have a say in what we map: a file that shrinks kills whoever reads it. */
static bool is_ours(const struct stat *st)
{
	return S_ISREG(st->st_mode) && (st->st_uid == geteuid() || geteuid() == 0) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static bool make(struct metrics *m)
{
	const struct metrics_head head = { METRICS_MAGIC, sizeof(struct metrics_file), m->meaning };
	/* The head first: whoever is killed in between leaves what can be told from other files. */
	return pwrite(m->fd, &head, sizeof head, 0) == (ssize_t)sizeof head && ftruncate(m->fd, sizeof(struct metrics_file)) == 0;
}

/* With the head's lock. An empty file was just made, by whomever. */
static enum outcome look_at_head(struct metrics *m, const struct stat *st)
{
	struct metrics_head head = { 0 };
	if (st->st_size == 0)
		return m->role == METRICS_WORKER && make(m) ? OC_OK : OC_NOT_FOUND;
	if (pread(m->fd, &head, sizeof head, 0) < (ssize_t)sizeof head.magic || METRICS_KIND(head.magic) != METRICS_KIND(METRICS_MAGIC))
		return OC_BAD;
	if (st->st_size != (off_t)sizeof(struct metrics_file) || head.magic != METRICS_MAGIC || head.size != sizeof(struct metrics_file))
		return OC_CONFLICT;
	/* The relay has nothing to do with rows. */
	return m->role == METRICS_RELAY || head.meaning == m->meaning ? OC_OK : OC_CONFLICT;
}

/* One try. OC_BUSY: again, the file was replaced meanwhile. */
static enum outcome open_once(struct metrics *m, const char *path)
{
	struct stat st;
	int create = m->role == METRICS_WORKER ? O_CREAT : 0;
	m->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | create, FILE_MODE);
	if (m->fd < 0)
		return OC_NOT_FOUND;
	if (!lock_head(m->fd) || fstat(m->fd, &st) != 0)
		return OC_DOWN;
	if (!is_at(path, &st))
		return OC_BUSY;
	if (!is_ours(&st)) {
		errno = EACCES;
		return OC_DOWN;
	}
	enum outcome oc = look_at_head(m, &st);
	if (oc == OC_CONFLICT && m->may_replace && unlink(path) == 0)
		return OC_BUSY;
	return oc;
}

/* Whoever had it before is gone, and what it counted stays. Room is asked for now: touching a page that a full disk can't give would be our end. */
static bool take_slot(struct metrics *m)
{
	for (size_t i = 0; i < METRICS_SLOTS; i++) {
		if (!metrics_lock(m->fd, F_WRLCK, METRICS_HEAD + 1 + i))
			continue;
		errno = posix_fallocate(m->fd, (off_t)(offsetof(struct metrics_file, slots) + i * sizeof *m->file->slots), sizeof *m->file->slots);
		if (errno)
			return false;
		m->slot = i;
		m->own = &m->file->slots[i];
		metrics_set(&m->own->in_hand, 0);
		metrics_set(&m->own->role, m->role);
		metrics_add(&m->own->starts[m->role], 1);
		if (i >= metrics_get(&m->file->used))
			metrics_set(&m->file->used, i + 1);
		return true;
	}
	return false;
}

static enum outcome attach(struct metrics *m, const char *path)
{
	enum outcome oc = OC_BUSY;
	for (int i = 0; i < OPEN_TRIES && oc == OC_BUSY; i++) {
		leave(m);
		oc = open_once(m, path);
	}
	if (oc != OC_OK)
		return oc;
	void *at = mmap(NULL, sizeof *m->file, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	m->file = at == MAP_FAILED ? NULL : at;
	bool has_slot = m->file && (m->role == METRICS_VISITOR || take_slot(m));
	metrics_lock(m->fd, F_UNLCK, METRICS_HEAD);
	m->may_replace = false;
	return has_slot ? OC_OK : OC_DOWN;
}

/* Said once for each path, and for a visitor by whoever asks. */
static void tell(struct metrics *m, const char *path, enum outcome oc)
{
	bool is_told = m->is_told;
	m->is_told = oc != OC_OK;
	if (oc == OC_OK || is_told || m->role == METRICS_VISITOR || (oc == OC_NOT_FOUND && m->role == METRICS_RELAY))
		return;
	if (oc == OC_CONFLICT)
		log_info("metrics: %s is another version's: not counted there", path);
	else if (oc == OC_BAD)
		log_warn("metrics: %s is no file of counters, and is left as it is; not counted", path);
	else
		log_warn("metrics: %s: %s; not counted", path, strerror(errno));
}

static bool is_still(const struct metrics *m, const char *path)
{
	struct stat st;
	return m->file && fstat(m->fd, &st) == 0 && is_at(path, &st);
}

static void look(struct metrics *m, const char *path)
{
	errno = 0;
	m->state = attach(m, path);
	if (m->state != OC_OK)
		leave(m);
	tell(m, path, m->state);
}

void metrics_keep(struct metrics *m, const char *path, int64_t now)
{
	if (path == m->path && now < m->look_at)
		return;
	if (path != m->path)
		m->is_told = false;
	bool is_same = path == m->path && is_still(m, path);
	m->path = path;
	if (!*path) {
		leave(m);
		m->state = OC_NOT_FOUND;
	} else if (!is_same) {
		look(m, path);
	}
	m->look_at = now + (m->file ? LOOK_US : RETRY_US);
}

struct metrics_slot *metrics_own(struct metrics *m)
{
	return m->own;
}

static unsigned bucket_of(int64_t us)
{
	unsigned i = 0;
	while (i < METRICS_BUCKETS - 1 && us > metrics_bounds_us[i])
		i++;
	return i;
}

void metrics_request(struct metrics *m, unsigned row, int status, int64_t us, int64_t db_us, uint64_t statements)
{
	struct metrics_row *r = &m->own->rows[row < METRICS_ROWS ? row : METRICS_ROWS - 1];
	unsigned class = status >= 200 && status < 500 ? (unsigned)status / 100 - 2 : METRICS_CLASSES - 1;
	metrics_add(&r->bucket[class][bucket_of(us)], 1);
	metrics_add(&r->us[class], (uint64_t)us);
	metrics_add(&r->db_us, (uint64_t)db_us);
	metrics_add(&r->statements, statements);
}
