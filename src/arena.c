/* arena.c - memory that lives as long as one request: bump allocation in blocks.
 * Owns: blocks, deferred clean-ups. Does not own: what outlives a request.
 * Used by: everything that answers a request or turns a loop. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "log.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

/* With AddressSanitizer all space that was not handed out is poisoned, allocations stand apart by a red zone, a block is never
 * used twice (a freed one stays in the sanitizer's quarantine, so a pointer kept over a reset is caught) and growing always moves. */
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define GAP 16
#define WATCHED 1
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define GAP 0
#define WATCHED 0
#endif

#define ALIGNMENT _Alignof(max_align_t)
#define BLOCK_FIRST ((size_t)64 << 10)
#define BLOCK_LARGEST ((size_t)1 << 20)
/* Far above any request and far below where sums of sizes could wrap. */
#define SIZE_LIMIT (SIZE_MAX / 8)

struct block {
	struct block *older;
	size_t cap, used;
	_Alignas(max_align_t) char data[];
};

struct deferred {
	struct deferred *earlier;
	void (*fn)(void *);
	void *p;
};

struct arena {
	struct block *block;	/* the newest; the oldest one is kept over a reset */
	struct deferred *deferred;
};

static struct block *block_new(size_t cap, struct block *older)
{
	struct block *b = malloc(sizeof(*b) + cap);

	if (!b)
		log_die("out of memory: %zu bytes for a request", cap);
	b->older = older;
	b->cap = cap;
	b->used = 0;
	ASAN_POISON_MEMORY_REGION(b->data, cap);
	return b;
}

static void block_free(struct block *b)
{
	ASAN_UNPOISON_MEMORY_REGION(b->data, b->cap);
	free(b);
}

static size_t round_up(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/* The size that a place takes in its block. */
static size_t footprint(size_t size)
{
	if (size > SIZE_LIMIT)
		log_die("out of memory: %zu bytes asked for at once", size);
	return round_up(size) + GAP;
}

static void add_block(struct arena *a, size_t need)
{
	size_t cap = a->block->cap * 2;

	if (cap > BLOCK_LARGEST)
		cap = BLOCK_LARGEST;
	if (cap < need)
		cap = need;
	a->block = block_new(cap, a->block);
}

static inline void *take(struct arena *a, size_t size)
{
	size_t need = footprint(size);
	char *p;

	if (need > a->block->cap - a->block->used)
		add_block(a, need);
	p = a->block->data + a->block->used;
	a->block->used += need;
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	return p;
}

struct arena *arena_new(void)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		log_die("out of memory: no arena");
	a->block = block_new(BLOCK_FIRST, NULL);
	return a;
}

/* A clean-up may allocate and defer again: each is unlinked before it runs. */
static void run_deferred(struct arena *a)
{
	while (a->deferred) {
		struct deferred *d = a->deferred;

		a->deferred = d->earlier;
		d->fn(d->p);
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	run_deferred(a);
	while (a->block) {
		struct block *b = a->block;

		a->block = b->older;
		block_free(b);
	}
	free(a);
}

void arena_reset(struct arena *a)
{
	run_deferred(a);
	while (a->block->older) {
		struct block *b = a->block;

		a->block = b->older;
		block_free(b);
	}
	if (WATCHED) {
		block_free(a->block);
		a->block = block_new(BLOCK_FIRST, NULL);
	}
	a->block->used = 0;
}

void *arena_alloc(struct arena *a, size_t size)
{
	return memset(take(a, size), 0, size);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		log_die("out of memory: %zu elements of %zu bytes", n, size);
	return arena_alloc(a, total);
}

void *arena_grow(struct arena *a, void *p, size_t old, size_t size)
{
	struct block *b = a->block;
	size_t had = p ? footprint(old) : 0, need = footprint(size);
	void *moved;

	if (p && !WATCHED && (char *)p + had == b->data + b->used && need <= b->cap - (b->used - had)) {
		b->used += need - had;
		return p;
	}
	moved = take(a, size);
	if (p) {
		memcpy(moved, p, old);
		ASAN_POISON_MEMORY_REGION(p, old);
	}
	return moved;
}

void *arena_room(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 8, total;

	if (n < *cap)
		return v;
	if (__builtin_mul_overflow(more, size, &total))
		log_die("out of memory: %zu elements of %zu bytes", more, size);
	v = arena_grow(a, v, *cap * size, total);
	*cap = more;
	return v;
}

char *arena_memdup(struct arena *a, const char *s, size_t len)
{
	char *p;

	if (len > SIZE_LIMIT)
		log_die("out of memory: %zu bytes of text", len);
	p = take(a, len + 1);
	if (len)
		memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_memdup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char text[256], *p;	/* most are short, and formatted once so */
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len < 0)
		log_die("a text can't be formatted: \"%s\"", fmt);
	if ((size_t)len < sizeof(text))
		return arena_memdup(a, text, (size_t)len);
	p = take(a, (size_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return p;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *p)
{
	struct deferred *d = take(a, sizeof(*d));

	d->earlier = a->deferred;
	d->fn = fn;
	d->p = p;
	a->deferred = d;
}
