/* test_conf_file.c - the params file: nginx's syntax, faults with their lines, and the file that is shipped.
 * Owns: nothing. Covers: conf_file.c, conf_load, nginx/pickup.params. The syntax rows were compared with what nginx 1.22 makes of them. */
#include <criterion/criterion.h>

#include "conf_texts.h"

/* What the file's lines give, as nginx 1.22 takes them: value NULL is a file that must be refused, with that report. */
Test(conf_file, syntax)
{
	static const struct { const char *text, *value, *report; } rows[] = {
		{ "fastcgi_param PICKUP_TOKEN_ISSUER abc;", "abc", NULL },
		{ "  fastcgi_param\n\tPICKUP_TOKEN_ISSUER\r\n abc\n;\n", "abc", NULL },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER \"a b\";", "a b", NULL },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER 'a \"b';", "a \"b", NULL },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER \"a \\\"b\\\" \\\\ \\'\";", "a \"b\" \\ '", NULL },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER a\\;b;", "a\\;b", NULL },	/* nginx keeps this backslash */
		{ "fastcgi_param PICKUP_TOKEN_ISSUER a\\ b;", "a\\ b", NULL },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER \"a;b#c{d}\";", "a;b#c{d}", NULL },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER a#b\"c'd}e;", "a#b\"c'd}e", NULL },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER \"\";", "", NULL },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER '';", "", NULL },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER abc if_not_empty;", "abc", NULL },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER \"\" if_not_empty;", "", NULL },
		{ "fastcgi_param PICKUP_BODY_MAX \"\" if_not_empty;", "", NULL },
		{ "fastcgi_param PICKUP_BODY_MAX \"\";", "", "1: PICKUP_BODY_MAX: \"\" is no whole number" },
		{ "# c; fastcgi_param X\nfastcgi_param # why\n PICKUP_TOKEN_ISSUER abc # x;\n; # end", "abc", NULL },
		{ "fastcgi_param QUERY_STRING $args; fastcgi_param \"HTTPS\" \"$https\" if_not_empty;\nfastcgi_param PICKUP_TOKEN_ISSUER abc;", "abc", NULL },
		{ "\"fastcgi_param\" 'PICKUP_TOKEN_ISSUER' abc;", "abc", NULL },
		{ "", "", NULL }, { "# only this", "", NULL },
		/* the good lines around a bad one are taken */
		{ "fastcgi_param PICKUP_TOKEN_ISSUER abc;\nbogus x;", "abc", "2: \"bogus\" has no place" },
		{ "bogus x;\n\nfastcgi_param PICKUP_TOKEN_ISSUER abc;", "abc", "1: \"bogus\" has no place" },
		{ "location / {\nfastcgi_param PICKUP_TOKEN_ISSUER x;\n}\nfastcgi_param PICKUP_TOKEN_ISSUER abc;", "abc", "1: blocks have no place" },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER \"a\"b;\nfastcgi_param PICKUP_TOKEN_AUDIENCE x;", "", "1: a closing quote" },
		{ "\nfastcgi_param PICKUP_TOKEN_ISSUER \"abc;\n", "", "2: a quote is opened here" },
		{ "\n\nfastcgi_param PICKUP_TOKEN_ISSUER abc", "", "3: the file ends" },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER;", "", "1: fastcgi_param takes" },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER a b c;", "", "1: fastcgi_param takes" },
		{ "fastcgi_param;", "", "1: fastcgi_param takes" },
		{ "fastcgi_param X;", "", "1: fastcgi_param takes" },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER a b;", "", "1: after the value" },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER $host;", "", "1: PICKUP_TOKEN_ISSUER holds a \"$\"" },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER \"a${host}b\";", "", "1: PICKUP_TOKEN_ISSUER holds a \"$\"" },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER a${host}b;", "", "1: PICKUP_TOKEN_ISSUER holds a \"$\"" },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER 'a\\nb';", "", "1: PICKUP_TOKEN_ISSUER: holds a control" },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER \"a\nb\";", "", "1: PICKUP_TOKEN_ISSUER: holds a control" },
		{ "fastcgi_param PICKUP_TOKEN_ISSUER a;\nfastcgi_param PICKUP_TOKEN_ISSUER b;", "a", "2: PICKUP_TOKEN_ISSUER: given a second time" },
		{ "fastcgi_param PICKUP_TYPO 1;", "", "1: \"PICKUP_TYPO\" is no setting" },
		{ "fastcgi_param\nPICKUP_DB_TIMEOUT_S\n0;", "", "2: PICKUP_DB_TIMEOUT_S: \"0\" is no whole number from 1 to 60 (seconds)" },
		{ ";", "", "1: unexpected \";\"" }, { "\n}", "", "2: unexpected \"}\"" }, { "x {", "", "1: blocks have no place" },
		{ "\\", "", "1: the file ends" }, { "\xef\xbb\xbf" "fastcgi_param PICKUP_TOKEN_ISSUER a;", "", "1: \"" },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf_store *s = conf_new();
		struct reports r;
		enum outcome oc = load_text(s, rows[i].text, &r);
		cr_expect_str_eq(conf_get(s)->token_issuer, rows[i].value, "row %zu: %s", i, rows[i].text);
		cr_expect_eq(oc, rows[i].report ? OC_REFUSED : OC_OK, "row %zu: %s\n%s", i, rows[i].text, r.text);
		cr_expect(rows[i].report ? strncmp(r.text, rows[i].report, strlen(rows[i].report)) == 0 : r.n == 0,
			"row %zu: %s\nreports: %s", i, rows[i].text, r.text);
		conf_free(s);
	}
	cr_assert(no_leaks());
}

Test(conf_file, every_fault_of_a_file_is_reported)
{
	struct conf_store *s = conf_new();
	struct reports r;

	cr_expect_eq(load_text(s, "fastcgi_param PICKUP_BODY_MAX 1;\nfastcgi_param PICKUP_NO 1;\ninclude x;\n"
		"fastcgi_param PICKUP_DB_TIMEOUT_S 9;\n", &r), OC_REFUSED);
	cr_expect_eq(r.n, 3, "%s", r.text);
	cr_expect_eq(conf_get(s)->db_timeout_s, 9);
	cr_expect_eq(conf_get(s)->body_max, 262144);
	conf_free(s);
}

Test(conf_file, unreadable_files)
{
	struct conf_store *s = conf_new();
	struct reports r = { .n = 0 };

	cr_expect_eq(conf_load(s, "/nonexistent/pickup.params", collect, &r), OC_NOT_FOUND);
	cr_expect(strncmp(r.text, "0: ", 3) == 0, "%s", r.text);
	r = (struct reports){ .n = 0 };
	cr_expect_eq(conf_load(s, "/", collect, &r), OC_NOT_FOUND);
	cr_expect_eq(r.n, 1);
	cr_expect_eq(conf_get(s)->db_timeout_s, 2);
	conf_free(s);
	cr_assert(no_leaks());
}

/* ---- nginx/pickup.params against the table ---- */

static char *read_params(struct arena *a)
{
	const char *src = getenv("PICKUP_SRC");
	const char *tries[] = { src ? src : ".", ".", "../..", ".." };

	for (size_t i = 0; i < COUNT(tries); i++) {
		FILE *f = fopen(arena_printf(a, "%s/nginx/pickup.params", tries[i]), "re");
		if (!f)
			continue;
		char *text = arena_alloc(a, 65536);
		size_t len = fread(text, 1, 65535, f);
		fclose(f);
		cr_assert(len > 0 && len < 65535);
		return text;
	}
	cr_assert(0, "nginx/pickup.params is not found from here");
	return NULL;
}

/* What the comment above a setting must say. */
static const char *comment_of(struct arena *a, const struct setting *t)
{
	struct buf b = BUF_IN(a);

	buf_addf(&b, "%s ", t->meaning);
	switch (t->type) {
	case SETTING_INT: buf_addf(&b, "%lld to %lld %s", (long long)t->min, (long long)t->max, t->unit); break;
	case SETTING_BOOL: buf_adds(&b, "on or off"); break;
	case SETTING_WORD:
		for (size_t i = 0; t->words[i]; i++)
			buf_addf(&b, "%s%s", i == 0 ? "" : t->words[i + 1] ? ", " : " or ", t->words[i]);
		break;
	case SETTING_PATH: buf_addf(&b, "Absolute path of up to %lld %s", (long long)t->max, t->unit); break;
	case SETTING_TEXT: case SETTING_URLS: buf_addf(&b, "Text of up to %lld %s", (long long)t->max, t->unit); break;
	}
	buf_addf(&b, ", default %s.", t->fallback[0] ? t->fallback : "\"\"");
	return b.s;
}

/* The comment lines directly above at, joined by spaces. */
static const char *comment_above(struct arena *a, const char *text, const char *at)
{
	const char *start = at;
	struct buf b = BUF_IN(a);

	while (start > text) {
		const char *line = start - 1;
		while (line > text && line[-1] != '\n')
			line--;
		if (*line != '#')
			break;
		start = line;
	}
	while (start < at) {
		size_t len = strcspn(start, "\n");
		cr_assert(strncmp(start, "# ", 2) == 0, "%.*s", (int)len, start);
		if (b.len)
			buf_addc(&b, ' ');
		buf_add(&b, start + 2, len - 2);
		start += len + 1;
	}
	return b.len ? b.s : "";
}

Test(conf_file, shipped_params_are_the_table)
{
	struct arena *a = arena_new();
	const char *text = read_params(a);
	size_t n;
	const struct setting *t = conf_table(&n);
	const char *last = text;

	for (size_t i = 0; i < n; i++) {
		const char *at = strstr(text, arena_printf(a, "\nfastcgi_param %s ", t[i].name));
		cr_assert_not_null(at, "%s is not in nginx/pickup.params", t[i].name);
		cr_expect(at > last, "%s stands elsewhere than in the table", t[i].name);
		last = at;
		cr_expect_str_eq(comment_above(a, text, at + 1), comment_of(a, &t[i]), "%s", t[i].name);
	}
	arena_free(a);
}

Test(conf_file, shipped_params_load_and_are_the_defaults)
{
	struct arena *a = arena_new();
	struct conf_store *s = conf_new();
	struct reports r;
	size_t n;
	const struct setting *t = conf_table(&n);

	cr_expect_eq(load_text(s, read_params(a), &r), OC_OK, "%s", r.text);
	for (size_t i = 0; i < n; i++) {
		const char *v = dumped(s, a, t[i].name);
		if (t[i].type == SETTING_PATH)
			cr_expect(!v[0] || strncmp(v, "/etc/pickup/", 12) == 0 || strncmp(v, "/run/pickup/", 12) == 0 ||
				strncmp(v, "/var/lib/pickup/", 16) == 0, "%s=%s", t[i].name, v);
		else if (t[i].type == SETTING_URLS)
			cr_expect(strncmp(v, "unix:/run/pickup/", 17) == 0, "%s=%s", t[i].name, v);
		else
			cr_expect_str_eq(v, t[i].fallback, "%s", t[i].name);
	}
	conf_free(s);
	arena_free(a);
}

/* A file is read in parts; one MiB is the most. */
Test(conf_file, its_size_has_a_bound)
{
	static const char line[] = "\nfastcgi_param PICKUP_BODY_MAX 2000;\n";
	const size_t max = 1024 * 1024;
	static const struct { size_t more; enum outcome oc; int64_t body_max; } rows[] = { { 0, OC_OK, 2000 }, { 1, OC_NOT_FOUND, 262144 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf_store *s = conf_new();
		size_t len = max + rows[i].more;
		char *text = malloc(len + 1);
		struct reports r;

		cr_assert_not_null(text);
		memset(text, '#', len);
		memcpy(text + len - (sizeof line - 1), line, sizeof line);
		cr_expect_eq(load_text(s, text, &r), rows[i].oc, "%zu: %s", len, r.text);
		cr_expect_eq(conf_get(s)->body_max, rows[i].body_max);
		free(text);
		conf_free(s);
	}
}
