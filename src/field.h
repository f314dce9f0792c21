/* field.h - what one declared field accepts, however it was sent, and what people are told where it does not.
 * Owns: bounds, storing of accepted values, the sentences. Does not own: JSON (input.c), query strings (query.c).
 * Used by: input.c, query.c. */
#ifndef PICKUP_FIELD_H
#define PICKUP_FIELD_H

#include "input.h"

/* Each checks one value against the row d and stores it in the struct at out. False: not accepted, nothing stored. */
must_check bool field_put_int(const struct field *d, int64_t v, void *out);
must_check bool field_put_id(const struct field *d, uint64_t v, void *out);
must_check bool field_put_text(const struct field *d, struct str v, void *out);	/* v: valid UTF-8, borrowed */
must_check bool field_put_money(const struct field *d, struct str number, void *out);
must_check bool field_put_time(const struct field *d, struct str v, void *out);
must_check bool field_put_date(const struct field *d, struct str v, void *out);
must_check bool field_put_word(const struct field *d, struct str v, void *out);
void field_put_bool(const struct field *d, bool v, void *out);
/* The index of v in d's words, or -1. */
int field_word(const struct field *d, struct str v);

/* C0 but \n and \t, DEL, C1. */
bool text_has_controls(struct str v);

/* "must be an integer from 1 to 999": arena. */
const char *field_wish(struct arena *a, const struct field *d);
/* Why the text v was not accepted by a FIELD_TEXT row: arena. */
const char *field_text_wish(struct arena *a, const struct field *d, struct str v);

#endif
