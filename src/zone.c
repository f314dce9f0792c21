/* zone.c - time zones from the host's TZif files (RFC 9636), and a few of them kept at hand.
 * Owns: struct zone, struct zone_cache. Does not own: printing (timefmt.c), the rules after a file's last transition (tzrule.c).
 * Used by: timefmt.c, and whoever owns a cache. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "timefmt.h"
#include "log.h"
#include "tzrule.h"

#define FILE_MAX 262144		/* the largest that the tz project ever made are a few KiB */
#define NAME_MAX_BYTES 255
#define HEADER_SIZE 44
#define TYPE_SIZE 6
#define TYPES_MAX 256
#define OFFSET_MIN (-25 * 3600)	/* both exclusive: RFC 9636 section 3.2 */
#define OFFSET_MAX (26 * 3600)

struct transition { int64_t at; int32_t offset; };	/* at: seconds since 1970 in UTC */

struct zone {
	int first_offset;		/* before the first transition */
	bool has_rule;			/* what follows the last transition */
	struct tz_rule rule;
	size_t n;
	struct transition transitions[];
};

/* The counts of a TZif header, and what is left of the file after it. */
struct tzif {
	const unsigned char *p;
	uint64_t left;
	char version;
	uint32_t isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt;
};

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t get_time(const unsigned char *p, size_t size)
{
	return size == 4 ? (int32_t)get32(p) : (int64_t)((uint64_t)get32(p) << 32 | get32(p + 4));
}

static void skip(struct tzif *f, uint64_t n)
{
	f->p += n;
	f->left -= n;
}

static bool read_header(struct tzif *f)
{
	if (f->left < HEADER_SIZE || memcmp(f->p, "TZif", 4) != 0)
		return false;
	f->version = (char)f->p[4];
	f->isutcnt = get32(f->p + 20);
	f->isstdcnt = get32(f->p + 24);
	f->leapcnt = get32(f->p + 28);
	f->timecnt = get32(f->p + 32);
	f->typecnt = get32(f->p + 36);
	f->charcnt = get32(f->p + 40);
	skip(f, HEADER_SIZE);
	return f->version == '\0' || (f->version >= '2' && f->version <= '4');
}

/* 64 bits hold any sum of these 32-bit counts. */
static uint64_t block_size(const struct tzif *f, size_t time_size)
{
	return (uint64_t)f->timecnt * (time_size + 1) + (uint64_t)f->typecnt * TYPE_SIZE + f->charcnt
		+ (uint64_t)f->leapcnt * (time_size + 4) + f->isstdcnt + f->isutcnt;
}

/* A file that counts leap seconds ("right/…") speaks of another time scale than an instant does. */
static bool counts_are_sane(const struct tzif *f, size_t time_size)
{
	return f->left >= block_size(f, time_size) && f->leapcnt == 0
		&& f->typecnt > 0 && f->typecnt <= TYPES_MAX && f->charcnt > 0
		&& (f->isutcnt == 0 || f->isutcnt == f->typecnt) && (f->isstdcnt == 0 || f->isstdcnt == f->typecnt);
}

static bool read_types(const struct tzif *f, size_t time_size, int32_t offsets[TYPES_MAX])
{
	const unsigned char *p = f->p + (size_t)f->timecnt * (time_size + 1);

	for (uint32_t i = 0; i < f->typecnt; i++, p += TYPE_SIZE) {
		offsets[i] = (int32_t)get32(p);
		if (offsets[i] <= OFFSET_MIN || offsets[i] >= OFFSET_MAX || p[4] > 1 || p[5] >= f->charcnt)
			return false;
	}
	return true;
}

static bool read_transitions(const struct tzif *f, size_t time_size, const int32_t *offsets, struct zone *z)
{
	const unsigned char *types = f->p + (size_t)f->timecnt * time_size;

	for (; z->n < f->timecnt; z->n++) {
		struct transition *t = &z->transitions[z->n];

		if (types[z->n] >= f->typecnt)
			return false;
		t->at = get_time(f->p + z->n * time_size, time_size);
		t->offset = offsets[types[z->n]];
		if (z->n > 0 && t->at <= t[-1].at)
			return false;
	}
	return true;
}

static bool read_footer(struct tzif *f, struct zone *z)
{
	const unsigned char *end;

	if (f->left < 2 || f->p[0] != '\n')
		return false;
	skip(f, 1);
	end = memchr(f->p, '\n', f->left);
	if (!end)
		return false;
	z->has_rule = end != f->p;
	return !z->has_rule || tz_rule_parse((struct str){ (const char *)f->p, (size_t)(end - f->p) }, &z->rule);
}

static struct zone *zone_alloc(size_t transitions)
{
	struct zone *z = calloc(1, sizeof(*z) + transitions * sizeof(z->transitions[0]));

	if (!z)
		log_die("out of memory: no time zone of %zu transitions", transitions);
	return z;
}

static struct zone *zone_parse(const unsigned char *data, size_t len)
{
	struct tzif f = { .p = data, .left = len };
	size_t time_size = 4;
	int32_t offsets[TYPES_MAX];
	struct zone *z;
	bool ok;

	if (!read_header(&f))
		return NULL;
	if (f.version) {
		/* The first block is for readers of version 1; the same again with 64-bit times follows. */
		time_size = 8;
		if (f.left < block_size(&f, 4))
			return NULL;
		skip(&f, block_size(&f, 4));
		if (!read_header(&f) || !f.version)
			return NULL;
	}
	if (!counts_are_sane(&f, time_size) || !read_types(&f, time_size, offsets))
		return NULL;
	z = zone_alloc(f.timecnt);
	z->first_offset = offsets[0];
	ok = read_transitions(&f, time_size, offsets, z);
	if (ok && f.version) {
		skip(&f, block_size(&f, time_size));
		ok = read_footer(&f, z);
	}
	if (!ok) {
		zone_free(z);
		return NULL;
	}
	return z;
}

static ssize_t read_all(int fd, unsigned char *data, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, data + len, size - len)) > 0)
		len += (size_t)n;
	return n < 0 ? -1 : (ssize_t)len;
}

/* Only regular files: a FIFO or device among the zones must not hold up the process. */
static struct zone *zone_read(int fd)
{
	struct zone *z = NULL;
	struct stat st;
	unsigned char *data;
	ssize_t len;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return NULL;
	data = malloc(FILE_MAX);
	if (!data)
		log_die("out of memory: no room for a time zone");
	len = read_all(fd, data, FILE_MAX);
	if (len > 0)
		z = zone_parse(data, (size_t)len);
	free(data);
	return z;
}

/* "localtime" and "posixrules" mean something else on each host; "./UTC" and "Europe//Berlin" are files, but no names that anybody else knows. */
static bool name_is_sane(const char *name)
{
	return name[0] && name[0] != '/' && strlen(name) <= NAME_MAX_BYTES && !strstr(name, "..")
		&& !strstr(name, "./") && !strstr(name, "//")
		&& strcmp(name, "localtime") != 0 && strcmp(name, "posixrules") != 0;
}

static int open_in(const char *dir, const char *name)
{
	char path[4096];
	int len;

	if (!dir || !dir[0])
		return -1;
	len = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (len < 0 || (size_t)len >= sizeof(path))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static int open_zone(const char *dir, const char *name)
{
	const char *const dirs[] = {
		getenv("TZDIR"), "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo"
	};
	int fd = -1;

	if (dir)
		return open_in(dir, name);
	for (size_t i = 0; fd < 0 && i < sizeof(dirs) / sizeof(dirs[0]); i++)
		fd = open_in(dirs[i], name);
	return fd;
}

struct zone *zone_load(const char *dir, const char *name)
{
	struct zone *z;
	int fd;

	if (strcmp(name, "UTC") == 0)
		return zone_alloc(0);
	if (!name_is_sane(name))
		return NULL;
	fd = open_zone(dir, name);
	if (fd < 0)
		return NULL;
	z = zone_read(fd);
	close(fd);
	return z;
}

void zone_free(struct zone *z)
{
	free(z);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int offset_at(const struct zone *z, int64_t seconds)
{
	size_t low = 0, high;

	if (!z)
		return 0;
	if (z->has_rule && (z->n == 0 || seconds >= z->transitions[z->n - 1].at))
		return tz_rule_offset(&z->rule, seconds);
	for (high = z->n; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (z->transitions[middle].at <= seconds)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? z->transitions[low - 1].offset : z->first_offset;
}

int zone_offset_at(const struct zone *z, instant t)
{
	return offset_at(z, floor_div(t, INSTANT_SECOND));
}

int64_t zone_date_at(const struct zone *z, instant t)
{
	int64_t seconds = floor_div(t, INSTANT_SECOND);

	return floor_div(seconds + offset_at(z, seconds), 86400);
}

/* Before any instant at which the clock can show this; what was in force then may still have been when it did. If not, the clock was changed shortly
 * before, and what has been in force since is tried. Where that leads to before the change, the clock skipped this time, and the offset found there is that
 * before the gap. */
instant zone_from_wall(const struct zone *z, int64_t local_seconds)
{
	int offset = offset_at(z, local_seconds - OFFSET_MAX);
	int later = offset_at(z, local_seconds - offset);

	if (later != offset)
		offset = offset_at(z, local_seconds - later);
	return (local_seconds - offset) * INSTANT_SECOND;
}

#define CACHE_SIZE 64

static const struct zone utc;

/* zone is NULL where the name is not known: so it is looked for, and complained about, once. */
struct cached { char name[NAME_MAX_BYTES + 1]; size_t len; struct zone *zone; uint64_t used; };

struct zone_cache {
	char *dir;		/* or NULL */
	uint64_t turn;
	size_t n;
	struct cached entries[CACHE_SIZE];
};

/* The copy of dir lets a setting change under a cache that still stands. */
struct zone_cache *zone_cache_new(const char *dir)
{
	struct zone_cache *c = calloc(1, sizeof(*c));

	if (c && dir && dir[0])
		c->dir = strdup(dir);
	if (!c || (dir && dir[0] && !c->dir))
		log_die("out of memory: no cache of time zones");
	return c;
}

void zone_cache_free(struct zone_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		zone_free(c->entries[i].zone);
	free(c->dir);
	free(c);
}

/* Whether it can stand in a cache, and be the name of a file, at all. */
static bool fits(struct str name)
{
	return name.s && name.len <= NAME_MAX_BYTES && !memchr(name.s, '\0', name.len);
}

static struct cached *find(struct zone_cache *c, struct str name)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(name, (struct str){ c->entries[i].name, c->entries[i].len }))
			return &c->entries[i];
	return NULL;
}

/* A free entry, or that of the name not asked for the longest. */
static struct cached *make_room(struct zone_cache *c)
{
	struct cached *oldest = &c->entries[0];

	if (c->n < CACHE_SIZE)
		return &c->entries[c->n++];
	for (size_t i = 1; i < c->n; i++)
		if (c->entries[i].used < oldest->used)
			oldest = &c->entries[i];
	zone_free(oldest->zone);
	return oldest;
}

static struct cached *add(struct zone_cache *c, struct str name)
{
	struct cached *e = make_room(c);

	*e = (struct cached){ .len = name.len };
	memcpy(e->name, name.s, name.len);
	e->zone = zone_load(c->dir, e->name);
	return e;
}

const struct zone *zone_get(struct zone_cache *c, struct str name)
{
	struct cached *e = find(c, name);
	bool is_new = !e;

	if (is_new && fits(name))
		e = add(c, name);
	if (is_new && (!e || !e->zone))
		log_warn("no time zone \"%.*s\": its times are given in UTC", STR_FMT(name));
	if (!e)
		return &utc;
	e->used = ++c->turn;
	return e->zone ? e->zone : &utc;
}

/* Adds nothing to the cache: what strangers send must not drive out what the shops need. */
bool zone_exists(struct zone_cache *c, struct str name)
{
	struct cached *e = find(c, name);
	char text[NAME_MAX_BYTES + 1];
	struct zone *z;

	if (e)
		return e->zone != NULL;
	if (!fits(name))
		return false;
	memcpy(text, name.s, name.len);
	text[name.len] = '\0';
	z = zone_load(c->dir, text);
	if (!z)
		return false;
	zone_free(z);
	return true;
}
