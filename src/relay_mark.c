/* relay_mark.c - where a lane's cursor stood some seconds ago.
 * Owns: the marks of one lane. Does not own: the cursor, the clock (relay_lane.c).
 * Used by: relay_lane.c. */
#include "relay.h"

#define BUCKET_US (RELAY_OVERLAP_US / (RELAY_MARKS - 1))

void relay_marks_reset(struct relay_marks *m, uint64_t cursor)
{
	*m = (struct relay_marks){ .settled = cursor };
}

static void drop_oldest(struct relay_marks *m)
{
	m->settled = m->slot[0].cursor;
	m->n--;
	for (size_t i = 0; i < m->n; i++)
		m->slot[i] = m->slot[i + 1];
}

void relay_marks_note(struct relay_marks *m, uint64_t cursor, int64_t now)
{
	struct relay_mark *newest = m->n ? &m->slot[m->n - 1] : NULL;
	if (cursor <= (newest ? newest->cursor : m->settled))
		return;
	if (newest && now - newest->first < BUCKET_US) {
		newest->last = now;
		newest->cursor = cursor;
		return;
	}
	/* A bucket lasts as long as the step between two, so a full row reaches back all the time. */
	if (m->n == RELAY_MARKS)
		drop_oldest(m);
	m->slot[m->n++] = (struct relay_mark){ now, now, cursor };
}

uint64_t relay_marks_settled(struct relay_marks *m, int64_t now)
{
	while (m->n && now - m->slot[0].last >= RELAY_OVERLAP_US)
		drop_oldest(m);
	return m->settled;
}
