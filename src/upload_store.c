/* upload_store.c - see upload_store.h. */
#include "upload_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define TMP "tmp"
/* Readable by a web server of the same group, which sends them. */
#define FILE_MODE 0640
#define DIR_MODE 0750

/* "3f/3f….jpg" or "tmp/3f….jpg": the longer one. */
struct path { char s[sizeof TMP + UPLOAD_NAME_SIZE]; };

static struct path path_of(const struct upload_name *name)
{
	struct path p;
	snprintf(p.s, sizeof p.s, "%.2s/%s", name->s, name->s);
	return p;
}

static struct path tmp_of(const struct upload_name *name)
{
	struct path p;
	snprintf(p.s, sizeof p.s, TMP "/%s", name->s);
	return p;
}

static void tell(const char *what)
{
	log_error("uploads: %s: %s", what, strerror(errno));
}

bool upload_dir_ok(const char *dir, char *why, size_t n)
{
	struct stat st;
	if (!*dir)
		snprintf(why, n, "PICKUP_UPLOAD_DIR is not set");
	else if (stat(dir, &st) != 0)
		snprintf(why, n, "%s: %s", dir, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		snprintf(why, n, "%s: not a directory", dir);
	else if (st.st_mode & S_IRWXO)
		snprintf(why, n, "%s: others may use it; chmod o= it", dir);
	else if (access(dir, R_OK | W_OK | X_OK) != 0)
		snprintf(why, n, "%s: %s for our user, who must be able to read and write", dir, strerror(errno));
	else
		return true;
	return false;
}

static int open_dir(const char *dir)
{
	return open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static struct upload_name random_name(enum image_kind kind)
{
	uint8_t random[UPLOAD_RANDOM_BYTES];
	if (sodium_init() < 0)
		log_die("libsodium can't start");
	randombytes_buf(random, sizeof random);
	return upload_name_make(random, kind);
}

/* A new file in tmp, which is made where it is not there yet. */
static int create(int dir, const struct path *path)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(dir, path->s, flags, FILE_MODE);
	if (fd < 0 && errno == ENOENT && (mkdirat(dir, TMP, 0700) == 0 || errno == EEXIST))
		fd = openat(dir, path->s, flags, FILE_MODE);
	return fd;
}

enum outcome upload_file_open(struct upload_file *f, const char *dir)
{
	struct upload_name name = random_name(IMAGE_JPEG);
	struct path path = tmp_of(&name);
	*f = (struct upload_file){ .dir = open_dir(dir), .raw = -1 };
	f->raw = f->dir < 0 ? -1 : create(f->dir, &path);
	if (f->raw >= 0 && unlinkat(f->dir, path.s, 0) == 0)
		return OC_OK;
	tell(*dir ? dir : "PICKUP_UPLOAD_DIR is not set");
	upload_file_close(f);
	return OC_DOWN;
}

void upload_file_close(struct upload_file *f)
{
	if (f->raw >= 0)
		close(f->raw);
	if (f->dir >= 0)
		close(f->dir);
	*f = (struct upload_file){ .dir = -1, .raw = -1 };
}

bool upload_file_add(void *upload_file, const char *s, size_t n)
{
	struct upload_file *f = upload_file;
	for (size_t done = 0; done < n; ) {
		ssize_t some = write(f->raw, s + done, n - done);
		if (some < 0 && errno == EINTR)
			continue;
		if (some < 0) {
			tell("what a customer sends can't be written");
			return false;
		}
		done += (size_t)some;
	}
	f->size += n;
	return true;
}

/* ---- keeping ---- */

struct target { FILE *file; uint64_t bytes; };

static bool put(void *ctx, const void *s, size_t len)
{
	struct target *t = ctx;
	t->bytes += len;
	return fwrite(s, 1, len, t->file) == len;
}

/* The cleaned picture into the new file fd, which is closed, and on disk where it is good. */
static enum image_verdict write_cleaned(int fd, struct str raw, struct image *im, uint64_t *bytes)
{
	struct target t = { .file = fdopen(fd, "w") };
	const struct image_out out = { put, &t };
	if (!t.file) {
		close(fd);
		return IMAGE_UNWRITTEN;
	}
	enum image_verdict v = image_clean((const uint8_t *)raw.s, raw.len, &out, im);
	if (v == IMAGE_GOOD && (fflush(t.file) != 0 || fsync(fileno(t.file)) != 0))
		v = IMAGE_UNWRITTEN;
	int error = errno;
	if (fclose(t.file) != 0 && v == IMAGE_GOOD) {
		error = errno;
		v = IMAGE_UNWRITTEN;
	}
	errno = error;
	*bytes = t.bytes;
	return v;
}

static bool sync_dir(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* From tmp to where it stays, also through a power cut. */
static bool move_in(int dir, const struct path *from, const struct upload_name *name)
{
	const char sub[] = { name->s[0], name->s[1], '\0' };
	struct path to = path_of(name);
	if (mkdirat(dir, sub, DIR_MODE) == 0) {
		if (!sync_dir(dir, "."))
			return false;
	} else if (errno != EEXIST) {
		return false;
	}
	if (renameat(dir, from->s, dir, to.s) != 0)
		return false;
	if (sync_dir(dir, sub))
		return true;
	int error = errno;
	unlinkat(dir, to.s, 0);
	errno = error;
	return false;
}

static enum image_verdict keep(struct upload_file *f, struct str raw, struct upload_name *name, uint64_t *bytes)
{
	struct image im = { .kind = IMAGE_JPEG };
	struct upload_name passing = random_name(im.kind);
	struct path path = tmp_of(&passing);
	int fd = create(f->dir, &path);
	if (fd < 0)
		return IMAGE_UNWRITTEN;
	enum image_verdict v = write_cleaned(fd, raw, &im, bytes);
	*name = random_name(im.kind);
	if (v == IMAGE_GOOD && move_in(f->dir, &path, name))
		return v;
	int error = errno;
	unlinkat(f->dir, path.s, 0);
	errno = error;
	return v == IMAGE_GOOD ? IMAGE_UNWRITTEN : v;
}

static enum outcome map(int fd, struct str *out)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return OC_DOWN;
	*out = STR("");
	if (st.st_size == 0)
		return OC_OK;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return OC_DOWN;
	*out = (struct str){ p, (size_t)st.st_size };
	return OC_OK;
}

void upload_unmap(void *str)
{
	struct str *s = str;
	if (s->len)
		munmap((void *)(uintptr_t)s->s, s->len);
	*s = STR("");
}

enum image_verdict upload_file_keep(struct upload_file *f, struct upload_name *name, uint64_t *bytes)
{
	struct str raw;
	enum image_verdict v = map(f->raw, &raw) == OC_OK ? IMAGE_GOOD : IMAGE_UNWRITTEN;
	if (v == IMAGE_GOOD) {
		v = keep(f, raw, name, bytes);
		int error = errno;
		upload_unmap(&raw);
		errno = error;
	}
	if (v == IMAGE_UNWRITTEN)
		tell("a photo can't be kept");
	return v;
}

/* ---- what is there ---- */

enum outcome upload_map(const char *dir, const struct upload_name *name, struct str *out)
{
	struct path path = path_of(name);
	int at = open_dir(dir), fd = at < 0 ? -1 : openat(at, path.s, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	enum outcome oc = fd < 0 ? OC_NOT_FOUND : map(fd, out);
	if (at < 0 || oc == OC_DOWN) {
		tell(dir);
		oc = OC_DOWN;
	}
	if (fd >= 0)
		close(fd);
	if (at >= 0)
		close(at);
	return oc;
}

bool upload_remove(const char *dir, const struct upload_name *name)
{
	struct path path = path_of(name);
	int at = open_dir(dir);
	bool is_gone = at >= 0 && (unlinkat(at, path.s, 0) == 0 || errno == ENOENT);
	if (!is_gone)
		tell("a photo can't be removed");
	if (at >= 0)
		close(at);
	return is_gone;
}

static bool is_older(int dir, const char *name, time_t than)
{
	struct stat st;
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_mtime < than;
}

/* The directory name below dir, or NULL: it is not there, or can't be read, which is told. */
static DIR *open_sub(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d && errno != ENOENT)
		tell(name);
	if (!d && fd >= 0)
		close(fd);
	return d;
}

/* Puts name among the first ones, which are sorted; the last one gives way where there are max. */
static size_t put_sorted(struct upload_name *first, size_t n, size_t max, const struct upload_name *name)
{
	size_t at = n;
	while (at > 0 && strcmp(name->s, first[at - 1].s) < 0)
		at--;
	if (at == max)
		return n;
	size_t moved = n < max ? n - at : max - 1 - at;
	memmove(first + at + 1, first + at, moved * sizeof *first);
	first[at] = *name;
	return n < max ? n + 1 : max;
}

/* Those of one directory. */
static size_t list_sub(DIR *d, const char *after, time_t before, struct upload_name *out, size_t max)
{
	size_t n = 0;
	for (struct dirent *e; (e = readdir(d)); ) {
		struct upload_name name;
		enum image_kind kind;
		if (upload_name_parse(str_from(e->d_name), &name, &kind) && strcmp(name.s, after) > 0 && is_older(dirfd(d), e->d_name, before))
			n = put_sorted(out, n, max, &name);
	}
	return n;
}

size_t upload_list(const char *dir, char after[UPLOAD_NAME_SIZE], time_t before, struct upload_name *out, size_t max)
{
	int at = open_dir(dir);
	size_t n = 0;
	if (at < 0)
		tell(dir);
	char name[] = { after[0], after[0] ? after[1] : '\0', '\0' };
	for (unsigned long sub = strtoul(name, NULL, 16); at >= 0 && n == 0 && sub < 256; sub++) {
		name[0] = "0123456789abcdef"[sub / 16];
		name[1] = "0123456789abcdef"[sub % 16];
		DIR *d = open_sub(at, name);
		if (d)
			n = list_sub(d, after, before, out, max);
		if (d)
			closedir(d);
	}
	if (at >= 0)
		close(at);
	if (n)
		memcpy(after, out[n - 1].s, UPLOAD_NAME_SIZE);
	return n;
}

size_t upload_sweep(const char *dir, time_t before, size_t max)
{
	int at = open_dir(dir);
	DIR *d = at < 0 ? NULL : open_sub(at, TMP);
	size_t n = 0;
	for (struct dirent *e; d && n < max && (e = readdir(d)); )
		if (is_older(dirfd(d), e->d_name, before) && unlinkat(dirfd(d), e->d_name, 0) == 0)
			n++;
	if (d)
		closedir(d);
	if (at >= 0)
		close(at);
	return n;
}
