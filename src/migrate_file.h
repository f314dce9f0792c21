/* migrate_file.h - the files sql/NNN_name.sql: finding, checking their numbers, splitting into statements.
 * Owns: struct migration. Knows no database. Used by: migrate.c. */
#ifndef PICKUP_MIGRATE_FILE_H
#define PICKUP_MIGRATE_FILE_H

#include <stddef.h>
#include "outcome.h"
#include "str.h"

struct arena;

struct migration_statement { struct str text; unsigned line; };	/* without the ";"; line from 1 */

struct migration {
	const char *name;		/* "002_add_pre_order_fields.sql" */
	const char *checksum;		/* of the file's bytes, 64 hexadecimal digits */
	struct migration_statement *statements;
	size_t n;
};

/* Splits at each ";" that ends a line (blanks and a comment may follow it) outside of '…', "…", `…` and comments. Comments before a
 * statement belong to it; a part that holds nothing else is left out, and so is the last one's missing ";". What the arena holds borrows text.
 * False: a quote or a comment that opens at *line is never closed. */
must_check bool migration_split(struct arena *a, struct str text, struct migration_statement **out, size_t *n, unsigned *line);

/* The files of dir, (*out)[i] being number i + 1. Names that do not start with a digit are left alone. OC_OK; OC_CONFLICT: a number is missing or
 * there twice; OC_BAD: dir or a file can't be read, a name or a text is malformed, or there is none. All logged. */
must_check enum outcome migration_load(struct arena *a, const char *dir, struct migration **out, size_t *n);

#endif
