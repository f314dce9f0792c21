/* input.c - the fault list, and declared fields out of JSON objects.
 * Owns: faults and their paths, the walk over a table, what kind of JSON value each type takes.
 * Does not own: bounds and sentences (field.c), the JSON tree (json_body.c). Used by: endpoints. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "input.h"
#include "arena.h"
#include "calendar.h"
#include "field.h"
#include "json_body.h"

#include <json-c/linkhash.h>

static void keep_fault(struct faults *f, const char *field, const char *message)
{
	if (f->n == FAULTS_MAX)
		return;
	f->v = arena_room(f->arena, f->v, f->n, &f->cap, sizeof(*f->v));
	f->v[f->n++] = (struct fault){ field, message };
}

void fault_add(struct faults *f, const char *field, const char *fmt, ...)
{
	struct buf text = BUF_IN(f->arena);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		buf_reserve(&text, (size_t)n);
		va_start(ap, fmt);
		vsnprintf(text.s, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	keep_fault(f, arena_strdup(f->arena, field), n > 0 ? text.s : "");
}

/* An object on the way down: the member, or the element of the list, that it is; NULL at the outermost. */
struct level { const struct level *up; const char *name; size_t index; };
#define NO_INDEX SIZE_MAX

static void add_level(struct buf *b, const struct level *at)
{
	if (!at)
		return;
	add_level(b, at->up);
	if (at->up)
		buf_addc(b, '.');
	if (at->index == NO_INDEX)
		buf_addf(b, "%s", at->name);
	else
		buf_addf(b, "%s[%zu]", at->name, at->index);
}

/* "items[0].quantity"; name NULL for the element itself. */
static const char *path(struct arena *a, const struct level *at, const char *name)
{
	struct buf b = BUF_IN(a);

	add_level(&b, at);
	if (at && name)
		buf_addc(&b, '.');
	buf_adds(&b, name ? name : "");
	return b.s;
}

static struct str text_of(struct json_object *v)
{
	return (struct str){ json_object_get_string(v), (size_t)json_object_get_string_len(v) };
}

/* json-c keeps what is above int64_t as uint64_t, and the nearest value beyond that. */
static bool put_integer(const struct field *d, struct json_object *v, void *out)
{
	int64_t n = json_object_get_int64(v);

	if (d->type == FIELD_ID)
		return field_put_id(d, n > 0 ? json_object_get_uint64(v) : 0, out);
	if (n > 0 && json_object_get_uint64(v) > INT64_MAX)
		return false;
	return field_put_int(d, n, out);
}

static bool put_money(const struct field *d, struct json_object *v, void *out)
{
	char tmp[24];

	return field_put_money(d, body_number_text(v, tmp), out);
}

static bool put_list(const struct field *d, struct json_object *v, void *out, const struct level *at, struct faults *f);
static bool put_object(const struct field *d, struct json_object *v, void *out, const struct level *at, struct faults *f);

static bool read_time_of_day(struct json_object *v, int *minutes)
{
	return json_object_is_type(v, json_type_string) && time_of_day_parse(text_of(v), minutes);
}

/* ["17:00","02:00"]; an end at or before its start is the next day's. */
static bool read_span(struct json_object *v, struct span *s)
{
	if (!json_object_is_type(v, json_type_array) || json_object_array_length(v) != 2)
		return false;
	if (!read_time_of_day(json_object_array_get_idx(v, 0), &s->start) || !read_time_of_day(json_object_array_get_idx(v, 1), &s->end))
		return false;
	if (s->start == DAY_MINUTES || s->start == s->end)
		return false;
	if (s->end < s->start)
		s->end += DAY_MINUTES;
	return true;
}

static bool put_spans(const struct field *d, struct json_object *v, void *out, const struct level *at, struct faults *f)
{
	struct spans spans = { .n = json_object_array_length(v) };
	bool good = true;

	spans.v = arena_array(f->arena, spans.n, sizeof *spans.v);
	for (size_t i = 0; i < spans.n; i++) {
		struct level here = { at, d->name, i };

		if (read_span(json_object_array_get_idx(v, i), &spans.v[i]))
			continue;
		keep_fault(f, path(f->arena, &here, NULL), "must be two different times, such as [\"09:00\",\"13:00\"]; 24:00 is the end of the day");
		good = false;
	}
	if (good && !spans_are_apart(&spans)) {
		keep_fault(f, path(f->arena, at, d->name), "must hold spans that do not overlap");
		good = false;
	}
	if (good)
		memcpy((char *)out + d->offset, &spans, sizeof(spans));
	return good;
}
/* Whether v, which is not null, was accepted. *told: faults inside it were already added. */
static bool put_value(const struct field *d, struct json_object *v, void *out, const struct level *at,
	struct faults *f, bool *told)
{
	enum json_type type = json_object_get_type(v);

	switch (d->type) {
	case FIELD_INT:
	case FIELD_ID:
		return type == json_type_int && put_integer(d, v, out);
	case FIELD_TEXT:
		return type == json_type_string && field_put_text(d, text_of(v), out);
	case FIELD_MONEY:
		return (type == json_type_int || type == json_type_double) && put_money(d, v, out);
	case FIELD_TIME:
		return type == json_type_string && field_put_time(d, text_of(v), out);
	case FIELD_ENUM:
		return type == json_type_string && field_put_word(d, text_of(v), out);
	case FIELD_BOOL:
		if (type == json_type_boolean)
			field_put_bool(d, json_object_get_boolean(v), out);
		return type == json_type_boolean;
	case FIELD_LIST:
		*told = type == json_type_array && (int64_t)json_object_array_length(v) >= d->min
			&& (int64_t)json_object_array_length(v) <= d->max;
		return *told && put_list(d, v, out, at, f);
	case FIELD_DATE:
		return type == json_type_string && field_put_date(d, text_of(v), out);
	case FIELD_SPANS:
		*told = type == json_type_array && (int64_t)json_object_array_length(v) <= d->max;
		return *told && put_spans(d, v, out, at, f);
	case FIELD_OBJECT:
		*told = type == json_type_object;
		return *told && put_object(d, v, out, at, f);
	case FIELD_ENUM_SET:		/* queries only */
	case FIELD__MAX:
		break;
	}
	return false;
}

static bool is_nested(const struct field *d)
{
	return d->type == FIELD_LIST || d->type == FIELD_SPANS || d->type == FIELD_OBJECT;
}

/* What was sent instead, where the wish alone leaves people guessing. */
static const char *remark(const struct field *d, struct json_object *v)
{
	bool number = d->type == FIELD_INT || d->type == FIELD_ID || d->type == FIELD_MONEY;

	switch (json_object_get_type(v)) {
	case json_type_null:
		return ", not null";
	case json_type_boolean:
		return d->type == FIELD_BOOL ? "" : ", not true or false";
	case json_type_double:
		return d->type == FIELD_MONEY ? "" : number ? ", written without point or exponent" : ", not a number";
	case json_type_int:
		return number ? "" : ", not a number";
	case json_type_string:
		return number || is_nested(d) ? ", not text" : d->type == FIELD_BOOL ? " without quotes" : "";
	case json_type_array:
		return d->type == FIELD_LIST || d->type == FIELD_SPANS ? "" : ", not a list";
	case json_type_object:
		return d->type == FIELD_OBJECT ? "" : ", not an object";
	}
	return "";
}

static void refuse(const struct field *d, struct json_object *v, const struct level *at, struct faults *f)
{
	const char *where = path(f->arena, at, d->name);

	if (d->type == FIELD_TEXT && json_object_is_type(v, json_type_string))
		keep_fault(f, where, field_text_wish(f->arena, d, text_of(v)));
	else
		keep_fault(f, where, arena_printf(f->arena, "%s%s", field_wish(f->arena, d), remark(d, v)));
}

/* False where any member is faulty; the faults were added. */
static bool fill(struct json_object *object, const struct field_table *t, void *out, const struct level *at,
	struct faults *f, struct presence *p)
{
	bool good = true;

	for (size_t i = 0; i < t->n; i++) {
		const struct field *d = &t->fields[i];
		struct json_object *v;
		bool told = false;

		if (!json_object_object_get_ex(object, d->name, &v)) {
			if (d->required)
				keep_fault(f, path(f->arena, at, d->name), "is required");
			good = good && !d->required;
		} else if (!v && d->nullable) {
			p->nulls |= UINT64_C(1) << i;
		} else if (v && put_value(d, v, out, at, f, &told)) {
			p->present |= UINT64_C(1) << i;
		} else {
			if (!told)
				refuse(d, v, at, f);
			good = false;
		}
	}
	return good;
}

static bool put_list(const struct field *d, struct json_object *v, void *out, const struct level *at, struct faults *f)
{
	struct input_list list = { .n = json_object_array_length(v) };
	bool good = true;

	list.v = arena_array(f->arena, list.n, d->list->size);
	for (size_t i = 0; i < list.n; i++) {
		struct level here = { at, d->name, i };
		struct json_object *element = json_object_array_get_idx(v, i);
		struct presence ignored = { 0 };

		if (!json_object_is_type(element, json_type_object)) {
			keep_fault(f, path(f->arena, &here, NULL), "must be an object");
			good = false;
		} else if (!fill(element, d->list, (char *)list.v + i * d->list->size, &here, f, &ignored)) {
			good = false;
		}
	}
	if (good)
		memcpy((char *)out + d->offset, &list, sizeof(list));
	return good;
}

static bool is_named(const struct field_table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->fields[i].name, name) == 0)
			return true;
	return false;
}

static bool put_object(const struct field *d, struct json_object *v, void *out, const struct level *at, struct faults *f)
{
	struct level here = { at, d->name, NO_INDEX };
	char *object = (char *)out + d->offset;
	struct presence seen = { 0 };
	bool good = fill(v, d->list, object, &here, f, &seen);

	for (struct lh_entry *e = lh_table_head(json_object_get_object(v)); e; e = lh_entry_next(e)) {
		if (is_named(d->list, lh_entry_k(e)))
			continue;
		keep_fault(f, path(f->arena, &here, lh_entry_k(e)), "is not known here");
		good = false;
	}
	memcpy(object, &seen, sizeof seen);
	return good;
}

struct presence body_fill(const struct body *b, const struct field_table *t, void *out, struct faults *f)
{
	struct presence p = { 0 };

	fill(b->root, t, out, NULL, f, &p);
	return p;
}
