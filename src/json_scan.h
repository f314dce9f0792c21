/* json_scan.h - whether a text is RFC 8259 JSON, strictly, before a lenient parser builds its tree.
 * Owns: grammar, UTF-8, surrogate pairs, the limits below. Does not own: the tree, what members mean (json_body.c).
 * Pure: no allocation, no recursion, no JSON library. Used by: json_body.c. */
#ifndef PICKUP_JSON_SCAN_H
#define PICKUP_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include "outcome.h"
#include "str.h"

#define JSON_DEPTH_MAX 32		/* arrays and objects inside each other */
#define JSON_CONTAINERS_MAX 16384	/* arrays and objects in all: an empty one takes 3 bytes here and some 800 in a tree */

struct json_shape {
	bool object;		/* the outermost value is an object */
	bool nul;		/* a string holds \u0000 */
	size_t members;		/* of all objects together */
	unsigned depth;		/* arrays and objects inside each other */
};

/* NULL: text is JSON, and *shape says what it looks like. Otherwise why not, as a sentence for people (static text). */
must_check const char *json_scan(struct str text, struct json_shape *shape);

#endif
