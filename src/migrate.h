/* migrate.h - applies sql/NNN_name.sql in order. Owns: schema_migrations and the progress within a file. */
#ifndef PICKUP_MIGRATE_H
#define PICKUP_MIGRATE_H

#include "db.h"

/* Applies what of dir is not applied yet, one line to standard output for each file. dry_run: only says what it would do.
 * OC_OK; OC_CONFLICT: a file changed after it was applied, a number is missing or there twice, or a later version took something away (logged);
 * OC_BUSY: another migration is at work and did not end within a minute; OC_DOWN; OC_BAD: a statement failed, or dir can't be read (logged, with file and line).
 * A database that is further than dir, as after going back to an earlier version, is left as it is: OC_OK, where no file that it has and dir has not
 * is named NNN_contract_what.sql. May be stopped at any statement and run again. */
must_check enum outcome migrate_run(struct db *db, const char *dir, bool dry_run);

/* The newest migration that is applied; the newest that took something away and that this program does not know. 0 for none. */
struct migrate_schema { uint64_t applied, taken; };
must_check enum outcome migrate_see_schema(struct db *db, struct migrate_schema *s);

/* Compares the applied migrations with what the program needs: OC_OK, also where there are
 * newer ones that only added; OC_CONFLICT (older, or something was taken away; the log names what mends it); OC_DOWN. */
must_check enum outcome migrate_check_schema(struct db *db);

#endif
