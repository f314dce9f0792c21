/* test_money.c - exact amounts.
 * Owns: tests of money.c. Does not own: amounts in requests and in the database.
 * Used by: make check. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "money.h"

#define UNTOUCHED INT64_C(-77)
#define REFUSED INT64_C(-1)

struct row { const char *in; money out; };

static void check(const struct row *rows, size_t n, bool (*parse)(struct str, money *))
{
	for (size_t i = 0; i < n; i++) {
		money m = UNTOUCHED;
		bool ok = parse(str_from(rows[i].in), &m);

		cr_expect_eq(ok, rows[i].out != REFUSED, "\"%s\"", rows[i].in ? rows[i].in : "(none)");
		cr_expect_eq(m, ok ? rows[i].out : UNTOUCHED, "\"%s\" gave %ld", rows[i].in ? rows[i].in : "(none)", (long)m);
	}
}

Test(money, from_number)
{
	static const struct row rows[] = {
		{ "0", 0 }, { "-0", 0 }, { "-0.00", 0 }, { "-0e5", 0 }, { "0e999999999999999999999", 0 }, { "0e-999999999999999999999", 0 },
		{ "120", 12000 }, { "120.0", 12000 }, { "120.5", 12050 }, { "120.50", 12050 }, { "120.25", 12025 }, { "120.250000000", 12025 },
		{ "0.01", 1 }, { "0.10", 10 }, { "0.1", 10 }, { "1.2e2", 12000 }, { "1.2E+2", 12000 }, { "12000e-2", 12000 }, { "1e-2", 1 },
		{ "0.001e1", 1 }, { "0.00000000001e9", 1 }, { "100000000000e-10", 1000 }, { "1e00000000000000000001", 1000 },
		{ "99999999.99", MONEY_MAX }, { "99999999.990", MONEY_MAX }, { "9999999999e-2", MONEY_MAX }, { "9.999999999e7", MONEY_MAX },
		{ "0.0000000000000000000000000000000000000001e38", 1 }, { "0.29", 29 }, { "1.15", 115 }, { "4.35", 435 }, { "1.005e1", 1005 },
		{ "100000000", REFUSED }, { "1e8", REFUSED }, { "100000000.00", REFUSED }, { "99999999.991", REFUSED }, { "1e400", REFUSED },
		{ "1e99999999999999999999", REFUSED }, { "1e-99999999999999999999", REFUSED }, { "1e18446744073709551616", REFUSED },
		{ "18446744073709551616", REFUSED }, { "0.001", REFUSED }, { "1.005", REFUSED }, { "1e-3", REFUSED },
		{ "-1", REFUSED }, { "-0.01", REFUSED }, { "-1e-9", REFUSED },
		{ "", REFUSED }, { NULL, REFUSED }, { "-", REFUSED }, { "+1", REFUSED }, { ".5", REFUSED }, { "5.", REFUSED }, { "5.e1", REFUSED },
		{ "01", REFUSED }, { "00", REFUSED }, { "-01", REFUSED }, { "1e", REFUSED }, { "1e+", REFUSED }, { "1e-", REFUSED }, { "1e1.0", REFUSED },
		{ "1e+-1", REFUSED }, { "0x10", REFUSED }, { "1,5", REFUSED }, { "1 ", REFUSED }, { " 1", REFUSED }, { "1a", REFUSED },
		{ "NaN", REFUSED }, { "Infinity", REFUSED }, { "null", REFUSED }, { "1.2.3", REFUSED }, { "--1", REFUSED }, { "1e1e1", REFUSED },
	};

	check(rows, sizeof(rows) / sizeof(rows[0]), money_from_number);
}

Test(money, from_decimal)
{
	static const struct row rows[] = {
		{ "0.00", 0 }, { "0.01", 1 }, { "120.00", 12000 }, { "99999999.99", MONEY_MAX },
		{ "100000000.00", REFUSED }, { "120", REFUSED }, { "120.0", REFUSED }, { "120.000", REFUSED }, { ".00", REFUSED }, { "", REFUSED },
		{ NULL, REFUSED }, { "-1.00", REFUSED }, { "1.-1", REFUSED }, { "1,00", REFUSED }, { " 1.00", REFUSED }, { "1.00 ", REFUSED },
		{ "1e1.00", REFUSED }, { "18446744073709551616.00", REFUSED },
	};

	check(rows, sizeof(rows) / sizeof(rows[0]), money_from_decimal);
}

Test(money, prints)
{
	static const struct { money in; const char *json, *decimal; } rows[] = {
		{ 0, "0.0", "0.00" }, { 1, "0.01", "0.01" }, { 10, "0.1", "0.10" }, { 100, "1.0", "1.00" }, { 12000, "120.0", "120.00" },
		{ 12050, "120.5", "120.50" }, { 12025, "120.25", "120.25" }, { 12005, "120.05", "120.05" },
		{ MONEY_MAX, "99999999.99", "99999999.99" },
		{ -150, "-1.5", "-1.50" }, { INT64_MAX, "92233720368547758.07", "92233720368547758.07" },
		{ INT64_MIN, "-92233720368547758.08", "-92233720368547758.08" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = BUF_IN(a);
		char decimal[24];

		money_to_json(&b, rows[i].in);
		money_to_decimal(decimal, rows[i].in);
		cr_expect_str_eq(b.s, rows[i].json, "row %zu: %s", i, b.s);
		cr_expect_str_eq(decimal, rows[i].decimal, "row %zu: %s", i, decimal);
	}
	arena_free(a);
}

Test(money, there_and_back)
{
	struct arena *a = arena_new();

	for (money m = 0; m <= MONEY_MAX; m = m * 3 / 2 + 1) {
		struct buf b = BUF_IN(a);
		char decimal[24];
		money from_json = -1, from_decimal = -1;

		money_to_json(&b, m);
		money_to_decimal(decimal, m);
		cr_assert(money_from_number(buf_str(&b), &from_json) && from_json == m, "%s", b.s);
		cr_assert(money_from_decimal(str_from(decimal), &from_decimal) && from_decimal == m, "%s", decimal);
	}
	arena_free(a);
}

Test(money, add_line)
{
	static const struct { money sum, price; uint32_t quantity; bool ok; money out; } rows[] = {
		{ 0, 6000, 2, true, 12000 }, { 12000, 25, 1, true, 12025 }, { 0, 0, 999, true, 0 }, { 5, 1, 999, true, 1004 },
		{ 0, MONEY_MAX, 1, true, MONEY_MAX }, { MONEY_MAX, 0, 999, true, MONEY_MAX },
		{ 0, MONEY_MAX, 2, false, 0 }, { 1, MONEY_MAX, 1, false, 1 }, { MONEY_MAX, 1, 1, false, MONEY_MAX },
		{ 0, MONEY_MAX, 999, false, 0 }, { 0, MONEY_MAX / 999, 999, true, MONEY_MAX / 999 * 999 },
		{ 0, MONEY_MAX / 999 + 1, 999, false, 0 }, { 7, INT64_MAX, 999, false, 7 }, { 7, INT64_MAX, 1, false, 7 }, { 0, -1, 1, false, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		money sum = rows[i].sum;

		cr_expect_eq(money_add_line(&sum, rows[i].price, rows[i].quantity), rows[i].ok, "row %zu", i);
		cr_expect_eq(sum, rows[i].out, "row %zu: %ld", i, (long)sum);
	}
}
