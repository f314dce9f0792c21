/* json_body.h - what struct body is, for the files that read it.
 * Owns: struct body. Does not own: its interface (input.h).
 * Used by: json_body.c, input.c, and nothing else: everybody else sees typed values. */
#ifndef PICKUP_JSON_BODY_H
#define PICKUP_JSON_BODY_H

#include <stdbool.h>
#include <json-c/json_object.h>

struct arena;

struct body {
	struct json_object *root;	/* an object; freed with the arena */
	struct arena *arena;
	bool has_nul;
};

/* The number's own text. json-c keeps it for numbers with a point or an exponent; integers are printed into tmp, in
 * which those outside -2^63..2^64-1 come out as the nearest of these. */
struct str body_number_text(struct json_object *v, char tmp[24]);

#endif
