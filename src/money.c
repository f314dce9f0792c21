/* money.c - exact decimal amounts in hundredths.
 * Owns: parsing, printing, checked arithmetic. Does not own: currencies, where amounts come from. Pure.
 * Used by: order.c, event.c, rendering, input, the database layer. */
#include <stddef.h>
#include <string.h>

#include "money.h"

/* Exponents beyond it are all alike: no text is long enough to make up for them with zeros. */
#define EXPONENT_LIMIT INT64_C(1000000000000)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t digits_at(struct str s, size_t at)
{
	size_t n = 0;

	while (at + n < s.len && is_digit(s.s[at + n]))
		n++;
	return n;
}

/* Where the parts of a JSON number stand. */
struct number { bool negative; struct str whole, fraction; int64_t exponent; };

static bool split_exponent(struct str s, int64_t *out)
{
	bool negative = s.len && s.s[0] == '-';
	size_t at = s.len && (s.s[0] == '-' || s.s[0] == '+');
	int64_t v = 0;

	if (at == s.len || at + digits_at(s, at) != s.len)
		return false;
	for (; at < s.len; at++)
		if (v < EXPONENT_LIMIT)
			v = v * 10 + (s.s[at] - '0');
	*out = negative ? -v : v;
	return true;
}

static bool split_number(struct str s, struct number *n)
{
	size_t at = 0, len;

	*n = (struct number){ .negative = s.len && s.s[0] == '-' };
	at += n->negative;
	len = digits_at(s, at);
	if (len == 0 || (len > 1 && s.s[at] == '0'))
		return false;
	n->whole = (struct str){ s.s + at, len };
	at += len;
	if (at < s.len && s.s[at] == '.') {
		len = digits_at(s, ++at);
		if (len == 0)
			return false;
		n->fraction = (struct str){ s.s + at, len };
		at += len;
	}
	if (at == s.len)
		return true;
	if (s.s[at] != 'e' && s.s[at] != 'E')
		return false;
	return split_exponent((struct str){ s.s + at + 1, s.len - at - 1 }, &n->exponent);
}

/* Adds the digits, the first of which counts 10^place hundredths. Ten places, 0 to 9, are just what MONEY_MAX has. */
static bool add_digits(money *sum, struct str digits, int64_t place)
{
	static const int64_t power[10] = {
		1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000
	};

	for (size_t i = 0; i < digits.len; i++, place--) {
		if (digits.s[i] == '0')
			continue;
		if (place < 0 || place > 9)
			return false;
		*sum += (digits.s[i] - '0') * power[place];
	}
	return true;
}

bool money_from_number(struct str text, money *out)
{
	struct number n;
	money sum = 0;

	if (!split_number(text, &n))
		return false;
	if (!add_digits(&sum, n.whole, n.exponent + (int64_t)n.whole.len + 1) || !add_digits(&sum, n.fraction, n.exponent + 1))
		return false;
	if (n.negative && sum != 0)
		return false;
	*out = sum;
	return true;
}

bool money_from_decimal(struct str text, money *out)
{
	money sum = 0;

	if (text.len < 4 || text.s[text.len - 3] != '.')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned char)text.s[i] - (unsigned)'0';

		if (i == text.len - 3)
			continue;
		if (digit > 9)
			return false;
		sum = sum * 10 + digit;
		if (sum > MONEY_MAX)
			return false;
	}
	*out = sum;
	return true;
}

bool money_add_line(money *sum, money price, uint32_t quantity)
{
	money total;

	if (__builtin_mul_overflow(price, (int64_t)quantity, &total) || __builtin_add_overflow(total, *sum, &total)
	    || total < 0 || total > MONEY_MAX)
		return false;
	*sum = total;
	return true;
}

/* All of m with two decimals, right-aligned in out; gives its start. */
static char *print(char out[24], money m)
{
	uint64_t v = m < 0 ? -(uint64_t)m : (uint64_t)m;
	char *p = out + 24;

	*--p = (char)('0' + v % 10);
	v /= 10;
	*--p = (char)('0' + v % 10);
	v /= 10;
	*--p = '.';
	do {
		*--p = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	if (m < 0)
		*--p = '-';
	return p;
}

void money_to_json(struct buf *b, money m)
{
	uint64_t v = m < 0 ? -(uint64_t)m : (uint64_t)m;
	char cents[3] = ".";

	if (m < 0)
		buf_addc(b, '-');
	buf_adduint(b, v / 100);
	put_pair(cents + 1, (unsigned)(v % 100));
	buf_add(b, cents, cents[2] == '0' ? 2 : 3);
}

void money_to_decimal(char out[24], money m)
{
	char digits[24], *p = print(digits, m);
	size_t len = (size_t)(digits + sizeof(digits) - p);

	memcpy(out, p, len);
	out[len] = '\0';
}
