/* test_arena.c - memory that is given back as a whole.
 * Owns: tests of arena.c. Does not own: what is written into it.
 * Used by: make check. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "leaks.h"
#include "log.h"
#include "str.h"

#if defined(__SANITIZE_ADDRESS__) || defined(LEAKS_WATCHED)
#define WITH_ASAN 1
#include <sanitizer/asan_interface.h>
#endif

Test(arena, zeroed_aligned_apart)
{
	struct arena *a = arena_new();
	unsigned char *last = NULL;

	for (size_t size = 0; size < 3000; size += 7) {
		unsigned char *p = arena_alloc(a, size);

		cr_assert((uintptr_t)p % _Alignof(max_align_t) == 0, "size %zu", size);
		for (size_t i = 0; i < size; i++)
			cr_assert(p[i] == 0, "size %zu, byte %zu", size, i);
		memset(p, 0xa5, size);
		if (last)
			cr_assert(last[0] == 0xa5, "size %zu ran into the one before", size);
		last = size ? p : NULL;
	}
	arena_free(a);
	cr_assert(no_leaks());
}

Test(arena, zeroed_again_after_reset)
{
	struct arena *a = arena_new();

	memset(arena_alloc(a, 5000), 0xff, 5000);
	arena_reset(a);
	for (int i = 0; i < 50; i++) {
		unsigned char *p = arena_alloc(a, 100);

		for (size_t j = 0; j < 100; j++)
			cr_assert(p[j] == 0);
	}
	arena_free(a);
}

Test(arena, large_blocks_come_and_go)
{
	struct arena *a = arena_new();

	for (int turn = 0; turn < 20; turn++) {
		char *big = arena_alloc(a, (size_t)3 << 20);

		big[((size_t)3 << 20) - 1] = 'x';
		for (int i = 0; i < 2000; i++)
			memset(arena_alloc(a, 500), turn, 500);
		cr_assert(big[((size_t)3 << 20) - 1] == 'x');
		arena_reset(a);
	}
	arena_free(a);
	cr_assert(no_leaks());
}

Test(arena, copies)
{
	struct arena *a = arena_new();
	char long_text[5000];

	memset(long_text, 'y', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	cr_assert_str_eq(arena_memdup(a, "abcdef", 3), "abc");
	cr_assert_str_eq(arena_memdup(a, NULL, 0), "");
	cr_assert_str_eq(arena_strdup(a, "Kiran"), "Kiran");
	cr_assert_str_eq(arena_printf(a, "%s-%d", "a", 42), "a-42");
	cr_assert_eq(strlen(arena_printf(a, "<%s>", long_text)), sizeof(long_text) + 1);
	arena_free(a);
}

Test(arena, grow_keeps_the_bytes)
{
	struct arena *a = arena_new();
	char *p = arena_grow(a, NULL, 0, 10), *other;

	memcpy(p, "123456789", 10);
	p = arena_grow(a, p, 10, 500);
	cr_assert_str_eq(p, "123456789");
	other = arena_strdup(a, "in between");
	p = arena_grow(a, p, 500, 200000);
	memset(p + 10, 'z', 200000 - 10);
	cr_assert_str_eq(p, "123456789");
	cr_assert_str_eq(other, "in between");
	arena_free(a);
	cr_assert(no_leaks());
}

Test(arena, room_keeps_the_elements)
{
	struct arena *a = arena_new();
	size_t cap = 0;
	int *v = NULL;

	for (size_t n = 0; n < 1000; n++) {
		v = arena_room(a, v, n, &cap, sizeof *v);
		cr_assert(cap > n);
		v[n] = (int)n;
		if (n % 3 == 0)
			arena_strdup(a, "in between");
	}
	for (int i = 0; i < 1000; i++)
		cr_assert(v[i] == i, "element %d", i);
	arena_free(a);
	cr_assert(no_leaks());
}

struct trace { char text[16]; struct arena *a; };

static void note_a(void *p) { strcat(((struct trace *)p)->text, "a"); }
static void note_b(void *p) { strcat(((struct trace *)p)->text, "b"); }

/* A clean-up that allocates and defers. */
static void note_c(void *p)
{
	struct trace *t = p;

	strcat(t->text, "c");
	arena_alloc(t->a, 100000);
	arena_defer(t->a, note_a, t);
}

Test(arena, deferred_run_last_first_and_once)
{
	struct arena *a = arena_new();
	struct trace t = { .a = a };

	arena_defer(a, note_a, &t);
	arena_defer(a, note_b, &t);
	arena_defer(a, note_c, &t);
	cr_assert_str_eq(t.text, "");
	arena_reset(a);
	cr_assert_str_eq(t.text, "caba");
	arena_reset(a);
	cr_assert_str_eq(t.text, "caba");
	arena_defer(a, note_b, &t);
	arena_free(a);
	cr_assert_str_eq(t.text, "cabab");
	arena_free(NULL);
	cr_assert(no_leaks());
}

#ifdef WITH_ASAN
Test(arena, sanitizer_sees_misuse)
{
	struct arena *a = arena_new();
	char *p = arena_alloc(a, 13), *q = arena_alloc(a, 32), *grown;

	cr_assert(!__asan_address_is_poisoned(p) && !__asan_address_is_poisoned(p + 12));
	cr_assert(__asan_address_is_poisoned(p + 13), "one past the end");
	cr_assert(__asan_address_is_poisoned(q + 32), "one past the end");
	cr_assert(__asan_address_is_poisoned(q - 1), "one before the start");
	grown = arena_grow(a, q, 32, 64);
	cr_assert(__asan_address_is_poisoned(q), "before it grew");
	cr_assert(!__asan_address_is_poisoned(grown + 63));
	arena_reset(a);
	memset(arena_alloc(a, 4096), 1, 4096);
	cr_assert(__asan_address_is_poisoned(p) && __asan_address_is_poisoned(grown), "kept over a reset");
	arena_free(a);
}
#endif

static int exit_status(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	cr_assert(pid >= 0);
	if (pid == 0) {
		/* Its last words are expected here. */
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		fn();
		_exit(0);
	}
	cr_assert(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Not constants, so that the compiler doesn't object to what is refused here. */
static volatile size_t huge = SIZE_MAX / 2;

static void take_too_much(void) { arena_alloc(arena_new(), huge); }
static void take_product(void) { arena_array(arena_new(), huge, 4); }
static void reserve_too_much(void)
{
	struct buf b = BUF_IN(arena_new());

	buf_reserve(&b, huge * 2 + 1);
}
static void die(void) { log_die("no %s", "way"); }

Test(arena, too_much_ends_the_process)
{
	cr_expect_eq(exit_status(take_too_much), 70);
	cr_expect_eq(exit_status(take_product), 70);
	cr_expect_eq(exit_status(reserve_too_much), 70);
	cr_expect_eq(exit_status(die), 70);
}
