/* test_person.c - the rules for people, shops and products, row by row.
 * Owns: nothing. Covers: person.c. */
#include <criterion/criterion.h>
#include <string.h>

#include "arena.h"
#include "person.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* out NULL: refused, and why holds that text */
struct row { const char *in, *out, *why; };

static void try_row(person_rule *rule, const char *of, struct str in, const char *out, const char *why)
{
	struct arena *a = arena_new();
	struct str got = STR_NONE;
	const char *said = "";
	bool good = rule(a, in, &got, &said);

	cr_expect_eq(good, out != NULL, "%s: \"%.*s\" is %s (%s)", of, STR_FMT(in), good ? "taken" : "refused", said);
	if (good && out)
		cr_expect(str_is(got, out), "%s: \"%.*s\" gives \"%.*s\", not \"%s\"", of, STR_FMT(in), STR_FMT(got), out);
	if (!good && !out) {
		cr_expect(strstr(said, why), "%s: \"%.*s\" says \"%s\", not \"%s\"", of, STR_FMT(in), said, why);
		cr_expect_eq(strncmp(said, "must ", 5), 0, "%s: \"%s\" doesn't read after a field's name", of, said);
		cr_expect_null(got.s, "%s: refused, but *out was touched", of);
	}
	arena_free(a);
}

static void try_rows(person_rule *rule, const char *of, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		try_row(rule, of, str_from(rows[i].in), rows[i].out, rows[i].why);
}

/* n times the text piece */
static struct str times(struct arena *a, const char *piece, size_t n)
{
	struct buf b = BUF_IN(a);

	for (size_t i = 0; i < n; i++)
		buf_adds(&b, piece);
	return buf_str(&b);
}

/* max of piece is taken, one more is refused */
static void try_bound(person_rule *rule, const char *of, const char *piece, size_t max, const char *why)
{
	struct arena *a = arena_new();

	try_row(rule, of, times(a, piece, max), times(a, piece, max).s, "");
	try_row(rule, of, times(a, piece, max + 1), NULL, why);
	arena_free(a);
}

Test(person, phone)
{
	static const struct row rows[] = {
		{ "+919845012345", "+919845012345", "" },
		{ "+91 98450-12345", "+919845012345", "" },
		{ " (080) 2222.3333 ", "08022223333", "" },
		{ "12345", "12345", "" },
		{ "123456789012345", "123456789012345", "" },
		{ "+123456789012345", "+123456789012345", "" },
		{ "1-2-3-4-5", "12345", "" },
		{ "1234", NULL, "5 to 15 digits" },
		{ "+1234", NULL, "5 to 15 digits" },
		{ "1234567890123456", NULL, "5 to 15 digits" },
		{ "", NULL, "5 to 15 digits" },
		{ "+", NULL, "5 to 15 digits" },
		{ "()-. ", NULL, "5 to 15 digits" },
		{ "12345+", NULL, "5 to 15 digits" },
		{ "++12345", NULL, "5 to 15 digits" },
		{ "(+91) 98450", NULL, "5 to 15 digits" },
		{ "12345x", NULL, "5 to 15 digits" },
		{ "12\t345", NULL, "5 to 15 digits" },
		{ "12345\n", NULL, "5 to 15 digits" },
		{ "\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5", NULL, "5 to 15 digits" },	/* Arabic-Indic digits: a second form of a number */
		{ NULL, NULL, "5 to 15 digits" },
	};

	try_rows(phone_normalise, "phone", rows, COUNT(rows));
	try_row(phone_normalise, "phone", (struct str){ "123456\0", 7 }, NULL, "5 to 15 digits");
}

Test(person, name)
{
	static const struct row rows[] = {
		{ "Kiran Kumar", "Kiran Kumar", "" },
		{ "  Kiran\t", "Kiran", "" },
		{ "K", "K", "" },
		{ "O'Neil \"x\" <b>", "O'Neil \"x\" <b>", "" },
		{ "\xe0\xa4\x95\xe0\xa4\xbf\xe0\xa4\xb0\xe0\xa4\xa3", "\xe0\xa4\x95\xe0\xa4\xbf\xe0\xa4\xb0\xe0\xa4\xa3", "" },
		{ "\xc3\x9f \xc2\xa0", "\xc3\x9f \xc2\xa0", "" },		/* C2 A0 is no control character */
		{ "", NULL, "1 to 120" },
		{ " \t ", NULL, "1 to 120" },
		{ NULL, NULL, "1 to 120" },
		{ "a\nb", NULL, "control" },
		{ "a\tb", NULL, "control" },
		{ "a\x1b[31m", NULL, "control" },
		{ "a\x7f", NULL, "control" },
		{ "a\xc2\x85" "b", NULL, "control" },
		{ "a\xc2\x9f", NULL, "control" },
		{ "a\xff", NULL, "UTF-8" },
		{ "a\xc2", NULL, "UTF-8" },
		{ "\xed\xa0\x80", NULL, "UTF-8" },
	};

	try_rows(name_normalise, "name", rows, COUNT(rows));
	try_row(name_normalise, "name", (struct str){ "a\0b", 3 }, NULL, "control");
	try_bound(name_normalise, "name", "x", 120, "1 to 120");
	try_bound(name_normalise, "name", "\xf0\x9f\x8d\x8e", 120, "1 to 120");
}

Test(person, email)
{
	static const struct row rows[] = {
		{ "kiran@example.org", "kiran@example.org", "" },
		{ " a@b ", "a@b", "" },
		{ "a+b@c.d", "a+b@c.d", "" },
		{ "ki\xc3\xb1@example.org", "ki\xc3\xb1@example.org", "" },
		{ "", NULL, "3 to 254" },
		{ NULL, NULL, "3 to 254" },
		{ "a", NULL, "like name@" },
		{ "@b", NULL, "like name@" },
		{ "a@", NULL, "like name@" },
		{ "a@@b", NULL, "like name@" },
		{ "a@b@c", NULL, "like name@" },
		{ "a b@c", NULL, "like name@" },
		{ "a@b\r\nBcc: x@y", NULL, "control" },
		{ "a@\xff", NULL, "UTF-8" },
	};
	struct arena *a = arena_new();
	struct str local = times(a, "x", 252);

	try_rows(email_normalise, "email", rows, COUNT(rows));
	try_row(email_normalise, "email", str_from(arena_printf(a, "%s@b", local.s)), arena_printf(a, "%s@b", local.s), "");
	try_row(email_normalise, "email", str_from(arena_printf(a, "%s@bc", local.s)), NULL, "3 to 254");
	arena_free(a);
}

Test(person, password)
{
	static const struct row rows[] = {
		{ "12345678", "12345678", "" },
		{ "  spaces stay  ", "  spaces stay  ", "" },
		{ "with\ttab\nand line", "with\ttab\nand line", "" },
		{ "1234567", NULL, "8 to 200" },
		{ "", NULL, "8 to 200" },
		{ NULL, NULL, "8 to 200" },
		{ "\xe0\xa4\x95\xe0\xa4\x95\xe0\xa4\x95", NULL, "8 to 200" },	/* 9 bytes, 3 characters */
		{ "12345678\x01", NULL, "control" },
		{ "12345678\xff", NULL, "UTF-8" },
	};

	try_rows(password_check, "password", rows, COUNT(rows));
	try_row(password_check, "password", (struct str){ "12345678\0x", 10 }, NULL, "control");
	try_bound(password_check, "password", "x", 200, "8 to 200");
	try_bound(password_check, "password", "\xf0\x9f\x8d\x8e", 200, "8 to 200");
}

Test(person, currency)
{
	static const struct row rows[] = {
		{ "INR", "INR", "" }, { "AZX", "AZX", "" },
		{ "inr", NULL, "capital" }, { "IN", NULL, "capital" }, { "INRX", NULL, "capital" }, { "I1R", NULL, "capital" },
		{ "IN ", NULL, "capital" }, { "@NR", NULL, "capital" }, { "[NR", NULL, "capital" }, { "", NULL, "capital" }, { NULL, NULL, "capital" },
	};

	try_rows(currency_check, "currency", rows, COUNT(rows));
}

Test(person, other_texts)
{
	static const struct row lines[] = {
		{ " 1 Main Road\n\tBengaluru ", "1 Main Road\n\tBengaluru", "" }, { "", NULL, "must be 1 to" }, { "a\rb", NULL, "control" },
		{ "a\x7f", NULL, "control" }, { NULL, NULL, "must be 1 to" },
	};
	static const struct row units[] = { { " kg ", "kg", "" }, { "", NULL, "1 to 20" }, { "k\ng", NULL, "control" }, { NULL, NULL, "1 to 20" } };

	try_rows(address_normalise, "address", lines, COUNT(lines));
	try_bound(address_normalise, "address", "x", 500, "1 to 500");
	try_rows(description_normalise, "description", lines, COUNT(lines));
	try_bound(description_normalise, "description", "\xc3\xa9", 1000, "1 to 1000");
	try_rows(unit_normalise, "unit", units, COUNT(units));
	try_bound(unit_normalise, "unit", "x", 20, "1 to 20");
}
