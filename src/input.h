/* input.h - what a stranger sent, as typed values, with every fault collected.
 * Owns: parsing of JSON bodies and query strings, declared fields, the fault list. The only reader of json-c.
 * Does not own: rules between fields (endpoints), the 422's text (problem.c).
 * Handlers see typed values only. */
#ifndef PICKUP_INPUT_H
#define PICKUP_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "outcome.h"
#include "str.h"

struct arena;

struct fault { const char *field, *message; };		/* arena; field "items[0].quantity" */
struct faults { struct arena *arena; struct fault *v; size_t n, cap; };
#define FAULTS_IN(a) ((struct faults){ .arena = (a) })
#define FAULTS_MAX 200	/* further ones are dropped: an answer stays small whatever was sent */

void fault_add(struct faults *f, const char *field, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

enum field_type {
	FIELD_INT,	/* int64_t; a JSON integer literal (2.0 and "2" are refused), min..max */
	FIELD_ID,	/* uint64_t; as FIELD_INT, 1..2^63-1 */
	FIELD_TEXT,	/* struct str (arena); min..max code points; no control characters but \n and \t */
	FIELD_MONEY,	/* money; a JSON number, min..max in hundredths, at most two decimals, exact */
	FIELD_TIME,	/* instant; RFC 3339 text */
	FIELD_BOOL,	/* bool */
	FIELD_ENUM,	/* int; a word of words[] gives its index */
	FIELD_ENUM_SET,	/* uint32_t bits; query only: each repeated value sets bit (index of the word) */
	FIELD_DATE,	/* int64_t, days since 1970-01-01; "2026-12-25" */
	FIELD_LIST,	/* struct input_list; an array of min..max objects described by list */
	FIELD_SPANS,	/* struct spans (arena); an array of up to max pairs like ["17:00","02:00"] that do not overlap; an end up to its start is the next day's */
	FIELD_OBJECT,	/* a struct that list describes and that begins with its struct presence; members that list does not name are faults */
	FIELD__MAX
};

/* One accepted member or query parameter. Tables of these are const and end where their count says. */
struct field {
	const char *name;
	enum field_type type;
	bool required;			/* absent is a fault */
	bool nullable;			/* null is accepted, leaves the target alone and sets its bit in nulls */
	int64_t min, max;
	size_t offset;			/* of the target in the output struct */
	const char *const *words;	/* ENUM, ENUM_SET: NULL-terminated */
	const struct field_table *list;	/* LIST: what each element looks like; OBJECT: what it looks like itself */
};
struct field_table { const struct field *fields; size_t n, size; };	/* size: of the output struct */

struct input_list { void *v; size_t n; };	/* v: arena array of n output structs */

/* Which rows of the table were sent: bit i is row i. present excludes nulls; at most 64 rows a table. */
struct presence { uint64_t present, nulls; };

struct body;	/* a parsed JSON object; arena */

/* text as RFC 8259 JSON, strictly: no comments, trailing commas, single quotes, NaN, leading zeros, lone surrogates,
 * invalid UTF-8, byte order mark, nesting above 32, nor anything after the value. Nor what RFC 8259 leaves open and is never meant: two members
 * of one name in an object, a name with \u0000, more than 16,384 arrays and objects.
 * OC_OK, or OC_REFUSED (400 malformed_json): not JSON, or not an object; *why (static text) says which. */
must_check enum outcome body_parse(struct arena *a, struct str text, struct body **out, const char **why);
/* Single members, for who reads few and lists no faults (jwt.c). Texts live as long as the body. */
bool body_has(const struct body *b, const char *name);			/* null counts */
bool body_has_nul(const struct body *b);				/* some string in it, wherever, holds \u0000 */
struct str body_text(const struct body *b, const char *name);		/* none where absent or no string */
/* False where absent or anything but an integer literal (1.0 and 1e3 are none); beyond int64_t the nearest that it holds. */
bool body_integer(const struct body *b, const char *name, int64_t *out);
/* False where absent or no number. A number of seconds (1790000000, 1790000000.25, 1.79e9) in microseconds, from 0 to the end of the year
 * 9999: further digits are cut, and what is beyond is the nearest that is not. */
bool body_seconds(const struct body *b, const char *name, int64_t *out);
/* Whether the member is that text, or an array with that text among its elements. */
bool body_names(const struct body *b, const char *name, const char *text);
/* Fills out (table->size bytes, already zeroed or defaulted by the caller) from the members that the table names;
 * unknown members are ignored. Each fault is added with its path; a faulty member leaves its target alone and its bit unset. */
struct presence body_fill(const struct body *b, const struct field_table *t, void *out, struct faults *f);
/* A hash of the JSON value: the same for any order of members, white space, escapes and spelling of numbers (1.50, 1.5, 15e-1).
 * Integers outside -2^63..2^64-1 count as the nearest of these (no declared field takes them). Stored beside answers: never change it. */
void body_hash(const struct body *b, uint8_t hash[32]);

/* One decoded query parameter; "+" is a space, %XX decoded once. */
struct query_param { struct str name, value; };
struct query { struct query_param *v; size_t n; };

/* Splits and decodes; at most 64 parameters, bad %-escapes, control characters and bad UTF-8 are faults on the parameter's name. */
struct query query_parse(struct arena *a, struct str text, struct faults *f);
/* The same as body_fill, from text: FIELD_INT and FIELD_ID take decimal digits. A parameter that is not ENUM_SET and comes twice is a fault.
 * An empty value is a fault like any other bad one. FIELD_LIST, FIELD_SPANS and FIELD_OBJECT are not for queries. */
struct presence query_fill(const struct query *q, const struct field_table *t, void *out, struct faults *f);
/* The first value of that name, or none. */
struct str query_get(const struct query *q, const char *name);

#endif
