/* ep_slots.c - the slots of one of a shop's days, for everybody to choose from.
 * Owns: the state of a slot as it is shown. Does not own: where slots are (calendar.c), what is taken (db_shop.c). */
#include "ep.h"

#include "db_shop.h"
#include "problem.h"
#include "reply.h"
#include "terms.h"

struct slots_input { int64_t date; };

static const struct field slots_fields[] = {
	{ .name = "date", .type = FIELD_DATE, .required = true, .offset = offsetof(struct slots_input, date) },
};
static const struct field_table slots_table = { slots_fields, 1, sizeof(struct slots_input) };

static enum outcome read_date(struct req *r, struct slots_input *in)
{
	struct faults f = FAULTS_IN(r->arena);
	struct query q = query_parse(r->arena, r->http.query, &f);
	query_fill(&q, &slots_table, in, &f);
	return f.n ? problem_faults(r, &f) : OC_OK;
}

/* None for one that nobody could be sent to, whatever the time: too far ahead, or with the last orders before it. */
static const char *state_of(const struct terms *t, instant now, const struct slot *slot, uint64_t taken)
{
	if (slot->start <= now)
		return "past";
	switch (calendar_judge(&t->calendar, now, slot->start)) {
	case CALENDAR_TOO_SOON:
		return "too_soon";
	case CALENDAR_TOO_FAR:
	case CALENDAR_OUTSIDE_HOURS:
		return NULL;
	case CALENDAR_OK:
		break;
	}
	if (t->paused_until != INSTANT_NONE && slot->start < t->paused_until)
		return "too_soon";
	return terms_have_places(t) && taken >= (uint64_t)t->slot_capacity ? "full" : "open";
}

static void add_slot(struct buf *b, const struct terms *t, const struct slot *slot, const char *state, uint64_t taken)
{
	buf_adds(b, "{\"start\":");
	time_to_json(b, slot->start, t->calendar.zone);
	buf_adds(b, ",\"end\":");
	time_to_json(b, slot->end, t->calendar.zone);
	buf_addf(b, ",\"state\":\"%s\",\"left\":", state);
	if (!terms_have_places(t))
		buf_adds(b, "null}");
	else
		buf_addf(b, "%llu}", (unsigned long long)((uint64_t)t->slot_capacity > taken ? (uint64_t)t->slot_capacity - taken : 0));
}

static void add_slots(struct req *r, const struct terms *t, const struct slot *slots, size_t n, const struct slot_count *counts, size_t count_n)
{
	struct buf *b = reply_json(r, 200);
	size_t at = 0, added = 0;
	buf_addc(b, '[');
	for (size_t i = 0; i < n; i++) {
		uint64_t taken = 0;
		for (; at < count_n && counts[at].pickup < slots[i].end; at++)
			if (counts[at].pickup >= slots[i].start)
				taken += counts[at].taken;
		const char *state = state_of(t, r->now, &slots[i], taken);
		if (!state)
			continue;
		if (added++)
			buf_addc(b, ',');
		add_slot(b, t, &slots[i], state, taken);
	}
	buf_addc(b, ']');
}

enum outcome ep_slots(struct req *r)
{
	struct slots_input in = { 0 };
	struct shop shop;
	struct terms terms;
	struct slot *slots;
	struct slot_count *counts = NULL;
	size_t n, count_n = 0;
	enum outcome oc = read_date(r, &in);
	if (oc == OC_OK)
		oc = db_shop_get(r->app->db, r->arena, (struct shop_id){ r->ids[0] }, &shop);
	if (oc == OC_OK && !shop.is_active)
		oc = OC_NOT_FOUND;
	if (oc == OC_OK)
		oc = terms_of(r->app, r->arena, &shop, r->now, &terms);
	if (oc != OC_OK)
		return oc;
	if (!terms.calendar.slot_minutes)
		return problem_reply(r, PROBLEM_NO_SLOTS, "It takes a pre_order for any time at which it is open.");
	calendar_slots(&terms.calendar, r->arena, in.date, &slots, &n);
	if (n && terms_have_places(&terms))
		oc = db_slot_counts(r->app->db, r->arena, shop.id, slots[0].start, slots[n - 1].end, &counts, &count_n);
	if (oc == OC_OK)
		add_slots(r, &terms, slots, n, counts, count_n);
	return oc;
}
