/* gate.c - see gate.h. */
#include "gate.h"

#include <string.h>

#include "problem.h"

#define ALTERNATIVES 3
/* Times are looked for a few days at a time, as far as the calendar goes; what places are left is asked so many times. */
#define LOOK_DAYS 7
/* From one look to the next: a look is at whole dates, but begins within one, and a day may have an hour less. */
#define LOOK_STEP DAYS(LOOK_DAYS - 2)
#define DAYS(n) ((n) * 86400 * INSTANT_SECOND)
#define LOOKS_MAX 9
#define CANDIDATES_MAX 512

static enum gate judge_pre_order(const struct terms *t, instant now, instant pickup)
{
	if (t->paused_until != INSTANT_NONE && (!t->pre_orders_while_paused || pickup < t->paused_until))
		return GATE_PAUSED;
	switch (calendar_judge(&t->calendar, now, pickup)) {
	case CALENDAR_TOO_FAR:
		return GATE_TOO_FAR;
	case CALENDAR_TOO_SOON:
		return GATE_TOO_SOON;
	case CALENDAR_OUTSIDE_HOURS:
		return GATE_OUTSIDE_HOURS;
	case CALENDAR_OK:
		break;
	}
	return GATE_OPEN;
}

enum gate gate_judge(const struct terms *t, instant now, enum order_type type, instant pickup)
{
	if (type == ORDER_PRE_ORDER)
		return judge_pre_order(t, now, pickup);
	if (t->paused_until != INSTANT_NONE)
		return GATE_PAUSED;
	return calendar_takes_instant(&t->calendar, now) ? GATE_OPEN : GATE_CLOSED;
}

enum outcome gate_is_full(struct db *db, struct shop_id shop, const struct terms *t, instant pickup, bool *is_full)
{
	struct slot slot;
	uint64_t taken;
	*is_full = false;
	if (!terms_have_places(t) || !calendar_slot_of(&t->calendar, pickup, &slot))
		return OC_OK;
	enum outcome oc = db_slot_count(db, shop, slot.start, slot.end, &taken);
	*is_full = oc == OC_OK && taken >= (uint64_t)t->slot_capacity;
	return oc;
}

/* Keeps those of the times whose slots have a place left. Both the times and the counts ascend. */
static enum outcome drop_full(struct req *r, struct shop_id shop, const struct terms *t, instant *times, size_t *n)
{
	struct slot_count *counts;
	struct slot slot, last;
	size_t count_n, at = 0, kept = 0;
	if (*n == 0 || !terms_have_places(t))
		return OC_OK;
	if (!calendar_slot_of(&t->calendar, times[0], &slot) || !calendar_slot_of(&t->calendar, times[*n - 1], &last))
		return OC_BAD;
	enum outcome oc = db_slot_counts(r->app->db, r->arena, shop, slot.start, last.end, &counts, &count_n);
	if (oc != OC_OK)
		return oc;
	for (size_t i = 0; i < *n; i++) {
		uint64_t taken = 0;
		if (!calendar_slot_of(&t->calendar, times[i], &slot))
			continue;
		for (; at < count_n && counts[at].pickup < slot.end; at++)
			if (counts[at].pickup >= slot.start)
				taken += counts[at].taken;
		if (taken < (uint64_t)t->slot_capacity)
			times[kept++] = times[i];
	}
	*n = kept;
	return OC_OK;
}

/* The next ones from a time on. */
static enum outcome look_ahead(struct req *r, struct shop_id shop, const struct terms *t, instant from, instant out[ALTERNATIVES], size_t *n)
{
	size_t max = terms_have_places(t) ? CANDIDATES_MAX : ALTERNATIVES;
	instant *times = arena_array(r->arena, max, sizeof *times), soonest = r->now + t->calendar.lead_minutes * 60 * INSTANT_SECOND;
	from = from > soonest ? from : soonest;
	instant end = from + DAYS(CALENDAR_HORIZON_DAYS);
	for (int looks = 0; looks < LOOKS_MAX && *n < ALTERNATIVES && from < end; ) {
		size_t found = calendar_candidates(&t->calendar, r->now, from, LOOK_DAYS, times, max);
		looks += found > 0;
		/* Where they were more than fit, the next look begins behind the last of them. */
		from = found == max ? times[found - 1] + 1 : from + LOOK_STEP;
		enum outcome oc = drop_full(r, shop, t, times, &found);
		if (oc != OC_OK)
			return oc;
		for (size_t i = 0; i < found && *n < ALTERNATIVES; i++)
			if (*n == 0 || times[i] > out[*n - 1])
				out[(*n)++] = times[i];
	}
	return OC_OK;
}

/* The last ones before a time that is too far off, but none within a pause. */
static enum outcome look_back(struct req *r, struct shop_id shop, const struct terms *t, instant before, instant out[ALTERNATIVES], size_t *n)
{
	instant first = t->paused_until == INSTANT_NONE ? r->now : t->paused_until, end = r->now + DAYS(t->calendar.max_days_ahead + 2);
	instant *room = arena_array(r->arena, CANDIDATES_MAX, sizeof *room);
	before = before < end ? before : end;
	if (first < before - DAYS(CALENDAR_HORIZON_DAYS))
		first = before - DAYS(CALENDAR_HORIZON_DAYS);
	for (int looks = 0; looks < LOOKS_MAX && *n < ALTERNATIVES && before > first; ) {
		instant *times = room;
		size_t found = calendar_candidates_before(&t->calendar, r->now, before, LOOK_DAYS, times, CANDIDATES_MAX);
		looks += found > 0;
		before = found ? times[0] : before - LOOK_STEP;
		for (; found && *times < first; times++)
			found--;
		enum outcome oc = drop_full(r, shop, t, times, &found);
		if (oc != OC_OK)
			return oc;
		size_t more = found < ALTERNATIVES - *n ? found : ALTERNATIVES - *n;
		memmove(out + more, out, *n * sizeof *out);
		memcpy(out, times + found - more, more * sizeof *out);
		*n += more;
	}
	return OC_OK;
}

/* None where no time would do before the pause is over. */
static enum outcome add_alternatives(struct req *r, struct buf *b, struct shop_id shop, const struct terms *t, enum gate verdict, instant pickup)
{
	instant times[ALTERNATIVES];
	size_t n = 0;
	bool is_pause = t->paused_until != INSTANT_NONE && pickup < t->paused_until;
	enum outcome oc = OC_OK;
	if (verdict == GATE_TOO_FAR)
		oc = look_back(r, shop, t, pickup, times, &n);
	else if (verdict != GATE_PAUSED || t->pre_orders_while_paused)
		oc = look_ahead(r, shop, t, is_pause ? t->paused_until : pickup, times, &n);
	if (oc != OC_OK)
		return oc;
	buf_adds(b, ",\"alternatives\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(b, ',');
		time_to_json(b, times[i], t->calendar.zone);
	}
	buf_addc(b, ']');
	return OC_OK;
}

static void add_time(struct buf *b, const char *name, instant t, const struct zone *z)
{
	buf_addf(b, ",\"%s\":", name);
	time_to_json(b, t, z);
}

enum outcome gate_refuse(struct req *r, struct shop_id shop, const struct terms *t, enum gate verdict, instant pickup)
{
	static const struct { enum problem problem; const char *detail; } refusals[GATE__MAX] = {
		[GATE_OPEN] = { PROBLEM_INTERNAL, "" },
		[GATE_CLOSED] = { PROBLEM_SHOP_CLOSED, "Order once it has opened, or place a pre_order." },
		[GATE_PAUSED] = { PROBLEM_SHOP_PAUSED, "Order once it goes on." },
		[GATE_TOO_FAR] = { PROBLEM_TOO_FAR, "Choose an earlier time; see alternatives." },
		[GATE_TOO_SOON] = { PROBLEM_TOO_SOON, "Choose a later time; see alternatives." },
		[GATE_OUTSIDE_HOURS] = { PROBLEM_OUTSIDE_HOURS, "Choose a time at which it is open; see alternatives." },
		[GATE_SLOT_FULL] = { PROBLEM_SLOT_FULL, "Choose another time; see alternatives." },
	};
	struct buf *b = problem_open(r, refusals[verdict].problem, refusals[verdict].detail);
	if (verdict == GATE_CLOSED) {
		add_time(b, "opens_at", calendar_next_instant(&t->calendar, r->now), t->calendar.zone);
		return problem_close(r);
	}
	if (verdict == GATE_PAUSED)
		add_time(b, "resumes_at", t->paused_until, t->calendar.zone);
	enum outcome oc = pickup == INSTANT_NONE ? OC_OK : add_alternatives(r, b, shop, t, verdict, pickup);
	return oc == OC_OK ? problem_close(r) : oc;
}
