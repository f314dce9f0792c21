/* conf_value.h - what counts as a value of a setting. Pure.
 * Owns: the table (declared in conf.h), checking one value. Used by: conf.c only. */
#ifndef PICKUP_CONF_VALUE_H
#define PICKUP_CONF_VALUE_H

#include "conf.h"

#define CONF_SETTINGS 49
extern const struct setting conf_rows[CONF_SETTINGS];

/* The row of that name, or NULL. */
const struct setting *conf_find(struct str name);
/* Checks v; out gets the number, the word's index, or 1 for on (texts leave it alone). False: why is a sentence that starts with the name. */
must_check bool conf_value_parse(const struct setting *t, struct str v, int64_t *out, char *why, size_t n);
/* The sentence about a name that is none. */
void conf_value_unknown(struct str name, char *why, size_t n);

#endif
