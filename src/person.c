/* person.c - what the data of people, shops and products must look like.
 * Owns: the rules, the sentences that name a fault, the roles. Does not own: which fields there are (endpoints, tools).
 * Used by: endpoints, jwt.c, db_user.c, db_order.c, render.c, tool_user.c, tool_shop.c. */
#include <string.h>

#include "person.h"
#include "arena.h"

#define FAULT_CONTROL "must not contain control characters"
#define FAULT_UTF8 "must be valid UTF-8"

const char *const role_words[ROLE__MAX + 1] = {
	[ROLE_CUSTOMER] = "customer", [ROLE_SHOPKEEPER] = "shopkeeper", [ROLE_ADMIN] = "admin",
};

const char *role_name(enum role r)
{
	return r < ROLE__MAX ? role_words[r] : "?";
}

bool role_parse(struct str s, enum role *out)
{
	for (enum role r = 0; r < ROLE__MAX; r++)
		if (str_is(s, role_words[r])) {
			*out = r;
			return true;
		}
	return false;
}

static bool fault(const char **why, const char *text)
{
	*why = text;
	return false;
}

/* Whether a control character (C0, DEL, or C1, which UTF-8 writes as C2 80 to C2 9F) begins at s[i]. */
static bool is_control(struct str s, size_t i)
{
	unsigned char c = (unsigned char)s.s[i];

	if (c < 0x20 || c == 0x7f)
		return true;
	if (c != 0xc2 || i + 1 == s.len)
		return false;
	return (unsigned char)s.s[i + 1] < 0xa0;
}

static bool has_control(struct str s, bool lines)
{
	for (size_t i = 0; i < s.len; i++) {
		if (lines && (s.s[i] == '\n' || s.s[i] == '\t'))
			continue;
		if (is_control(s, i))
			return true;
	}
	return false;
}

/* 1 to max characters after trimming; lines: newlines and tabs are welcome. bad_length names the bounds. */
static bool text_rule(struct str in, size_t max, bool lines, struct str *out, const char **why, const char *bad_length)
{
	struct str s;

	if (!in.s)
		return fault(why, bad_length);
	if (!str_is_utf8(in))
		return fault(why, FAULT_UTF8);
	s = str_trim(in);
	if (s.len == 0 || str_codepoints(s) > max)
		return fault(why, bad_length);
	if (has_control(s, lines))
		return fault(why, FAULT_CONTROL);
	*out = s;
	return true;
}

bool phone_normalise(struct arena *a, struct str in, struct str *out, const char **why)
{
	static const char form[] = "must be 5 to 15 digits, with a leading + for an international number";
	char number[PHONE_MAX_DIGITS + 2];
	size_t len = 0, digits = 0, i = 0;
	struct str s = in.s ? str_trim(in) : STR("");

	if (s.len > 0 && s.s[0] == '+') {
		number[len++] = '+';
		i = 1;
	}
	for (; i < s.len; i++) {
		if (s.s[i] != '\0' && strchr(" -.()", s.s[i]))
			continue;
		if (s.s[i] < '0' || s.s[i] > '9' || digits == PHONE_MAX_DIGITS)
			return fault(why, form);
		number[len++] = s.s[i];
		digits++;
	}
	if (digits < PHONE_MIN_DIGITS)
		return fault(why, form);
	*out = (struct str){ arena_memdup(a, number, len), len };
	return true;
}

bool name_normalise(struct arena *a, struct str in, struct str *out, const char **why)
{
	(void)a;
	return text_rule(in, NAME_MAX_CHARS, false, out, why, "must be 1 to 120 characters");
}

bool address_normalise(struct arena *a, struct str in, struct str *out, const char **why)
{
	(void)a;
	return text_rule(in, ADDRESS_MAX_CHARS, true, out, why, "must be 1 to 500 characters");
}

bool description_normalise(struct arena *a, struct str in, struct str *out, const char **why)
{
	(void)a;
	return text_rule(in, DESCRIPTION_MAX_CHARS, true, out, why, "must be 1 to 1000 characters");
}

bool unit_normalise(struct arena *a, struct str in, struct str *out, const char **why)
{
	(void)a;
	return text_rule(in, UNIT_MAX_CHARS, false, out, why, "must be 1 to 20 characters");
}

bool email_normalise(struct arena *a, struct str in, struct str *out, const char **why)
{
	static const char form[] = "must be an address like name@example.org";
	struct str s;
	const char *at;

	(void)a;
	if (!text_rule(in, EMAIL_MAX_CHARS, false, &s, why, "must be 3 to 254 characters"))
		return false;
	at = memchr(s.s, '@', s.len);
	if (!at || at == s.s || at == s.s + s.len - 1)
		return fault(why, form);
	if (memchr(at + 1, '@', s.len - (size_t)(at + 1 - s.s)) || memchr(s.s, ' ', s.len))
		return fault(why, form);
	*out = s;
	return true;
}

bool password_check(struct arena *a, struct str in, struct str *out, const char **why)
{
	static const char length[] = "must be 8 to 200 characters and at most 1024 bytes";
	size_t n;

	(void)a;
	if (!in.s || in.len > PASSWORD_MAX_BYTES)
		return fault(why, length);
	if (!str_is_utf8(in))
		return fault(why, FAULT_UTF8);
	n = str_codepoints(in);
	if (n < PASSWORD_MIN_CHARS || n > PASSWORD_MAX_CHARS)
		return fault(why, length);
	if (has_control(in, true))
		return fault(why, FAULT_CONTROL);
	*out = in;
	return true;
}

bool currency_check(struct arena *a, struct str in, struct str *out, const char **why)
{
	(void)a;
	if (in.len != 3)
		return fault(why, "must be three capital letters, like INR");
	for (size_t i = 0; i < 3; i++)
		if (in.s[i] < 'A' || in.s[i] > 'Z')
			return fault(why, "must be three capital letters, like INR");
	*out = in;
	return true;
}
