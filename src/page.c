/* page.c - see page.h. */
#include "page.h"

#include "problem.h"
#include "reply.h"

static const struct field page_fields[] = {
	{ .name = "limit", .type = FIELD_INT, .min = 1, .max = LIMIT_MAX, .offset = offsetof(struct page_input, limit) },
	{ .name = "cursor", .type = FIELD_ID, .offset = offsetof(struct page_input, cursor) },
	{ .name = "include_inactive", .type = FIELD_BOOL, .offset = offsetof(struct page_input, include_inactive) },
};
enum { ALL_FIELDS = sizeof page_fields / sizeof *page_fields };

enum outcome page_read(struct req *r, bool has_inactive, struct query *q, struct page_input *in)
{
	const struct field_table table = { page_fields, has_inactive ? ALL_FIELDS : ALL_FIELDS - 1, sizeof *in };
	struct faults f = FAULTS_IN(r->arena);
	*in = (struct page_input){ .limit = LIMIT_DEFAULT };
	*q = query_parse(r->arena, r->http.query, &f);
	query_fill(q, &table, in, &f);
	return f.n ? problem_faults(r, &f) : OC_OK;
}

void page_link(struct req *r, const struct query *q, uint64_t last_id)
{
	reply_link_next(r, q, arena_printf(r->arena, "%llu", (unsigned long long)last_id));
}
