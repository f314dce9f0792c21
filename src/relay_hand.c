/* relay_hand.c - the messages that a lane has in hand.
 * Owns: where they come from (the newest in memory, or pages of events), which go together. Does not own: sending them (relay_lane.c).
 * Used by: relay_lane.c, relay_state.c. */
#include "relay.h"

#define PAGE_ROWS 256

const struct relay_msg *hand_first(const struct lane *l)
{
	return l->hand_i < l->hand_n ? &l->hand[l->hand_i] : NULL;
}

const struct relay_msg *hand_last(const struct lane *l)
{
	return l->hand_i < l->hand_n ? &l->hand[l->hand_n - 1] : NULL;
}

void hand_drop_first(struct lane *l)
{
	l->hand_i++;
}

void hand_clear(struct lane *l)
{
	l->page_i = l->page_n = 0;
	l->hand_i = l->hand_n = 0;
}

static bool read_page(struct relay *r, struct lane *l)
{
	arena_reset(l->page_arena);
	l->page_i = l->page_n = 0;
	if (!relay_db_ok(r, db_events_from(r->db, l->page_arena, l->cursor, PAGE_ROWS, &l->page, &l->page_n))) {
		l->page_n = 0;
		return false;
	}
	/* Nothing, though there was: a database node that lags behind, or somebody deleted events. */
	if (l->page_n == 0)
		l->read_at = clock_mono() + r->conf->relay_poll_ms * 1000;
	return l->page_n > 0;
}

/* The first message, the one after the cursor. */
static bool take_first(struct relay *r, struct lane *l, bool chores)
{
	const struct relay_msg *m;
	if (l->page_i == l->page_n) {
		if (l->cursor >= r->head)
			return false;
		if ((m = window_find(r->window, l->cursor + 1))) {
			relay_msg_set(&l->hand[l->hand_n++], &(struct pub_row){ m->pub_no, m->channel, m->seq, { m->body, m->len } });
			return true;
		}
		if (!chores || !relay_db_ready(r) || clock_mono() < l->read_at || !read_page(r, l))
			return false;
	}
	relay_msg_set(&l->hand[l->hand_n++], &l->page[l->page_i++]);
	return true;
}

/* A customer hears of an order what came after that its shop has heard of it. */
static bool may_join(const struct lane *l, struct channel ch)
{
	if (ch.kind == CHANNEL_CUSTOMER && l->hand[l->hand_n - 1].channel.kind == CHANNEL_SHOP)
		return false;
	for (size_t i = 0; i < l->hand_n; i++)
		if (l->hand[i].channel.kind == ch.kind && l->hand[i].channel.id == ch.id)
			return false;
	return true;
}

/* The one after the last in hand, where nothing must be asked for it. */
static bool take_another(const struct relay *r, struct lane *l)
{
	const struct relay_msg *m;
	if (l->hand_n == PUSH_AT_ONCE)
		return false;
	if (l->page_i < l->page_n) {
		if (!may_join(l, l->page[l->page_i].channel))
			return false;
		relay_msg_set(&l->hand[l->hand_n++], &l->page[l->page_i++]);
		return true;
	}
	m = window_find(r->window, l->hand[l->hand_n - 1].pub_no + 1);
	if (!m || !may_join(l, m->channel))
		return false;
	relay_msg_set(&l->hand[l->hand_n++], &(struct pub_row){ m->pub_no, m->channel, m->seq, { m->body, m->len } });
	return true;
}

bool hand_fill(struct relay *r, struct lane *l, bool chores)
{
	l->hand_i = l->hand_n = 0;
	if (!take_first(r, l, chores))
		return false;
	while (take_another(r, l))
		continue;
	return true;
}
