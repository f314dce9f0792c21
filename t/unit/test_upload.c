/* test_upload.c - names and addresses of photos, and their files: what is kept, listed, removed, and what is left of what failed.
 * Owns: tests of upload.c and upload_store.c. Used by: make check. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leaks.h"
#include "log.h"
#include "upload_store.h"

#define D32 "0123456789abcdef0123456789abcdef"

static const struct { struct str s; int kind; } names[] = {
	{ STR(D32 ".jpg"), IMAGE_JPEG }, { STR(D32 ".png"), IMAGE_PNG }, { STR(D32 ".webp"), IMAGE_WEBP },
	{ STR(D32), -1 }, { STR(D32 "."), -1 }, { STR(D32 ".gif"), -1 }, { STR(D32 ".jpeg"), -1 }, { STR(D32 ".JPG"), -1 }, { STR(D32 ".jpg "), -1 },
	{ STR(D32 ".jpg/"), -1 }, { STR(D32 ".webpx"), -1 }, { STR(D32 "0.jpg"), -1 }, { STR(D32 ".jpg\0"), -1 }, { STR(D32 "\0.jpg"), -1 },
	{ STR("0123456789ABCDEF0123456789abcdef.jpg"), -1 }, { STR("g123456789abcdef0123456789abcdef.jpg"), -1 }, { STR("0123456789abcdef.jpg"), -1 },
	{ STR("../../../../../../../etc/passwd.jpg"), -1 }, { STR("..%2f..%2f..%2f..%2f..%2f..%2fetc/pa.jpg"), -1 }, { STR("/" D32 ".jpg"), -1 },
	{ STR(""), -1 }, { STR(".jpg"), -1 }, { STR_NONE, -1 }, { STR("012345678\0abcdef0123456789abcdef0.jpg"), -1 },
};

Test(upload, names)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct upload_name name;
		enum image_kind kind;
		bool is_good = upload_name_parse(names[i].s, &name, &kind);
		cr_expect_eq(is_good, names[i].kind >= 0, "%.*s", STR_FMT(names[i].s));
		cr_expect(!is_good || ((int)kind == names[i].kind && str_is(names[i].s, name.s)), "%.*s", STR_FMT(names[i].s));
	}
}

Test(upload, addresses)
{
	static const struct { struct str s; bool is_good; } rows[] = {
		{ STR("/api/v1/uploads/" D32 ".jpg"), true }, { STR("/api/v1/uploads/" D32 ".webp"), true },
		{ STR("/api/v1/uploads/" D32 ".jpg/"), false }, { STR("/api/v1/uploads/"), false }, { STR("/api/v1/uploads"), false }, { STR(D32 ".jpg"), false },
		{ STR("/api/v1/uploads/" D32 ".jpg?x=1"), false }, { STR("/api/v1/uploads//" D32 ".jpg"), false }, { STR("/API/v1/uploads/" D32 ".jpg"), false },
		{ STR("http://localhost/api/v1/uploads/" D32 ".jpg"), false }, { STR("//evil/api/v1/uploads/" D32 ".jpg"), false }, { STR(""), false }, { STR_NONE, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct upload_name name;
		cr_expect_eq(upload_url_parse(rows[i].s, &name), rows[i].is_good, "%.*s", STR_FMT(rows[i].s));
	}
}

Test(upload, names_are_made_as_they_are_read)
{
	static const char *const types[] = { [IMAGE_JPEG] = "image/jpeg", [IMAGE_PNG] = "image/png", [IMAGE_WEBP] = "image/webp" };
	uint8_t random[UPLOAD_RANDOM_BYTES] = { 0, 1, 0x9a, 0xff };
	for (int k = 0; k < IMAGE_KIND__MAX; k++) {
		struct upload_name made = upload_name_make(random, (enum image_kind)k), read;
		enum image_kind kind;
		cr_expect(upload_name_parse(str_from(made.s), &read, &kind) && (int)kind == k && strncmp(read.s, "00019aff0000", 12) == 0, "%s", made.s);
		cr_expect_str_eq(upload_media_type(kind), types[k]);
	}
}

/* ---- files ---- */

static char dir[32];

static void begin(void)
{
	log_set_level(LOG_ERROR);
	snprintf(dir, sizeof dir, "/tmp/pickup-upload.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static void end(void)
{
	char command[128];
	snprintf(command, sizeof command, "chmod -R u+rwx %s && rm -rf %s", dir, dir);
	cr_expect_eq(system(command), 0);
}

/* How many files there are in all. */
static long count_files(void)
{
	char command[128];
	long n = -1;
	snprintf(command, sizeof command, "find %s -type f | wc -l", dir);
	FILE *f = popen(command, "r");
	cr_assert(f && fscanf(f, "%ld", &n) == 1);
	pclose(f);
	return n;
}

static const char photo[] = "RIFF\x12\0\0\0WEBPVP8L\x06\0\0\0\x2f\x0f\xc0\x01\x10x";
#define PHOTO_SIZE (sizeof photo - 1)

static enum image_verdict store(const char *s, size_t n, struct upload_name *name)
{
	struct upload_file f;
	uint64_t bytes = 0;
	cr_assert_eq(upload_file_open(&f, dir), OC_OK);
	for (size_t i = 0; i < n; i += 7)
		cr_assert(upload_file_add(&f, s + i, n - i < 7 ? n - i : 7));
	cr_assert_eq(f.size, n);
	enum image_verdict v = upload_file_keep(&f, name, &bytes);
	upload_file_close(&f);
	cr_expect(v != IMAGE_GOOD || bytes == PHOTO_SIZE, "%llu", (unsigned long long)bytes);
	return v;
}

static void path_of(char path[128], const char *name)
{
	snprintf(path, 128, "%s/%.2s/%s", dir, name, name);
}

Test(upload, what_is_kept_can_be_read_and_removed, .init = begin, .fini = end)
{
	char with_more[PHOTO_SIZE + 9], path[128];
	struct upload_name name;
	struct str s;
	struct stat st;
	memcpy(with_more, photo, PHOTO_SIZE);
	memcpy(with_more + PHOTO_SIZE, "PK\3\4 evil", 9);
	cr_assert_eq(store(with_more, sizeof with_more, &name), IMAGE_GOOD);
	cr_assert_eq(upload_map(dir, &name, &s), OC_OK);
	cr_expect(s.len == PHOTO_SIZE && memcmp(s.s, photo, PHOTO_SIZE) == 0);
	upload_unmap(&s);
	path_of(path, name.s);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 07007, 0, "others may use it: %o", st.st_mode);
	cr_expect_eq(count_files(), 1, "nothing else is left");
	cr_expect(upload_remove(dir, &name) && upload_remove(dir, &name));
	cr_expect_eq(upload_map(dir, &name, &s), OC_NOT_FOUND);
	cr_expect_eq(count_files(), 0);
	cr_assert(no_leaks());
}

Test(upload, what_is_refused_leaves_nothing, .init = begin, .fini = end)
{
	struct upload_name name;
	struct upload_file f;
	cr_expect_eq(store("", 0, &name), IMAGE_UNKNOWN);
	cr_expect_eq(store("GIF89a", 6, &name), IMAGE_UNKNOWN);
	cr_expect_eq(store(photo, PHOTO_SIZE - 1, &name), IMAGE_BROKEN);
	cr_assert_eq(upload_file_open(&f, dir), OC_OK);
	cr_assert(upload_file_add(&f, photo, 5));
	cr_expect_eq(count_files(), 0, "what is on its way has no name");
	upload_file_close(&f);
	cr_expect_eq(count_files(), 0);
	cr_assert(no_leaks());
}

Test(upload, a_directory_that_is_not_there, .init = begin, .fini = end)
{
	struct upload_file f;
	struct upload_name names_there[2], name = { D32 ".jpg" };
	struct str s;
	char after[UPLOAD_NAME_SIZE] = "", why[512];
	static const char *const none[] = { "", "/nonexistent/uploads", "/etc/hostname" };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		cr_expect_eq(upload_file_open(&f, none[i]), OC_DOWN);
		cr_expect_eq(upload_map(none[i], &name, &s), OC_DOWN);
		cr_expect_not(upload_remove(none[i], &name));
		cr_expect_eq(upload_list(none[i], after, time(NULL) + 10, names_there, 2), 0);
		cr_expect_eq(upload_sweep(none[i], time(NULL) + 10, 2), 0);
		cr_expect_not(upload_dir_ok(none[i], why, sizeof why));
	}
	cr_expect_eq(chmod(dir, 0701), 0);
	cr_expect(!upload_dir_ok(dir, why, sizeof why) && strstr(why, "chmod o="), "%s", why);
	cr_expect_eq(chmod(dir, 02750), 0);
	cr_expect(upload_dir_ok(dir, why, sizeof why), "%s", why);
	cr_assert(no_leaks());
}

static void touch(const char *path, time_t at)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct timespec times[2] = { { .tv_sec = at }, { .tv_sec = at } };
	cr_assert(fd >= 0 && futimens(fd, times) == 0, "%s: %s", path, strerror(errno));
	close(fd);
}

/* In order, a few at a time, and none that is new or not ours. */
Test(upload, listing, .init = begin, .fini = end)
{
	static const char *const subs[] = { "00", "3f", "ff", "tmp" };
	char path[128], after[UPLOAD_NAME_SIZE] = "", seen[40][UPLOAD_NAME_SIZE];
	struct upload_name page[4];
	size_t total = 0, n;
	for (size_t i = 0; i < sizeof subs / sizeof *subs; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, subs[i]);
		cr_assert_eq(mkdir(path, 0700), 0);
		for (int k = 9; k >= 0; k--) {
			snprintf(path, sizeof path, "%s/%s/%s%d0aaaaaaaaaaaaaaaaaaaaaaaaaaaa%s", dir, subs[i], i == 3 ? "aa" : subs[i], k, k % 2 ? ".jpg" : ".webp");
			touch(path, k == 5 ? 2000 : 1000);
		}
		snprintf(path, sizeof path, "%s/%s/%s", dir, subs[i], "README");
		touch(path, 500);
	}
	while ((n = upload_list(dir, after, 1500, page, 4)) > 0) {
		cr_assert(n <= 4 && total + n <= 40);
		for (size_t i = 0; i < n; i++)
			memcpy(seen[total++], page[i].s, sizeof seen[0]);
		cr_assert_str_eq(after, page[n - 1].s);
	}
	cr_expect_eq(total, 27);
	for (size_t i = 1; i < total; i++)
		cr_expect_lt(strcmp(seen[i - 1], seen[i]), 0, "%s before %s", seen[i - 1], seen[i]);
	cr_expect_eq(upload_sweep(dir, 1500, 4), 4);
	cr_expect_eq(upload_sweep(dir, 1500, 100), 6, "nine of ten, and the other one");
	cr_expect_eq(upload_sweep(dir, 1500, 100), 0);
	cr_expect_eq(count_files(), 34);
	cr_assert(no_leaks());
}
