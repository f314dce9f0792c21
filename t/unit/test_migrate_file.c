/* test_migrate_file.c - a migration's text cut into its statements. */
#include <criterion/criterion.h>

#include "arena.h"
#include "leaks.h"
#include "migrate_file.h"

struct split_case { const char *text; const char *parts[4]; unsigned lines[4]; };

Test(migrate_file, statements_end_at_a_semicolon_that_ends_a_line)
{
	static const struct split_case cases[] = {
		{ "", { NULL }, { 0 } },
		{ "\n  \n", { NULL }, { 0 } },
		{ "SELECT 1", { "SELECT 1" }, { 1 } },
		{ "SELECT 1;", { "SELECT 1" }, { 1 } },
		{ "SELECT 1;\nSELECT 2;\n", { "SELECT 1", "\nSELECT 2" }, { 1, 2 } },
		{ "SELECT 1; \t\r\nSELECT 2", { "SELECT 1", " \t\r\nSELECT 2" }, { 1, 2 } },
		{ "SELECT 1; -- c\nSELECT 2; # c;\n;\n", { "SELECT 1", " -- c\nSELECT 2" }, { 1, 2 } },
		{ "SELECT 1; SELECT 2;\n", { "SELECT 1; SELECT 2" }, { 1 } },
		{ "-- a;\n# b;\n/* c;\n*/ SELECT 1;\n-- d;\n", { "-- a;\n# b;\n/* c;\n*/ SELECT 1" }, { 4 } },
		{ "/* only */;\n-- comments;\n", { NULL }, { 0 } },
		{ "SELECT ';\n', \";\n\", `;\n`;\nX", { "SELECT ';\n', \";\n\", `;\n`", "\nX" }, { 1, 5 } },
		{ "SELECT 'it''s;\n', '\\';\n', '\\\\';\nX", { "SELECT 'it''s;\n', '\\';\n', '\\\\'", "\nX" }, { 1, 4 } },
		{ "SELECT `\\`;\nX", { "SELECT `\\`", "\nX" }, { 1, 2 } },
		{ "SELECT 1 --1;\nX", { "SELECT 1 --1", "\nX" }, { 1, 2 } },
		{ "SELECT 1 --\n;\nX", { "SELECT 1 --\n", "\nX" }, { 1, 3 } },
		{ "/*! SELECT 1 */;\n/*M! SELECT 2 */;", { "/*! SELECT 1 */", "\n/*M! SELECT 2 */" }, { 1, 2 } },
		{ "SELECT 1 /* 'a;\n */ + 2; -- it's\nX", { "SELECT 1 /* 'a;\n */ + 2", " -- it's\nX" }, { 1, 3 } },
	};
	struct arena *mine = arena_new();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct migration_statement *got;
		size_t n, want = 0;
		unsigned line;

		while (want < 4 && cases[i].parts[want])
			want++;
		cr_assert(migration_split(mine, str_from(cases[i].text), &got, &n, &line), "row %zu", i);
		cr_assert_eq(n, want, "row %zu: %zu statements", i, n);
		for (size_t k = 0; k < n; k++) {
			cr_expect(str_is(got[k].text, cases[i].parts[k]), "row %zu: \"%.*s\"", i, STR_FMT(got[k].text));
			cr_expect_eq(got[k].line, cases[i].lines[k], "row %zu: line %u", i, got[k].line);
		}
	}
	arena_free(mine);
	cr_assert(no_leaks());
}

Test(migrate_file, what_is_never_closed_is_refused)
{
	static const struct { const char *text; unsigned line; } cases[] = {
		{ "SELECT 'a;\nSELECT 2;\n", 1 }, { "SELECT 1;\n\"", 2 }, { "\n\n`x\n", 3 }, { "/* x", 1 }, { "SELECT 1;\n/*! SELECT", 2 }, { "'\\'", 1 },
		{ "'\\", 1 },
	};
	struct arena *mine = arena_new();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct migration_statement *got;
		size_t n;
		unsigned line = 0;

		cr_expect_not(migration_split(mine, str_from(cases[i].text), &got, &n, &line), "row %zu", i);
		cr_expect_eq(line, cases[i].line, "row %zu: line %u", i, line);
	}
	arena_free(mine);
	cr_assert(no_leaks());
}
