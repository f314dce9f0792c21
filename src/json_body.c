/* json_body.c - from a request's bytes to a tree of JSON values, single members of it, and a hash of such a tree.
 * Owns: the tree's building and life, body_hash. Does not own: the grammar (json_scan.c), what members mean (input.c).
 * Used by: whoever takes JSON bodies, through input.h. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <sodium.h>
#include "input.h"
#include "json_body.h"
#include "arena.h"
#include "json_scan.h"
#include "log.h"

#define SECONDS_MAX_US INT64_C(253402300799999999)	/* the end of the year 9999 */

/* How many members the objects in v have together. Nested no deeper than json_scan lets pass. */
static size_t tree_members(struct json_object *v)
{
	size_t n = 0;

	if (json_object_is_type(v, json_type_object)) {
		n = (size_t)json_object_object_length(v);
		for (struct lh_entry *e = lh_table_head(json_object_get_object(v)); e; e = lh_entry_next(e))
			n += tree_members((struct json_object *)lh_entry_v(e));
	} else if (json_object_is_type(v, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(v); i++)
			n += tree_members(json_object_array_get_idx(v, i));
	}
	return n;
}

static void put_tree(void *root)
{
	json_object_put(root);
}

static struct json_object *build_tree(struct str text, unsigned depth)
{
	/* json-c counts a scalar as a level of its own, and takes room for all levels at once */
	struct json_tokener *tok = json_tokener_new_ex((int)depth + 2);
	struct json_object *root;

	if (!tok)
		log_die("no memory for a JSON body");
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	root = json_tokener_parse_ex(tok, text.s, (int)text.len);
	if (!root)
		log_error("a JSON body of %zu bytes: %s", text.len, json_tokener_error_desc(json_tokener_get_error(tok)));
	json_tokener_free(tok);
	return root;
}

enum outcome body_parse(struct arena *a, struct str text, struct body **out, const char **why)
{
	struct json_shape shape;
	struct json_object *root;

	*out = NULL;
	*why = text.len > INT_MAX ? "the body is too large" : json_scan(text, &shape);
	if (*why)
		return OC_REFUSED;
	if (!shape.object) {
		*why = "the body is not a JSON object";
		return OC_REFUSED;
	}
	root = build_tree(text, shape.depth);
	if (!root) {
		*why = "the body could not be read";
		return OC_REFUSED;
	}
	arena_defer(a, put_tree, root);
	/* json-c lets the last of two members of one name win, a proxy or a log may take the first: nobody shall guess. */
	if (tree_members(root) != shape.members) {
		*why = "a member stands twice in one object";
		return OC_REFUSED;
	}
	*out = arena_alloc(a, sizeof(**out));
	**out = (struct body){ .root = root, .arena = a, .has_nul = shape.nul };
	return OC_OK;
}

bool body_has_nul(const struct body *b)
{
	return b->has_nul;
}

/* NULL where it is absent or null. */
static struct json_object *member(const struct body *b, const char *name)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(b->root, name, &v);
	return v;
}

static struct str text_of(struct json_object *v)
{
	if (!json_object_is_type(v, json_type_string))
		return STR_NONE;
	return (struct str){ json_object_get_string(v), (size_t)json_object_get_string_len(v) };
}

bool body_has(const struct body *b, const char *name)
{
	return json_object_object_get_ex(b->root, name, NULL);
}

struct str body_text(const struct body *b, const char *name)
{
	return text_of(member(b, name));
}

bool body_integer(const struct body *b, const char *name, int64_t *out)
{
	struct json_object *v = member(b, name);

	if (!json_object_is_type(v, json_type_int))
		return false;
	*out = json_object_get_int64(v);
	return true;
}

bool body_names(const struct body *b, const char *name, const char *text)
{
	struct json_object *v = member(b, name);

	if (!json_object_is_type(v, json_type_array))
		return str_is(text_of(v), text);
	for (size_t i = 0; i < json_object_array_length(v); i++)
		if (str_is(text_of(json_object_array_get_idx(v, i)), text))
			return true;
	return false;
}

struct str body_number_text(struct json_object *v, char tmp[24])
{
	int n;

	if (json_object_is_type(v, json_type_double))	/* from the tokener: made by json_object_new_double_s */
		return str_from(json_object_get_userdata(v));
	if (json_object_get_int64(v) < 0)
		n = snprintf(tmp, 24, "%" PRId64, json_object_get_int64(v));
	else
		n = snprintf(tmp, 24, "%" PRIu64, json_object_get_uint64(v));
	return (struct str){ tmp, (size_t)n };
}

/* The hashed form. Each value is a letter, a length or count as eight bytes, then its content, so that no two
 * values have the same form. It is kept beside stored answers: a change here makes retries of older requests look new. */
struct hasher { crypto_generichash_state state; struct arena *arena; };

static void hash_bytes(struct hasher *h, const char *s, size_t len)
{
	if (len > 0)
		crypto_generichash_update(&h->state, (const unsigned char *)s, len);
}

static void hash_head(struct hasher *h, char kind, uint64_t n)
{
	unsigned char head[9] = { (unsigned char)kind };

	for (int i = 0; i < 8; i++)
		head[1 + i] = (unsigned char)(n >> 8 * i);
	crypto_generichash_update(&h->state, head, sizeof(head));
}

static void hash_text(struct hasher *h, char kind, const char *s, size_t len)
{
	hash_head(h, kind, len);
	hash_bytes(h, s, len);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A JSON number taken apart: its digits from the first to the last that is not 0 (a point may stand between
 * them), times ten to the exponent. first > last for zero. */
struct decimal { const char *first, *last, *point; int64_t exponent; bool negative; };

static struct decimal decimal_of(struct str t)
{
	struct decimal d = { .negative = t.s[0] == '-' };
	const char *start = t.s + d.negative, *end = start;
	int64_t exponent = 0;

	while (end < t.s + t.len && (is_digit(*end) || *end == '.'))
		end++;
	if (end < t.s + t.len)
		exponent = strtoll(end + 1, NULL, 10);
	if (exponent > INT64_MAX / 2 || exponent < INT64_MIN / 2)	/* room for the sum below */
		exponent /= 2;
	d.point = memchr(start, '.', (size_t)(end - start));
	if (!d.point)
		d.point = end;
	d.first = start;
	d.last = end - 1;
	while (d.first <= d.last && (*d.first == '0' || *d.first == '.'))
		d.first++;
	while (d.last >= d.first && (*d.last == '0' || *d.last == '.'))
		d.last--;
	d.exponent = exponent + (d.last < d.point ? d.point - d.last - 1 : d.point - d.last);
	return d;
}

/* By value, not by text: 1.50, 1.5 and 15e-1 are one number. */
static void hash_number(struct hasher *h, struct json_object *v)
{
	char tmp[24];
	struct decimal d = decimal_of(body_number_text(v, tmp));
	size_t digits = (size_t)(d.last + 1 - d.first);

	if (d.first > d.last) {
		hash_head(h, '0', 0);
		return;
	}
	hash_head(h, d.negative ? '-' : '+', (uint64_t)d.exponent);
	if (d.point <= d.first || d.point > d.last) {
		hash_text(h, 'd', d.first, digits);
		return;
	}
	hash_head(h, 'd', digits - 1);
	hash_bytes(h, d.first, (size_t)(d.point - d.first));
	hash_bytes(h, d.point + 1, (size_t)(d.last - d.point));
}

struct member { const char *name; struct json_object *value; };

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static void hash_value(struct hasher *h, struct json_object *v);

static void hash_object(struct hasher *h, struct json_object *v)
{
	size_t n = (size_t)json_object_object_length(v), i = 0;
	struct member *m = arena_array(h->arena, n, sizeof(*m));

	for (struct lh_entry *e = lh_table_head(json_object_get_object(v)); e; e = lh_entry_next(e))
		m[i++] = (struct member){ lh_entry_k(e), (struct json_object *)lh_entry_v(e) };
	qsort(m, n, sizeof(*m), by_name);
	hash_head(h, 'o', n);
	for (i = 0; i < n; i++) {
		hash_text(h, 'k', m[i].name, strlen(m[i].name));
		hash_value(h, m[i].value);
	}
}

static void hash_value(struct hasher *h, struct json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_null:
		hash_head(h, 'z', 0);
		break;
	case json_type_boolean:
		hash_head(h, 'b', (uint64_t)json_object_get_boolean(v));
		break;
	case json_type_int:
	case json_type_double:
		hash_number(h, v);
		break;
	case json_type_string:
		hash_text(h, 's', json_object_get_string(v), (size_t)json_object_get_string_len(v));
		break;
	case json_type_array:
		hash_head(h, 'a', json_object_array_length(v));
		for (size_t i = 0; i < json_object_array_length(v); i++)
			hash_value(h, json_object_array_get_idx(v, i));
		break;
	case json_type_object:
		hash_object(h, v);
		break;
	}
}

/* d times ten to the shift, without what is behind the point; at most max, which has room for another digit. */
static int64_t decimal_scaled(const struct decimal *d, int shift, int64_t max)
{
	int64_t exponent = d->exponent + shift, v = 0;

	for (const char *c = d->first; c <= d->last; c++)
		exponent += *c != '.';
	for (const char *c = d->first; c <= d->last && exponent > 0; c++) {
		if (*c == '.')
			continue;
		v = v * 10 + (*c - '0');
		exponent--;
		if (v > max)
			return max;
	}
	for (; exponent > 0 && v > 0; exponent--) {
		v *= 10;
		if (v > max)
			return max;
	}
	return v;
}

bool body_seconds(const struct body *b, const char *name, int64_t *out)
{
	struct json_object *v = member(b, name);
	struct decimal d;
	char tmp[24];

	if (!json_object_is_type(v, json_type_int) && !json_object_is_type(v, json_type_double))
		return false;
	d = decimal_of(body_number_text(v, tmp));
	*out = d.negative ? 0 : decimal_scaled(&d, 6, SECONDS_MAX_US);
	return true;
}

void body_hash(const struct body *b, uint8_t hash[32])
{
	struct hasher h = { .arena = b->arena };

	crypto_generichash_init(&h.state, NULL, 0, 32);
	hash_value(&h, b->root);
	crypto_generichash_final(&h.state, hash, 32);
}
