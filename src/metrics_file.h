/* metrics_file.h - the form of the file that metrics.c and metrics_sum.c share.
 * Owns: its layout. Used by these two only. */
#ifndef PICKUP_METRICS_FILE_H
#define PICKUP_METRICS_FILE_H

#include <stddef.h>

#include "metrics.h"

/* Another number with each change of what follows: a file of another form is replaced. */
#define METRICS_MAGIC UINT64_C(0x7069636b75700001)
/* What all such numbers have in common: a file without is somebody's who may need it. */
#define METRICS_KIND(magic) ((magic) >> 16)
/* Processes at once: more of them count nowhere. Slots that nobody ever had take no memory. */
#define METRICS_SLOTS 256

struct metrics_head { uint64_t magic, size, meaning; };
struct metrics_file {
	struct metrics_head head;
	metrics_count used;		/* slots that somebody had: those behind them are empty */
	struct metrics_slot slots[METRICS_SLOTS];
};

/* Locks are on single bytes far from the content: the head's, held while a process comes, and behind it one for each slot. */
#define METRICS_HEAD ((size_t)1 << 30)
/* False: somebody else has it, or it can't be had. type: F_WRLCK or F_UNLCK. */
bool metrics_lock(int fd, short type, size_t byte);

struct metrics {
	enum metrics_role role;
	uint64_t meaning;
	struct metrics_slot *own, *unread;	/* own is in the file, or the other */
	struct metrics_file *file;		/* NULL: not there */
	int fd;					/* holds the slot's lock; negative where file is NULL */
	size_t slot;
	const char *path;
	int64_t look_at;
	enum outcome state;			/* of the last look */
	bool may_replace;			/* one of other rows; once, as a start means that this version is wanted */
	bool is_told;
};

#endif
