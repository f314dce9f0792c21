/* test_zone.c - time zones: the host's files and malformed ones.
 * Owns: tests of zone.c. Does not own: printing (test_timefmt.c), rules (test_tzrule.c), the cache (test_zone_cache.c). Uses the host's zone data, and its zic where there is one.
 * Used by: make check. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "timefmt.h"
#include "zones.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/lsan_interface.h>
#define NO_LEAK() cr_assert(__lsan_do_recoverable_leak_check() == 0, "leak")
#else
#define NO_LEAK() ((void)0)
#endif

#define H(h, m) ((h) * 3600 + (m) * 60)

static instant at(const char *text)
{
	instant t = INSTANT_NONE;

	cr_assert(time_parse(str_from(text), &t), "%s", text);
	return t;
}

static struct zone *host_zone(const char *name)
{
	struct zone *z = zone_load(NULL, name);

	cr_assert(z, "this host has no zone %s", name);
	return z;
}

/* Each row: the last microsecond of one offset, or the first of another. */
Test(zone, known_offsets)
{
	static const struct { const char *zone, *at; int offset; } rows[] = {
		{ "Asia/Kolkata", "2026-02-26T11:30:00Z", H(5, 30) }, { "Asia/Kolkata", "2100-07-01T00:00:00Z", H(5, 30) },
		{ "Asia/Kolkata", "1943-06-01T00:00:00Z", H(6, 30) },
		{ "Europe/Berlin", "2026-03-29T00:59:59.999999Z", H(1, 0) }, { "Europe/Berlin", "2026-03-29T01:00:00Z", H(2, 0) },
		{ "Europe/Berlin", "2026-10-25T00:59:59.999999Z", H(2, 0) }, { "Europe/Berlin", "2026-10-25T01:00:00Z", H(1, 0) },
		{ "Europe/Berlin", "2100-03-28T00:59:59.999999Z", H(1, 0) }, { "Europe/Berlin", "2100-03-28T01:00:00Z", H(2, 0) },
		{ "Europe/Berlin", "2100-10-31T00:59:59.999999Z", H(2, 0) }, { "Europe/Berlin", "2100-10-31T01:00:00Z", H(1, 0) },
		{ "Europe/Berlin", "9999-07-01T00:00:00Z", H(2, 0) }, { "Europe/Berlin", "9999-12-31T23:59:59.999999Z", H(1, 0) },
		{ "Europe/Berlin", "1945-06-01T00:00:00Z", H(3, 0) }, { "Europe/Berlin", "0001-01-01T00:00:00Z", H(0, 53) + 28 },
		{ "America/New_York", "2026-03-08T06:59:59.999999Z", H(-5, 0) }, { "America/New_York", "2026-03-08T07:00:00Z", H(-4, 0) },
		{ "America/New_York", "2026-11-01T05:59:59.999999Z", H(-4, 0) }, { "America/New_York", "2026-11-01T06:00:00Z", H(-5, 0) },
		{ "America/New_York", "2100-03-14T07:00:00Z", H(-4, 0) }, { "America/New_York", "2100-11-07T06:00:00Z", H(-5, 0) },
		{ "America/New_York", "2100-11-07T05:59:59Z", H(-4, 0) },
		{ "Australia/Lord_Howe", "2026-04-04T14:59:59.999999Z", H(11, 0) }, { "Australia/Lord_Howe", "2026-04-04T15:00:00Z", H(10, 30) },
		{ "Australia/Lord_Howe", "2026-10-03T15:29:59.999999Z", H(10, 30) }, { "Australia/Lord_Howe", "2026-10-03T15:30:00Z", H(11, 0) },
		{ "Australia/Lord_Howe", "2100-01-01T00:00:00Z", H(11, 0) }, { "Australia/Lord_Howe", "2100-07-01T00:00:00Z", H(10, 30) },
		{ "Asia/Kathmandu", "2026-02-26T11:30:00Z", H(5, 45) }, { "Asia/Kathmandu", "1985-12-31T18:29:59Z", H(5, 30) },
		{ "Asia/Kathmandu", "1985-12-31T18:30:00Z", H(5, 45) },
		{ "Pacific/Apia", "2011-12-30T09:59:59.999999Z", H(-10, 0) }, { "Pacific/Apia", "2011-12-30T10:00:00Z", H(14, 0) },
		{ "Pacific/Apia", "2026-01-01T00:00:00Z", H(13, 0) },
		{ "America/Sao_Paulo", "2018-12-01T00:00:00Z", H(-2, 0) }, { "America/Sao_Paulo", "2019-02-17T01:59:59Z", H(-2, 0) },
		{ "America/Sao_Paulo", "2019-02-17T02:00:00Z", H(-3, 0) }, { "America/Sao_Paulo", "2019-12-01T00:00:00Z", H(-3, 0) },
		{ "America/Sao_Paulo", "2100-12-01T00:00:00Z", H(-3, 0) },
		/* Its standard time is summer's, and winter's is the negative daylight time. */
		{ "Europe/Dublin", "2026-01-15T00:00:00Z", 0 }, { "Europe/Dublin", "2026-07-15T00:00:00Z", H(1, 0) },
		{ "Europe/Dublin", "2100-03-28T00:59:59Z", 0 }, { "Europe/Dublin", "2100-03-28T01:00:00Z", H(1, 0) },
		{ "Europe/Dublin", "2100-10-31T00:59:59Z", H(1, 0) }, { "Europe/Dublin", "2100-10-31T01:00:00Z", 0 },
		/* Back for Ramadan. */
		{ "Africa/Casablanca", "2025-03-10T00:00:00Z", 0 }, { "Africa/Casablanca", "2025-05-10T00:00:00Z", H(1, 0) },
		{ "UTC", "2026-02-26T11:30:00Z", 0 }, { "Etc/UTC", "2026-02-26T11:30:00Z", 0 }, { "Etc/GMT+12", "2026-02-26T11:30:00Z", H(-12, 0) },
		{ "Pacific/Kiritimati", "2026-02-26T11:30:00Z", H(14, 0) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct zone *z = host_zone(rows[i].zone);
		int offset = zone_offset_at(z, at(rows[i].at));

		cr_expect_eq(offset, rows[i].offset, "%s at %s: %d", rows[i].zone, rows[i].at, offset);
		zone_free(z);
	}
	cr_expect_eq(zone_offset_at(NULL, 0), 0);
	NO_LEAK();
}

static int libc_offset(int64_t s)
{
	time_t t = s;
	struct tm tm;

	cr_assert(localtime_r(&t, &tm));
	return (int)tm.tm_gmtoff;
}

/* Before 1900 libc guesses otherwise where a file is silent. Steps that are no multiple of a day, and the seconds around each change. */
static void compare_with_libc(const char *name, void *ctx)
{
	struct zone *z = host_zone(name);
	int before, *changes = ctx;

	setenv("TZ", name, 1);
	tzset();
	before = zone_offset_at(z, -2208988800 * INSTANT_SECOND);
	for (int64_t s = -2208988800; s < 7258118400; s += 3456789) {
		int offset = zone_offset_at(z, s * INSTANT_SECOND);

		cr_assert_eq(offset, libc_offset(s), "%s at %ld: %d, libc %d", name, (long)s, offset, libc_offset(s));
		if (offset != before) {
			int64_t low = s - 3456789, high = s;

			while (high - low > 1) {
				int64_t middle = low + (high - low) / 2;

				*(libc_offset(middle) == before ? &low : &high) = middle;
			}
			for (int64_t near = high - 2; near <= high + 2; near++)
				cr_assert_eq(zone_offset_at(z, near * INSTANT_SECOND), libc_offset(near), "%s at %ld", name, (long)near);
			before = offset;
			++*changes;
		}
	}
	zone_free(z);
}

Test(zone, agrees_with_libc, .timeout = 600)
{
	int changes = 0;
	size_t zones = for_each_zone(compare_with_libc, &changes);

	if (zones == 0)
		cr_skip_test("no list of zones on this host");
	cr_expect_gt(zones, 200);
	cr_expect_gt(changes, 10000);
}

/* The same zones twice, from one zic: those of the host may come from a newer one that reads the source otherwise. */
struct forms { char fat[64], slim[64]; size_t compared; };

static void compare_forms(const char *name, void *ctx)
{
	struct forms *forms = ctx;
	struct zone *f = zone_load(forms->fat, name), *s = zone_load(forms->slim, name);

	cr_assert(f && s, "%s", name);
	for (int64_t t = 1704067200; t < 2240000000; t += 234567, forms->compared++)
		cr_assert_eq(zone_offset_at(f, t * INSTANT_SECOND), zone_offset_at(s, t * INSTANT_SECOND), "%s at %ld", name, (long)t);
	zone_free(f);
	zone_free(s);
}

static char *make_dir(char *pattern)
{
	cr_assert(mkdtemp(pattern));
	return pattern;
}

static void remove_dir(const char *dir)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	cr_assert(system(command) == 0);
}

static bool compile_zones(const char *form, const char *dir)
{
	char command[256];

	snprintf(command, sizeof(command), "PATH=$PATH:/usr/sbin zic -b %s -d '%s' /usr/share/zoneinfo/tzdata.zi >/dev/null 2>&1", form, dir);
	return system(command) == 0;
}

/* Slim files leave everything that follows a rule to their footer, fat ones list it until 2037: from 2024 to 2040 both must come to the same.
 * (For 2022 they don't, by a fault of zic's that was mended in its release 2022g.) */
Test(zone, footers_agree_with_lists, .timeout = 600)
{
	char dir[] = "/tmp/pickup-zone-XXXXXX";
	struct forms forms = { .compared = 0 };
	bool compiled;

	make_dir(dir);
	snprintf(forms.fat, sizeof(forms.fat), "%s/fat", dir);
	snprintf(forms.slim, sizeof(forms.slim), "%s/slim", dir);
	compiled = compile_zones("fat", forms.fat) && compile_zones("slim", forms.slim);
	if (compiled)
		for_each_zone(compare_forms, &forms);
	remove_dir(dir);
	if (!compiled || forms.compared == 0)
		cr_skip_test("no zic, or no source of the zones, on this host");
	cr_expect_gt(forms.compared, 400000);
}

Test(zone, names)
{
	static const char *const bad[] = {
		"", "Nowhere/Land", "../zoneinfo/UTC", "/usr/share/zoneinfo/UTC", "Europe/../UTC", "Europe", ".", "..", "Europe/Berlin/", "localtime",
		"posixrules", "tzdata.zi", "zone.tab", "right/Europe/Berlin", "europe/berlin\n", "UTC ", "./UTC", "Europe//Berlin", "Europe/./Berlin",
	};
	char long_name[5000];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct zone *z = zone_load(NULL, bad[i]);

		cr_expect(!z, "\"%s\"", bad[i]);
		zone_free(z);
	}
	memset(long_name, 'A', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	cr_expect(!zone_load(NULL, long_name));
	zone_free(NULL);
}

Test(zone, directories)
{
	char dir[] = "/tmp/pickup-zone-XXXXXX", file[64];
	struct zone *z;

	make_dir(dir);
	cr_expect(!zone_load(dir, "Europe/Berlin"), "only the directory that was named");
	z = zone_load(dir, "UTC");
	cr_expect(z && zone_offset_at(z, 0) == 0, "UTC needs no file");
	zone_free(z);
	setenv("TZDIR", dir, 1);
	z = zone_load(NULL, "Europe/Berlin");
	cr_expect(z, "the next directory has it");
	zone_free(z);
	/* A FIFO must not hold up, nor a directory confuse. */
	snprintf(file, sizeof(file), "%s/fifo", dir);
	cr_assert(mkfifo(file, 0600) == 0);
	cr_expect(!zone_load(dir, "fifo"));
	remove_dir(dir);
	NO_LEAK();
}

/* Files made by hand */

struct file { unsigned char data[4096]; size_t len; };

static void put(struct file *f, const void *p, size_t len)
{
	memcpy(f->data + f->len, p, len);
	f->len += len;
}

static void put32(struct file *f, uint32_t v)
{
	put(f, (unsigned char[]){ (unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v }, 4);
}

static void put64(struct file *f, int64_t v)
{
	put32(f, (uint32_t)((uint64_t)v >> 32));
	put32(f, (uint32_t)v);
}

static void put_header(struct file *f, char version, uint32_t isut, uint32_t isstd, uint32_t leap, uint32_t times, uint32_t types, uint32_t chars)
{
	put(f, "TZif", 4);
	put(f, &version, 1);
	put(f, (char[15]){ 0 }, 15);
	put32(f, isut);
	put32(f, isstd);
	put32(f, leap);
	put32(f, times);
	put32(f, types);
	put32(f, chars);
}

static void put_type(struct file *f, int32_t offset, unsigned char is_dst, unsigned char name)
{
	put32(f, (uint32_t)offset);
	put(f, &is_dst, 1);
	put(f, &name, 1);
}

/* Two transitions, at 1000 to +1 h and at 2000 to +2 h, from UTC; version 2, the footer given. */
static struct file good_file(const char *footer)
{
	struct file f = { .len = 0 };

	put_header(&f, '2', 0, 0, 0, 1, 1, 4);
	put32(&f, 5);
	put(&f, "\0", 1);
	put_type(&f, 7200, 0, 0);	/* must not count: the block is for readers of version 1 */
	put(&f, "OLD\0", 4);
	cr_assert_eq(f.len, 59);
	put_header(&f, '2', 3, 3, 0, 2, 3, 8);
	put64(&f, 1000);
	put64(&f, 2000);
	put(&f, "\1\2", 2);
	put_type(&f, 0, 0, 0);
	put_type(&f, 3600, 1, 4);
	put_type(&f, 7200, 0, 0);
	put(&f, "AAA\0BBB\0", 8);
	put(&f, "\0\0\0\0\0\0", 6);
	put(&f, footer, strlen(footer));
	return f;
}

static struct zone *load_file(const struct file *f, size_t len)
{
	char dir[] = "/tmp/pickup-zone-XXXXXX", path[64];
	struct zone *z;
	FILE *out;

	make_dir(dir);
	snprintf(path, sizeof(path), "%s/Made", dir);
	out = fopen(path, "w");
	cr_assert(out && fwrite(f->data, 1, len, out) == len && fclose(out) == 0);
	z = zone_load(dir, "Made");
	unlink(path);
	rmdir(dir);
	return z;
}

static int offset_at(const struct file *f, instant t)
{
	struct zone *z = load_file(f, f->len);
	int offset;

	cr_assert(z, "a good file was refused");
	offset = zone_offset_at(z, t);
	zone_free(z);
	return offset;
}

static int offset_in(const struct file *f, int64_t seconds)
{
	return offset_at(f, seconds * INSTANT_SECOND);
}

Test(zone, made_by_hand)
{
	struct file ruled = good_file("\nXXX-4\n"), bare = good_file("\n\n"), v1 = { .len = 0 }, only_rule = { .len = 0 }, only_type = { .len = 0 };

	cr_expect_eq(offset_in(&ruled, -99999), 0);
	cr_expect_eq(offset_in(&ruled, 999), 0);
	cr_expect_eq(offset_in(&ruled, 1000), 3600);
	cr_expect_eq(offset_in(&ruled, 1999), 3600);
	cr_expect_eq(offset_in(&ruled, 2000), 14400);
	cr_expect_eq(offset_in(&bare, 1999), 3600);
	cr_expect_eq(offset_in(&bare, 2000), 7200);
	cr_expect_eq(offset_in(&bare, 9999999), 7200);

	put_header(&v1, '\0', 0, 0, 0, 2, 2, 4);
	put32(&v1, (uint32_t)-1000);
	put32(&v1, 2000);
	put(&v1, "\1\0", 2);
	put_type(&v1, -3600, 0, 0);
	put_type(&v1, 3600, 1, 0);
	put(&v1, "AAA\0", 4);
	cr_expect_eq(offset_in(&v1, -1001), -3600);
	cr_expect_eq(offset_at(&v1, -1000 * INSTANT_SECOND - 1), -3600, "before 1970 too a part of a second belongs to the one before");
	cr_expect_eq(offset_in(&v1, -1000), 3600);
	cr_expect_eq(offset_in(&v1, 2000), -3600);

	for (int i = 0; i < 2; i++) {
		put_header(&only_rule, '3', 0, 0, 0, 0, 1, 4);
		put_type(&only_rule, 60, 0, 0);
		put(&only_rule, "AAA\0", 4);
	}
	only_type = only_rule;
	put(&only_rule, "\n<-02>2<-01>,M3.5.0/-1,M10.5.0/0\n", 34);
	put(&only_type, "\n\n", 2);
	cr_expect_eq(offset_in(&only_rule, 1772105400), H(-2, 0), "no transitions: the rule holds for all time");
	cr_expect_eq(offset_in(&only_rule, 1782105400), H(-1, 0));
	cr_expect_eq(offset_in(&only_type, 1772105400), 60);
	NO_LEAK();
}

Test(zone, truncated_anywhere)
{
	struct file f = good_file("\nCET-1CEST,M3.5.0,M10.5.0/3\n");
	struct zone *z = load_file(&f, f.len);

	cr_assert(z);
	zone_free(z);
	for (size_t len = 0; len < f.len; len++) {
		z = load_file(&f, len);
		cr_expect(!z, "%zu bytes of %zu", len, f.len);
		zone_free(z);
	}
	NO_LEAK();
}

/* Each row overwrites some bytes of the good file. Counts stand at 20 isut, 24 isstd, 28 leap, 32 time, 36 type, 40 char; the second header is at 59. */
Test(zone, hostile_bytes)
{
	static const struct { const char *what; size_t at; const char *bytes; size_t len; } rows[] = {
		{ "magic", 0, "X", 1 }, { "second magic", 59, "X", 1 }, { "version 1 with a tail is a version 1 file, so not this", 63, "\0", 1 },
		{ "version 5", 4, "5", 1 }, { "version 5 inside", 63, "5", 1 }, { "version 255", 4, "\xff", 1 },
		{ "first block: 2^32-1 times", 32, "\xff\xff\xff\xff", 4 }, { "first block: 2^32-1 types", 36, "\xff\xff\xff\xff", 4 },
		{ "first block: all counts 2^32-1", 20, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 24 },
		{ "all counts 2^32-1", 79, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 24 },
		{ "2^32-1 times", 91, "\xff\xff\xff\xff", 4 }, { "2^31 times", 91, "\x80\0\0\0", 4 }, { "one time more", 91, "\0\0\0\3", 4 },
		{ "no types", 95, "\0\0\0\0", 4 }, { "257 types", 95, "\0\0\1\1", 4 }, { "2^32-1 types", 95, "\xff\xff\xff\xff", 4 },
		{ "no names", 99, "\0\0\0\0", 4 }, { "2^32-1 names", 99, "\xff\xff\xff\xff", 4 },
		{ "leap seconds", 87, "\0\0\0\1", 4 }, { "2^32-1 leap seconds", 87, "\xff\xff\xff\xff", 4 },
		{ "isut of another number", 79, "\0\0\0\2", 4 }, { "isstd of another number", 83, "\0\0\0\2", 4 },
		{ "times descend", 103, "\0\0\0\0\0\1\0\0", 8 }, { "times repeat", 111, "\0\0\0\0\0\0\3\xe8", 8 },
		{ "type index too high", 119, "\3", 1 }, { "type index 255", 120, "\xff", 1 },
		{ "offset -2^31", 121, "\x80\0\0\0", 4 }, { "offset of 26 hours", 121, "\0\1\x6d\xa0", 4 }, { "offset of -25 hours", 121, "\xff\xfe\xa0\x70", 4 },
		{ "is_dst 2", 125, "\2", 1 }, { "name index too high", 126, "\x08", 1 },
		{ "no newline before the footer", 153, "X", 1 }, { "a NUL in the footer", 155, "\0", 1 }, { "a broken rule", 154, "-", 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct file f = good_file("\nCET-1CEST,M3.5.0,M10.5.0/3\n");
		struct zone *z;

		memcpy(f.data + rows[i].at, rows[i].bytes, rows[i].len);
		z = load_file(&f, f.len);
		cr_expect(!z, "%s", rows[i].what);
		zone_free(z);
	}
	NO_LEAK();
}

/* Any byte, any value: refused or loaded, but never out of bounds, which the sanitizers watch. */
Test(zone, any_byte_changed)
{
	static const unsigned char values[] = { 0, 1, 2, 3, 0x7f, 0x80, 0xff, '\n', '9', ',' };
	struct file f = good_file("\nCET-1CEST,M3.5.0,M10.5.0/3\n");
	char dir[] = "/tmp/pickup-zone-XXXXXX", path[64];
	int fd, loaded = 0;

	make_dir(dir);
	snprintf(path, sizeof(path), "%s/Made", dir);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	cr_assert(fd >= 0 && write(fd, f.data, f.len) == (ssize_t)f.len);
	for (size_t i = 0; i < f.len; i++)
		for (size_t v = 0; v < sizeof(values); v++) {
			struct zone *z;

			cr_assert(pwrite(fd, &values[v], 1, (off_t)i) == 1);
			z = zone_load(dir, "Made");
			for (int64_t s = -100000000000; z && s < 100000000000; s += 9999999999)
				loaded += zone_offset_at(z, s * INSTANT_SECOND) != 1;
			zone_free(z);
			cr_assert(pwrite(fd, &f.data[i], 1, (off_t)i) == 1);
		}
	close(fd);
	remove_dir(dir);
	cr_expect_gt(loaded, 0);
	NO_LEAK();
}
