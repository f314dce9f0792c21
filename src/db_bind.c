/* db_bind.c - values between struct db_val and the client library.
 * Owns: the buffers of a statement's parameters and columns. Does not own: statements (db_stmt.c).
 * Used by: db_stmt.c. */
#include <stdlib.h>
#include <string.h>

#include "db_internal.h"

#define TEXT_CAP 256
/* Larger buffers are given back after each statement: one long text must not stay with a worker for ever. */
#define TEXT_KEPT 16384

static bool is_text(const struct side *s, unsigned i)
{
	return s->slot[i].type == 's' || s->slot[i].type == 'm';
}

/* Room for len bytes; what the buffer held is lost. */
static void make_room(struct side *s, unsigned i, size_t len)
{
	MYSQL_BIND *b = &s->bind[i];
	struct slot *slot = &s->slot[i];
	size_t cap = b->buffer ? b->buffer_length : TEXT_CAP;

	if (b->buffer && len <= b->buffer_length)
		return;
	while (cap < len)
		cap *= 2;
	if (b->buffer != slot->kept || cap <= TEXT_KEPT)
		free(b->buffer);
	b->buffer = db_need(cap, 1);
	b->buffer_length = (unsigned long)cap;
	if (cap <= TEXT_KEPT) {
		slot->kept = b->buffer;
		slot->kept_size = cap;
	}
	s->moved = true;
	s->is_large |= cap > TEXT_KEPT;
}

/* Takes no new memory: a small piece of it amid a request would lie above all that the request took, and keep that from the system. */
void db_side_shrink(struct side *s)
{
	if (!s->is_large)
		return;
	for (unsigned i = 0; i < s->n; i++) {
		MYSQL_BIND *b = &s->bind[i];
		if (!is_text(s, i) || b->buffer == s->slot[i].kept)
			continue;
		free(b->buffer);
		b->buffer = s->slot[i].kept;
		b->buffer_length = (unsigned long)s->slot[i].kept_size;
		s->moved = true;
	}
	s->is_large = false;
}

static void describe(struct side *s, unsigned i)
{
	MYSQL_BIND *b = &s->bind[i];
	struct slot *slot = &s->slot[i];

	b->is_null = &slot->null;
	b->length = &slot->len;
	b->error = &slot->cut;
	b->buffer_type = MYSQL_TYPE_LONGLONG;
	b->is_unsigned = slot->type == 'u';
	if (is_text(s, i)) {
		b->buffer_type = MYSQL_TYPE_STRING;
		make_room(s, i, 0);
	} else if (slot->type == 't') {
		b->buffer_type = MYSQL_TYPE_DATETIME;
		b->buffer = &slot->t;
		b->buffer_length = sizeof slot->t;
	} else {
		b->buffer = &slot->u;
		b->buffer_length = sizeof slot->u;
	}
}

void db_side_init(struct side *s, struct str types)
{
	s->n = (unsigned)types.len;
	s->moved = s->n > 0;
	s->bind = db_need(s->n, sizeof *s->bind);
	s->slot = db_need(s->n, sizeof *s->slot);
	for (unsigned i = 0; i < s->n; i++) {
		s->slot[i].type = types.s[i];
		describe(s, i);
	}
}

void db_side_clear(struct side *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (is_text(s, i)) {
			if (s->bind[i].buffer != s->slot[i].kept)
				free(s->bind[i].buffer);
			free(s->slot[i].kept);
		}
	free(s->bind);
	free(s->slot);
	*s = (struct side){ 0 };
}

static void put_text(struct side *s, unsigned i, struct str text)
{
	make_room(s, i, text.len);
	if (text.len)
		memcpy(s->bind[i].buffer, text.s, text.len);
	s->slot[i].len = (unsigned long)text.len;
}

static void put_time(MYSQL_TIME *t, instant at)
{
	struct wall w;

	time_to_wall(at, 0, &w);
	*t = (MYSQL_TIME){ .year = (unsigned)w.year, .month = (unsigned)w.month, .day = (unsigned)w.day, .hour = (unsigned)w.hour,
		.minute = (unsigned)w.minute, .second = (unsigned)w.second, .second_part = (unsigned long)w.usec,
		.time_type = MYSQL_TIMESTAMP_DATETIME };
}

bool db_side_put(struct side *s, unsigned i, const struct db_val *v)
{
	static const char letters[] = { [DB_UINT] = 'u', [DB_INT] = 'i', [DB_TEXT] = 's', [DB_TIME] = 't', [DB_MONEY] = 'm' };
	struct slot *slot = &s->slot[i];
	char decimal[24];

	slot->null = v->type == DB_NULL;
	if (slot->null)
		return true;
	if (letters[v->type] != slot->type)
		return false;
	if (slot->type == 'u')
		slot->u = v->u;
	else if (slot->type == 'i')
		slot->i = v->i;
	else if (v->type == DB_TEXT)
		put_text(s, i, v->s);
	else if (slot->type == 't')
		put_time(&slot->t, v->t);
	else {
		money_to_decimal(decimal, v->m);
		put_text(s, i, str_from(decimal));
	}
	return true;
}

static bool get_time(const MYSQL_TIME *t, instant *out)
{
	struct wall w = { (int)t->year, (int)t->month, (int)t->day, (int)t->hour, (int)t->minute, (int)t->second,
		(int)t->second_part };

	return time_from_wall(&w, 0, out);
}

bool db_side_get(const struct side *s, unsigned i, struct db_val *v)
{
	const struct slot *slot = &s->slot[i];
	struct str text;

	if (slot->null) {
		v->type = DB_NULL;
		return true;
	}
	text = (struct str){ s->bind[i].buffer, slot->len };
	switch (slot->type) {
	case 'u':
		*v = db_uint(slot->u);
		return true;
	case 'i':
		*v = db_int(slot->i);
		return true;
	case 't':
		v->type = DB_TIME;
		return get_time(&slot->t, &v->t);
	case 'm':
		v->type = DB_MONEY;
		return money_from_decimal(text, &v->m);
	default:
		*v = db_text(text);
		return true;
	}
}

bool db_side_grow(struct side *s, unsigned i)
{
	if (!is_text(s, i))
		return false;
	make_room(s, i, s->slot[i].len);
	return true;
}

bool db_column_fits(char type, const MYSQL_FIELD *f)
{
	/* What each letter may be; a DECIMAL without places is how servers give some sums of integers. */
	static const struct { enum enum_field_types field; const char *letters; } kinds[] = {
		{ MYSQL_TYPE_TINY, "ui" }, { MYSQL_TYPE_SHORT, "ui" }, { MYSQL_TYPE_INT24, "ui" }, { MYSQL_TYPE_LONG, "ui" },
		{ MYSQL_TYPE_LONGLONG, "ui" }, { MYSQL_TYPE_NEWDECIMAL, "uim" }, { MYSQL_TYPE_DECIMAL, "uim" },
		{ MYSQL_TYPE_DATETIME, "t" }, { MYSQL_TYPE_TIMESTAMP, "t" }, { MYSQL_TYPE_NULL, "uistm" },
		{ MYSQL_TYPE_STRING, "s" }, { MYSQL_TYPE_VAR_STRING, "s" }, { MYSQL_TYPE_VARCHAR, "s" }, { MYSQL_TYPE_BLOB, "s" },
		{ MYSQL_TYPE_TINY_BLOB, "s" }, { MYSQL_TYPE_MEDIUM_BLOB, "s" }, { MYSQL_TYPE_LONG_BLOB, "s" },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i].field == f->type)
			return strchr(kinds[i].letters, type) != NULL && (f->type != MYSQL_TYPE_NEWDECIMAL || (type == 'm') == (f->decimals > 0));
	return false;
}
