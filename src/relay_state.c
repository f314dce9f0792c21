/* relay_state.c - how the lanes are doing, for the loop and for people.
 * Owns: the words. Does not own: the lanes (relay_lane.c).
 * Used by: relay.c. */
#include "relay.h"

bool relay_lanes_done(const struct relay *r)
{
	for (size_t i = 0; i < r->lane_n; i++)
		if (!r->lanes[i]->is_started || hand_first(r->lanes[i]) || r->lanes[i]->cursor < r->head)
			return false;
	return true;
}

bool relay_lanes_failing(const struct relay *r, unsigned times)
{
	for (size_t i = 0; i < r->lane_n; i++)
		if (r->lanes[i]->failures >= times || r->lanes[i]->closer.failures >= times)
			return true;
	return false;
}

void relay_lanes_state(const struct relay *r, struct buf *out)
{
	for (size_t i = 0; i < r->lane_n; i++) {
		const struct lane *l = r->lanes[i];
		struct wall w;
		if (!l->failures)
			continue;
		time_to_wall(l->failing_since, 0, &w);
		buf_addf(out, "%spush %s: ", out->len ? "; " : "", l->url);
		/* Of the last try that ended: another one may be under way. */
		if (l->failed_with)
			buf_addf(out, "%ld", l->failed_with);
		else
			buf_adds(out, "no answer");
		buf_addf(out, " since %04d-%02d-%02dT%02d:%02d:%02dZ, %llu behind", w.year, w.month, w.day, w.hour, w.minute, w.second,
			(unsigned long long)(r->head > l->cursor ? r->head - l->cursor : 0));
	}
	if (r->put_aside)
		buf_addf(out, "%s%llu put aside", out->len ? "; " : "", (unsigned long long)r->put_aside);
}
