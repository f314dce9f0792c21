/* hours.h - opening hours and their exceptions as JSON: what clients send, what the database keeps, what is answered.
 * Owns: their declared fields and their text. Does not own: what they mean (calendar.h).
 * Used by: shop_input.c, terms.c. */
#ifndef PICKUP_HOURS_H
#define PICKUP_HOURS_H

#include "calendar.h"
#include "input.h"

#define HOURS_SPANS_MAX 48		/* of a day */
#define HOURS_EXCEPTIONS_MAX 500
#define HOURS_NOTE_MAX 200
#define HOURS_EXCEPTIONS_TEXT_MAX 32768	/* bytes as they are kept: lists of shops hold them all, and anybody may ask for these */

/* As a FIELD_OBJECT: which days were named, Monday is bit 0; a day that was not is closed. */
struct hours_week { struct presence seen; struct spans days[7]; };
extern const struct field_table hours_week_table;
/* As the elements of a FIELD_LIST: struct exception. */
extern const struct field_table hours_exception_table;

/* Sorts them by date. False: a date comes twice. */
must_check bool hours_exceptions_sort(struct exception *v, size_t n);

/* The text in the form in which it came, without white space and by time; an end of 00:00 is 24:00. What hours_parse() reads again. */
void hours_print_week(struct buf *b, const struct hours_week *w);
void hours_print_exceptions(struct buf *b, const struct exception *v, size_t n);

/* What the database keeps of a shop: either may be none. */
struct hours { bool has_week; struct hours_week week; struct exception *exceptions; size_t exception_count; };
/* False: some other hand wrote what no request could have. */
must_check bool hours_parse(struct arena *a, struct str week, struct str exceptions, struct hours *out);

#endif
