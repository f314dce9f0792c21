/* test_log.c - lines of the log: logfmt, whatever stands in the text.
 * Owns: tests of log.c. Used by: make check. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

/* What log_line() writes is read from a pipe in place of standard error. */
static char line[65536];

static int catch_stderr(int *read_from)
{
	int ends[2], kept = dup(STDERR_FILENO);
	cr_assert_eq(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	*read_from = ends[0];
	return kept;
}

static void give_back(int kept, int from)
{
	dup2(kept, STDERR_FILENO);
	close(kept);
	size_t n = 0;
	for (ssize_t some; (some = read(from, line + n, sizeof line - 1 - n)) > 0; )
		n += (size_t)some;
	line[n] = '\0';
	close(from);
}

static const char *logged(const char *request, const char *text)
{
	int from, kept = catch_stderr(&from);
	log_set_request(request);
	log_error("%s", text);
	log_set_request("");
	give_back(kept, from);
	const char *pid = strstr(line, " pid=");
	cr_assert(pid && strncmp(line, "time=20", 7) == 0 && strstr(line, "Z level=error pid="), "%s", line);
	const char *rest = strchr(pid + 1, ' ');
	cr_assert(rest);
	return rest + 1;
}

Test(log, texts)
{
	static const struct { const char *request, *text, *want; } cases[] = {
		{ "", "plain text; with = and 'quotes'", "msg=\"plain text; with = and 'quotes'\"\n" },
		{ "", "", "msg=\"\"\n" },
		{ "", "a \"b\" \\ c", "msg=\"a \\\"b\\\" \\\\ c\"\n" },
		{ "", "\n\r\t\x1b\x7f\x80\xff", "msg=\"\\u000a\\u000d\\u0009\\u001b\\u007f\\u0080\\u00ff\"\n" },
		{ "00aaFF-.:", "x", "req=00aaFF-.: msg=\"x\"\n" },
		{ "a b=\"c\"\n\xff", "x", "req=a_b__c___ msg=\"x\"\n" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = logged(cases[i].request, cases[i].text);
		cr_expect_str_eq(got, cases[i].want, "%s", got);
	}
}

Test(log, whatever_comes_is_one_line_of_ascii)
{
	char text[256] = "";
	for (unsigned i = 1; i < 256; i++)
		text[i - 1] = (char)i;
	const char *got = logged("", text);
	cr_expect_eq(strchr(got, '\n'), got + strlen(got) - 1);
	for (; *got != '\n'; got++)
		cr_expect(*got >= 0x20 && *got <= 0x7e);
}

Test(log, long_texts_are_cut)
{
	char text[5000], id[100];
	memset(text, '\x01', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	memset(id, 'f', sizeof id - 1);
	id[sizeof id - 1] = '\0';
	const char *got = logged(id, text);
	cr_expect_eq(strlen(got), strlen("req= ") + 63 + strlen("msg=\"\"\n") + (4096 - 3) * 6 + 3, "%zu", strlen(got));
	cr_expect_str_eq(got + strlen(got) - 5, "...\"\n");
}

Test(log, fields_and_levels)
{
	int from, kept = catch_stderr(&from);
	log_set_level(LOG_WARN);
	log_fields(LOG_INFO, "a=1", 3);
	log_fields(LOG_WARN, "b=2 c=3", 7);
	cr_expect(log_is_on(LOG_WARN) && !log_is_on(LOG_INFO));
	log_set_level(LOG_INFO);
	give_back(kept, from);
	cr_expect(strstr(line, " level=warn pid=") && !strstr(line, "a=1"), "%s", line);
	cr_expect_str_eq(line + strlen(line) - 9, " b=2 c=3\n");
}
