/* test_conf.c - the settings: bounds, defaults, what requests bring, last good values, faults logged once.
 * Owns: nothing. Covers: conf.c, conf_value.c. */
#include <criterion/criterion.h>

#include "conf_texts.h"
#include "log.h"

static bool set(struct conf_store *s, const char *name, const char *value, char why[512])
{
	return conf_set(s, str_from(name), str_from(value), why, 512);
}

/* What the log says while fn runs. */
struct capture { int kept; FILE *file; };

static struct capture capture_start(void)
{
	struct capture c = { dup(STDERR_FILENO), tmpfile() };

	cr_assert(c.kept >= 0 && c.file);
	fflush(stderr);
	dup2(fileno(c.file), STDERR_FILENO);
	return c;
}

static unsigned capture_end(struct capture c)
{
	unsigned lines = 0;

	fflush(stderr);
	dup2(c.kept, STDERR_FILENO);
	close(c.kept);
	rewind(c.file);
	for (int ch; (ch = fgetc(c.file)) != EOF;)
		lines += ch == '\n';
	fclose(c.file);
	return lines;
}

Test(conf, defaults_are_the_tables)
{
	struct conf_store *s = conf_new();
	struct arena *a = arena_new();
	size_t n;
	const struct setting *t = conf_table(&n);

	for (size_t i = 0; i < n; i++)
		cr_expect_str_eq(dumped(s, a, t[i].name), t[i].fallback, "%s", t[i].name);
	cr_expect_eq(conf_get(s)->db_timeout_s, 2);
	cr_expect_eq(conf_get(s)->token_alg, TOKEN_HS256);
	cr_expect_eq(conf_get(s)->log_level, LOG_INFO);
	cr_expect(conf_get(s)->registration);
	cr_expect_str_eq(conf_get(s)->token_key_file, "");
	arena_free(a);
	conf_free(s);
	cr_assert(no_leaks());
}

Test(conf, every_row_has_a_field_of_its_own)
{
	size_t n;
	const struct setting *t = conf_table(&n);

	for (size_t i = 0; i < n; i++) {
		cr_expect(strncmp(t[i].name, "PICKUP_", 7) == 0);
		cr_expect(t[i].meaning[0] && t[i].min <= t[i].max, "%s", t[i].name);
		for (size_t k = 0; k < i; k++) {
			cr_expect_neq(t[i].offset, t[k].offset, "%s and %s share a field", t[i].name, t[k].name);
			cr_expect_str_neq(t[i].name, t[k].name);
		}
	}
	/* all members but the bool are 8 bytes: none was forgotten */
	cr_expect_eq(n, sizeof(struct conf) / 8, "%zu rows for %zu members", n, sizeof(struct conf) / 8);
}

Test(conf, bounds_of_every_number)
{
	struct conf_store *s = conf_new();
	size_t n;
	const struct setting *t = conf_table(&n);
	char why[512], v[32];

	for (size_t i = 0; i < n; i++) {
		if (t[i].type != SETTING_INT)
			continue;
		int64_t tries[] = { t[i].min - 1, t[i].min, t[i].max, t[i].max + 1 };
		for (size_t k = 0; k < COUNT(tries); k++) {
			bool should = k == 1 || k == 2;
			snprintf(v, sizeof v, "%lld", (long long)tries[k]);
			cr_expect_eq(set(s, t[i].name, v, why), should, "%s=%s", t[i].name, v);
			cr_expect(should || strstr(why, t[i].name) == why, "%s", why);
			int64_t now = *(const int64_t *)(const void *)((const char *)conf_get(s) + t[i].offset);
			cr_expect(k == 0 || now == (k == 1 ? t[i].min : t[i].max), "%s is %lld after %s", t[i].name, (long long)now, v);
		}
	}
	conf_free(s);
}

Test(conf, values)
{
	static const struct { const char *name, *value; bool good; } rows[] = {
		{ "PICKUP_BODY_MAX", "4096", true }, { "PICKUP_BODY_MAX", "", false }, { "PICKUP_BODY_MAX", " 4096", false },
		{ "PICKUP_BODY_MAX", "4096 ", false }, { "PICKUP_BODY_MAX", "04096", false }, { "PICKUP_BODY_MAX", "+4096", false },
		{ "PICKUP_BODY_MAX", "-4096", false }, { "PICKUP_BODY_MAX", "4k", false }, { "PICKUP_BODY_MAX", "4096.0", false },
		{ "PICKUP_BODY_MAX", "0x1000", false }, { "PICKUP_BODY_MAX", "18446744073709555712", false },
		{ "PICKUP_REGISTRATION", "on", true }, { "PICKUP_REGISTRATION", "off", true }, { "PICKUP_REGISTRATION", "ON", false },
		{ "PICKUP_REGISTRATION", "1", false }, { "PICKUP_REGISTRATION", "", false },
		{ "PICKUP_TOKEN_ALG", "ES256", true }, { "PICKUP_TOKEN_ALG", "none", false }, { "PICKUP_TOKEN_ALG", "hs256", false },
		{ "PICKUP_TOKEN_ALG", "HS512", false }, { "PICKUP_TOKEN_ALG", "", false },
		{ "PICKUP_LOG_LEVEL", "debug", true }, { "PICKUP_LOG_LEVEL", "notice", false },
		{ "PICKUP_TOKEN_KEY_FILE", "/a b/c", true }, { "PICKUP_TOKEN_KEY_FILE", "", true }, { "PICKUP_TOKEN_KEY_FILE", "key", false },
		{ "PICKUP_TOKEN_KEY_FILE", "/a\nb", false },
		{ "PICKUP_TOKEN_ISSUER", "https://id.example", true }, { "PICKUP_TOKEN_ISSUER", "caf\xc3\xa9", true },
		{ "PICKUP_TOKEN_ISSUER", "caf\xe9", false }, { "PICKUP_TOKEN_ISSUER", "a\x7f", false }, { "PICKUP_TOKEN_ISSUER", "a\tb", false },
		{ "PICKUP_PUSH_URLS", "", true }, { "PICKUP_PUSH_URLS", "unix:/run/pub.sock", true },
		{ "PICKUP_PUSH_URLS", " unix:/a  http://10.0.0.1:8081 ", true }, { "PICKUP_PUSH_URLS", "http://push-2.example", true },
		{ "PICKUP_PUSH_URLS", "http://[::1]:80", true }, { "PICKUP_PUSH_URLS", "http://[::1]", true },
		{ "PICKUP_PUSH_URLS", "http://[::1", false }, { "PICKUP_PUSH_URLS", "http://[::1]80", false }, { "PICKUP_PUSH_URLS", "http://[]", false },
		{ "PICKUP_PUSH_URLS", "http://", false }, { "PICKUP_PUSH_URLS", "http://:80", false }, { "PICKUP_PUSH_URLS", "http://a:", false },
		{ "PICKUP_PUSH_URLS", "http://a:0", false }, { "PICKUP_PUSH_URLS", "http://a:65536", false }, { "PICKUP_PUSH_URLS", "http://a/x", false },
		{ "PICKUP_PUSH_URLS", "http://u@a", false }, { "PICKUP_PUSH_URLS", "https://a", false }, { "PICKUP_PUSH_URLS", "unix:a", false },
		{ "PICKUP_PUSH_URLS", "unix:/", false }, { "PICKUP_PUSH_URLS", "unix:/a,unix:/b http", false },
		{ "PICKUP_NO_SUCH", "1", false }, { "BODY_MAX", "4096", false }, { "", "1", false }, { "pickup_body_max", "4096", false },
	};
	struct conf_store *s = conf_new();
	struct arena *a = arena_new();
	char why[512];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf before = BUF_IN(a), after = BUF_IN(a);
		why[0] = '\0';
		conf_dump(s, &before);
		cr_expect_eq(set(s, rows[i].name, rows[i].value, why), rows[i].good, "%s=\"%s\" (%s)", rows[i].name, rows[i].value, why);
		conf_dump(s, &after);
		if (rows[i].good)
			cr_expect_str_eq(dumped(s, a, rows[i].name), rows[i].value);
		else
			cr_expect(why[0] && str_eq(buf_str(&before), buf_str(&after)), "%s=\"%s\" changed something, or why is empty", rows[i].name, rows[i].value);
	}
	arena_free(a);
	conf_free(s);
}

Test(conf, lengths)
{
	static const struct { const char *name, *start; size_t max; } rows[] = {
		{ "PICKUP_TOKEN_AUDIENCE", "a", 255 }, { "PICKUP_RELAY_SOCKET", "/", 107 }, { "PICKUP_ZONEINFO", "/", 4095 },
		{ "PICKUP_PUSH_URLS", "unix:/", 112 },
	};
	struct conf_store *s = conf_new();
	char value[5000], why[512];

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t more = 0; more < 2; more++) {
			memset(value, 'x', sizeof value);
			memcpy(value, rows[i].start, strlen(rows[i].start));
			value[rows[i].max + more] = '\0';
			cr_expect_eq(set(s, rows[i].name, value, why), more == 0, "%s with %zu bytes", rows[i].name, rows[i].max + more);
		}
	conf_free(s);
}

Test(conf, loading_again)
{
	struct conf_store *s = conf_new();
	struct reports r;
	char why[512];

	cr_assert(set(s, "PICKUP_RELAY_BATCH", "7", why));
	cr_expect_eq(load_text(s, "fastcgi_param PICKUP_BODY_MAX 2000; fastcgi_param PICKUP_DB_TIMEOUT_S 9; fastcgi_param PICKUP_RELAY_BATCH 8;", &r), OC_OK);
	cr_expect_eq(conf_get(s)->relay_batch, 7, "what was set stands above the file");
	cr_expect_eq(load_text(s, "fastcgi_param PICKUP_BODY_MAX nonsense;", &r), OC_REFUSED);
	cr_expect_eq(conf_get(s)->body_max, 2000, "the last good value stays");
	cr_expect_eq(conf_get(s)->db_timeout_s, 2, "what left the file is back at its default");
	cr_expect_eq(conf_get(s)->relay_batch, 7);
	conf_free(s);
}

Test(conf, requests)
{
	struct conf_store *s = conf_new();
	const struct conf *c = conf_get(s);
	char body1[] = "PICKUP_BODY_MAX=2000", body2[] = "PICKUP_BODY_MAX=3000", bad[] = "PICKUP_BODY_MAX=3", key[] = "PICKUP_TOKEN_KEY_FILE=/k";
	char same[] = "PICKUP_BODY_MAX=2000", empty[] = "PICKUP_TOKEN_KEY_FILE=", uri[] = "REQUEST_URI=/PICKUP_BODY_MAX=9", bare[] = "PICKUP_BODY_MAX";
	char why[512];
	cr_assert(set(s, "PICKUP_BODY_MAX", "5000", why));

	cr_expect_not(conf_from_params(s, (char *[]){ uri, NULL }));
	cr_expect_eq(c->body_max, 5000);
	cr_expect(conf_from_params(s, (char *[]){ uri, body1, key, NULL }));
	cr_expect_eq(c->body_max, 2000);
	const char *text = c->token_key_file;
	cr_expect_str_eq(text, "/k");
	cr_expect_not(conf_from_params(s, (char *[]){ same, uri, key, NULL }), "unchanged, at another address");
	cr_expect(conf_from_params(s, (char *[]){ body2, key, NULL }));
	cr_expect_eq(c->token_key_file, text, "a text that did not change keeps its address");
	cr_expect_not(conf_from_params(s, (char *[]){ bad, key, NULL }), "a bad value changes nothing");
	cr_expect_eq(c->body_max, 3000, "the last good value stays");
	cr_expect_not(conf_from_params(s, (char *[]){ bare, key, NULL }));
	cr_expect_eq(c->body_max, 3000);
	cr_expect(conf_from_params(s, (char *[]){ body1, body2, empty, NULL }), "the key file is gone");
	cr_expect_eq(c->body_max, 3000, "the later of two counts");
	cr_expect_str_eq(c->token_key_file, "");
	cr_expect_str_eq(text, "/k", "who still holds the old text can read it");
	cr_expect(conf_from_params(s, (char *[]){ uri, NULL }));
	cr_expect_eq(c->body_max, 5000, "what left the parameters is back at its base");
	conf_free(s);
	cr_assert(no_leaks());
}

Test(conf, requests_see_what_is_appended_or_removed)
{
	struct conf_store *s = conf_new();
	char a[] = "PICKUP_BODY_MAX=2000", b[] = "PICKUP_RELAY_BATCH=3", prefix[] = "PICKUP_BODY_MAX=20000";

	cr_expect(conf_from_params(s, (char *[]){ a, NULL }));
	cr_expect(conf_from_params(s, (char *[]){ a, b, NULL }), "one more");
	cr_expect_eq(conf_get(s)->relay_batch, 3);
	cr_expect(conf_from_params(s, (char *[]){ a, NULL }), "one less");
	cr_expect_eq(conf_get(s)->relay_batch, 200);
	cr_expect(conf_from_params(s, (char *[]){ prefix, NULL }), "the old one is a prefix of the new one");
	cr_expect_eq(conf_get(s)->body_max, 20000);
	conf_free(s);
}

Test(conf, faults_of_requests_are_logged_once)
{
	struct conf_store *s = conf_new();
	char good[] = "PICKUP_BODY_MAX=2000", bad[] = "PICKUP_BODY_MAX=3", worse[] = "PICKUP_BODY_MAX=4", typo[] = "PICKUP_BODY_MXA=1";
	struct capture c = capture_start();

	for (int i = 0; i < 5; i++) {
		conf_from_params(s, (char *[]){ bad, typo, NULL });
		conf_from_params(s, (char *[]){ good, NULL });
	}
	cr_expect_eq(capture_end(c), 2, "one line for each fault");
	c = capture_start();
	conf_from_params(s, (char *[]){ worse, NULL });
	conf_from_params(s, (char *[]){ good, NULL });
	cr_expect_eq(capture_end(c), 1, "another bad value is another fault");
	c = capture_start();
	for (int i = 0; i < 1000; i++) {
		char many[64];
		snprintf(many, sizeof many, "PICKUP_BODY_MAX=x%d", i);
		conf_from_params(s, (char *[]){ many, NULL });
	}
	cr_expect_eq(capture_end(c), 1000);
	conf_free(s);
	cr_assert(no_leaks());
}

Test(conf, unchanged_parameters_are_not_parsed_again)
{
	struct conf_store *s = conf_new();
	char entries[100][32], *params[101] = { NULL };
	struct capture c = capture_start();

	/* more faults than are remembered: parsing them again would log them again */
	for (int i = 0; i < 100; i++) {
		snprintf(entries[i], sizeof entries[i], "PICKUP_NONE_%d=1", i);
		params[i] = entries[i];
	}
	for (int i = 0; i < 3; i++)
		conf_from_params(s, params);
	cr_expect_eq(capture_end(c), 100);
	conf_free(s);
	cr_assert(no_leaks());
}
