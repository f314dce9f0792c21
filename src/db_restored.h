/* db_restored.h - statements for a database that was set back: what must not be given out twice.
 * Owns: which tables give out ids. Does not own: when that is done (tool_restored.c). */
#ifndef PICKUP_DB_RESTORED_H
#define PICKUP_DB_RESTORED_H

#include "db.h"

/* Every table with an AUTO_INCREMENT. */
#define RESTORED_TABLES 6
struct next_id { const char *table; uint64_t id; };
/* The ids that would be given out next. */
must_check enum outcome db_restored_next_ids(struct db *db, struct next_id out[RESTORED_TABLES]);
/* The table's next id is that one, as far as it is none of before. */
must_check enum outcome db_restored_skip_ids(struct db *db, const char *table, uint64_t next);
/* Each channel of a shop or user that there is goes on so many numbers later. *channels: rows written. */
must_check enum outcome db_restored_skip_numbers(struct db *db, uint64_t n, uint64_t *channels);
/* No token issued before counts any more. */
must_check enum outcome db_restored_end_tokens(struct db *db, instant now);

#endif
