/* csv.h - rows of comma-separated values (RFC 4180), harmless in a spreadsheet. Pure.
 * Owns: commas, quotes, line ends, and what a spreadsheet would take for a formula. Does not own: which cells there are.
 * Used by: ep_export.c. */
#ifndef PICKUP_CSV_H
#define PICKUP_CSV_H

#include <stdbool.h>
#include "str.h"

/* out is where it goes; zeroed otherwise. */
struct csv { struct buf *out; bool has_cell; };

/* Begins a cell of which the caller appends the text to the buffer that is given, at once: one of our own, which begins with a letter or digit
 * and holds no comma, quote or line end; or nothing. */
struct buf *csv_plain(struct csv *c);
/* A cell of anybody's text, or an empty one for none. Where a spreadsheet might calculate it (it begins with = + - @, a wide form of these, or
 * a tab, CR or line feed, perhaps behind spaces) a ' goes before it, which makes it text there. */
void csv_text(struct csv *c, struct str s);
void csv_end_row(struct csv *c);

#endif
