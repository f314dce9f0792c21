/* outcome.h - the verdicts that every layer shares.
 * Owns: the enum that says what the caller does next. Does not own: HTTP statuses (problem.c maps them).
 * Used by: everything. */
#ifndef PICKUP_OUTCOME_H
#define PICKUP_OUTCOME_H

enum outcome {
	OC_OK,		/* done */
	OC_NOT_FOUND,	/* no such row, or none that this person may know of */
	OC_CONFLICT,	/* a unique key is taken, or a guarded UPDATE matched no row */
	OC_BUSY,	/* deadlock or lock wait time-out: the unit of work was undone and may be replayed as a whole */
	OC_DOWN,	/* the database can't be reached, went away, or is out of disk, memory, …: refuse with 503 */
	OC_REFUSED,	/* the request was refused; the reply or the fault list says why */
	OC_BAD,		/* malformed data where the program has no right to expect any: a bug or a foreign hand; logged */
	OC__MAX
};

#define must_check __attribute__((warn_unused_result))

#endif
