/* hours.c - see hours.h. */
#include "hours.h"

#include <stdlib.h>

#include "arena.h"
#include "timefmt.h"

#define DAY(index, name_) { .name = name_, .type = FIELD_SPANS, .max = HOURS_SPANS_MAX, .offset = offsetof(struct hours_week, days[index]) }

static const struct field week_fields[] = {
	DAY(0, "mon"), DAY(1, "tue"), DAY(2, "wed"), DAY(3, "thu"), DAY(4, "fri"), DAY(5, "sat"), DAY(6, "sun"),
};
const struct field_table hours_week_table = { week_fields, sizeof week_fields / sizeof *week_fields, sizeof(struct hours_week) };

static const struct field exception_fields[] = {
	{ .name = "date", .type = FIELD_DATE, .required = true, .offset = offsetof(struct exception, date) },
	{ .name = "hours", .type = FIELD_SPANS, .required = true, .max = HOURS_SPANS_MAX, .offset = offsetof(struct exception, hours) },
	{ .name = "note", .type = FIELD_TEXT, .nullable = true, .max = HOURS_NOTE_MAX, .offset = offsetof(struct exception, note) },
};
const struct field_table hours_exception_table = {
	exception_fields, sizeof exception_fields / sizeof *exception_fields, sizeof(struct exception)
};

static int by_date(const void *a, const void *b)
{
	const struct exception *x = a, *y = b;
	return (x->date > y->date) - (x->date < y->date);
}

bool hours_exceptions_sort(struct exception *v, size_t n)
{
	if (n)
		qsort(v, n, sizeof *v, by_date);
	for (size_t i = 1; i < n; i++)
		if (v[i].date == v[i - 1].date)
			return false;
	return true;
}

static void print_time(struct buf *b, int minutes)
{
	buf_addf(b, "\"%02d:%02d\"", minutes / 60, minutes % 60);
}

static void print_spans(struct buf *b, const struct spans *s)
{
	buf_addc(b, '[');
	for (size_t i = 0; i < s->n; i++) {
		buf_adds(b, i ? ",[" : "[");
		print_time(b, s->v[i].start);
		buf_addc(b, ',');
		print_time(b, s->v[i].end > DAY_MINUTES ? s->v[i].end - DAY_MINUTES : s->v[i].end);
		buf_addc(b, ']');
	}
	buf_addc(b, ']');
}

void hours_print_week(struct buf *b, const struct hours_week *w)
{
	size_t named = 0;
	buf_addc(b, '{');
	for (size_t day = 0; day < 7; day++) {
		if (!(w->seen.present & UINT64_C(1) << day))
			continue;
		buf_adds(b, named++ ? ",\"" : "\"");
		buf_adds(b, week_fields[day].name);
		buf_adds(b, "\":");
		print_spans(b, &w->days[day]);
	}
	buf_addc(b, '}');
}

void hours_print_exceptions(struct buf *b, const struct exception *v, size_t n)
{
	buf_addc(b, '[');
	for (size_t i = 0; i < n; i++) {
		buf_adds(b, i ? ",{\"date\":\"" : "{\"date\":\"");
		date_print(b, v[i].date);
		buf_adds(b, "\",\"hours\":");
		print_spans(b, &v[i].hours);
		buf_adds(b, ",\"note\":");
		buf_addjson(b, v[i].note);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

struct stored { struct hours_week week; struct input_list exceptions; };

static const struct field stored_fields[] = {
	{ .name = "opening_hours", .type = FIELD_OBJECT, .nullable = true, .list = &hours_week_table, .offset = offsetof(struct stored, week) },
	{ .name = "exceptions", .type = FIELD_LIST, .nullable = true, .max = HOURS_EXCEPTIONS_MAX, .list = &hours_exception_table,
	  .offset = offsetof(struct stored, exceptions) },
};
static const struct field_table stored_table = { stored_fields, sizeof stored_fields / sizeof *stored_fields, sizeof(struct stored) };

bool hours_parse(struct arena *a, struct str week, struct str exceptions, struct hours *out)
{
	struct stored in = { 0 };
	struct faults f = FAULTS_IN(a);
	struct buf text = BUF_IN(a);
	struct body *body;
	const char *why;
	*out = (struct hours){ 0 };
	if (!week.s && !exceptions.s)
		return true;
	buf_adds(&text, "{\"opening_hours\":");
	buf_addstr(&text, week.s ? week : STR("null"));
	buf_adds(&text, ",\"exceptions\":");
	buf_addstr(&text, exceptions.s ? exceptions : STR("null"));
	buf_addc(&text, '}');
	if (body_parse(a, buf_str(&text), &body, &why) != OC_OK)
		return false;
	struct presence seen = body_fill(body, &stored_table, &in, &f);
	*out = (struct hours){ seen.present & 1, in.week, in.exceptions.v, in.exceptions.n };
	return f.n == 0 && hours_exceptions_sort(out->exceptions, out->exception_count);
}
