/* ep_events.c - notifications by number, for subscribers whose connection broke.
 * Owns: after, limit, 410. Does not own: numbering (the relay's). */
#include "ep.h"

#include "access.h"
#include "db_outbox.h"
#include "problem.h"
#include "reply.h"

struct events_input { int64_t after, limit; };

static const struct field events_fields[] = {
	{ .name = "after", .type = FIELD_INT, .min = 0, .max = INT64_MAX, .offset = offsetof(struct events_input, after) },
	{ .name = "limit", .type = FIELD_INT, .min = 1, .max = LIMIT_MAX, .offset = offsetof(struct events_input, limit) },
};
enum { F_AFTER, F_LIMIT };
static const struct field_table events_table = { events_fields, sizeof events_fields / sizeof *events_fields, sizeof(struct events_input) };

static enum outcome reply_gone(struct req *r, uint64_t last)
{
	struct buf *b = problem_open(r, PROBLEM_GONE, "Read the lists instead, and go on from last_seq.");
	buf_addf(b, ",\"last_seq\":%llu", (unsigned long long)last);
	return problem_close(r);
}

static enum outcome reply_events(struct req *r, const struct event_row *events, size_t n, uint64_t last)
{
	struct buf *b = reply_json(r, 200);
	buf_adds(b, "{\"events\":[");
	for (size_t i = 0; i < n; i++) {
		buf_addf(b, "%s{\"seq\":%llu,\"at\":", i ? "," : "", (unsigned long long)events[i].seq);
		time_to_json(b, events[i].at, zone_get(r->app->zones, events[i].timezone));
		buf_adds(b, ",\"message\":");
		buf_addstr(b, events[i].body);
		buf_addc(b, '}');
	}
	buf_addf(b, "],\"last_seq\":%llu}", (unsigned long long)last);
	return OC_OK;
}

static enum outcome read_input(struct req *r, struct events_input *in, bool *has_after)
{
	struct faults f = FAULTS_IN(r->arena);
	struct query q = query_parse(r->arena, r->http.query, &f);
	struct presence seen = query_fill(&q, &events_table, in, &f);
	*has_after = seen.present & 1u << F_AFTER;
	return f.n ? problem_faults(r, &f) : OC_OK;
}

static size_t up_to_gap(const struct event_row *events, size_t n)
{
	size_t i = n ? 1 : 0;
	while (i < n && events[i].seq == events[i - 1].seq + 1)
		i++;
	return i;
}

static enum outcome events_of(struct req *r, enum channel_kind kind)
{
	struct channel ch = { kind, r->ids[0] };
	struct events_input in = { .limit = LIMIT_DEFAULT };
	struct event_row *events = NULL;
	uint64_t last = 0;
	size_t n = 0;
	bool has_after;
	enum outcome oc = access_channel(r, ch);
	if (oc == OC_OK)
		oc = read_input(r, &in, &has_after);
	if (oc == OC_OK)
		oc = db_channels_last(r->app->db, &ch, 1, &last);
	if (oc == OC_OK && has_after)
		oc = db_events_after(r->app->db, r->arena, ch, (uint64_t)in.after, (uint64_t)in.limit, &events, &n);
	if (oc != OC_OK)
		return oc;
	/* Only a database that was set back has a gap (`pickup restored`): what lies behind it is for who asks again, and then it is one. */
	if (n)
		n = up_to_gap(events, n);
	/* Some may have been numbered since. */
	if (n && events[n - 1].seq > last)
		last = events[n - 1].seq;
	/* Numbers have no gaps: where the next one is missing, it was forgotten. */
	uint64_t first = n ? events[0].seq : last + 1;
	if (has_after && (uint64_t)in.after + 1 < first)
		return reply_gone(r, last);
	return reply_events(r, events, n, last);
}

enum outcome ep_events_of_shop(struct req *r)
{
	return events_of(r, CHANNEL_SHOP);
}

enum outcome ep_events_of_customer(struct req *r)
{
	return events_of(r, CHANNEL_CUSTOMER);
}
