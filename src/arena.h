/* arena.h - memory that lives as long as one request (or one turn of a loop).
 * Owns: blocks and deferred clean-ups. Does not own: what outlives a request.
 * Running out of memory ends the process with a line in the log: nothing was answered yet, the database
 * rolls back, the supervisor starts the next one. So no function here returns NULL. */
#ifndef PICKUP_ARENA_H
#define PICKUP_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* A new arena, owned by the caller. */
struct arena *arena_new(void);
/* Runs the deferred clean-ups, gives everything back. NULL is fine. */
void arena_free(struct arena *a);
/* Runs the deferred clean-ups (last first), empties the arena; keeps its first block, frees the others. */
void arena_reset(struct arena *a);
/* size bytes, zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, alloc_size(2), returns_nonnull));
/* n * size bytes, zeroed; ends the process where the product overflows. */
void *arena_array(struct arena *a, size_t n, size_t size) __attribute__((malloc, alloc_size(2, 3), returns_nonnull));
/* The old bytes at p (NULL: none) as the start of size bytes, size >= old; in place where p was handed out last and there is room.
 * p must not be used afterwards; what is beyond old is undefined. For buffers that grow. */
void *arena_grow(struct arena *a, void *p, size_t old, size_t size) __attribute__((returns_nonnull));
/* The array v of n elements, size bytes each, with room for one more: v itself, or twice as long elsewhere (*cap elements). v NULL and *cap 0: none yet. */
void *arena_room(struct arena *a, void *v, size_t n, size_t *cap, size_t size) __attribute__((returns_nonnull));
/* The len bytes at s and a NUL. */
char *arena_memdup(struct arena *a, const char *s, size_t len) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3), returns_nonnull));
/* Calls fn(p) at the next reset or free. */
void arena_defer(struct arena *a, void (*fn)(void *), void *p);

#endif
