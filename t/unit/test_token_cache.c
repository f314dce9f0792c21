/* test_token_cache.c - a token that was verified before is judged as one that was not: by its times, keys, purpose and settings.
 * Owns: nothing. Covers: token_cache.c, its use by jwt.c and keyring.c. That all other tokens are judged alike the second time: tokens.h. */
#include <criterion/criterion.h>

#include "tokens.h"
#include "keyring.h"
#include "token_cache.h"

/* ---- the table ---- */

static struct token_cache *new_cache(void)
{
	cr_assert_geq(sodium_init(), 0);
	return token_cache_new();
}

static struct verified person(uint64_t id)
{
	return (struct verified){ { { id }, ROLE_CUSTOMER, 5, 4 }, INSTANT_NONE };
}

/* Digests of one set differ in their last bytes only. */
static struct token_digest digest_of(unsigned set, unsigned char n)
{
	return (struct token_digest){ { [0] = set & 0xff, [1] = set >> 8, [31] = n } };
}

static bool holds(struct token_cache *c, unsigned set, unsigned char n)
{
	struct token_digest d = digest_of(set, n);
	const struct verified *v = token_cache_find(c, &d);

	return v && v->who.sub.v == set * 100 + n + 1 && v->who.role == ROLE_CUSTOMER && v->who.exp == 5 && v->who.iat == 4 && v->nbf == INSTANT_NONE;
}

static void keep(struct token_cache *c, unsigned set, unsigned char n)
{
	struct token_digest d = digest_of(set, n);
	struct verified v = person(set * 100 + n + 1);

	token_cache_put(c, &d, &v);
}

Test(token_cache, holds_so_many_and_drops_what_was_not_asked_for_the_longest)
{
	struct token_cache *c = new_cache();

	for (unsigned set = 0; set < TOKEN_CACHE_SETS; set++)
		for (unsigned char n = 0; n < TOKEN_CACHE_WAYS; n++) {
			cr_expect_not(holds(c, set, n), "set %u starts with %u", set, n);
			keep(c, set, n);
		}
	for (unsigned set = 0; set < TOKEN_CACHE_SETS; set++)
		for (unsigned char n = 0; n < TOKEN_CACHE_WAYS; n++)
			cr_expect(holds(c, set, n), "set %u lost %u", set, n);
	cr_expect(holds(c, 7, 0));		/* so 1 is the one not asked for the longest */
	keep(c, 7, 9);
	cr_expect_not(holds(c, 7, 1));
	cr_expect(holds(c, 7, 0) && holds(c, 7, 2) && holds(c, 7, 3) && holds(c, 7, 9));
	for (unsigned char n = 0; n < TOKEN_CACHE_WAYS; n++)
		cr_expect(holds(c, 6, n) && holds(c, 8, n), "other sets keep what they have");
	token_cache_free(c);
	token_cache_free(NULL);
	cr_assert(no_leaks());
}

Test(token_cache, a_digest_is_of_everything)
{
	static const struct { char purpose; const char *issuer, *audience; struct str token; } rows[] = {
		{ 'a', "", "", { "aa.bb.cc", 8 } }, { 't', "", "", { "aa.bb.cc", 8 } }, { 'a', "", "", { "aa.bb.cd", 8 } },
		{ 'a', "", "", { "aa.bb.cc", 7 } }, { 'a', "", "", { "aa.bb.cc", 9 } }, { 'a', "x", "", { "aa.bb.cc", 8 } },
		{ 'a', "", "x", { "aa.bb.cc", 8 } }, { 'a', "x", "y", { "aa.bb.cc", 8 } }, { 'a', "xy", "", { "aa.bb.cc", 8 } },
		{ 'a', "", "xy", { "aa.bb.cc", 8 } }, { 'a', "", "", { "xyaa.bb.cc", 10 } }, { 'a', "", "", { "\0aa.bb.cc", 9 } },
	};
	struct token_cache *c = new_cache(), *other = new_cache();
	struct token_digest d[COUNT(rows)], again;

	for (size_t i = 0; i < COUNT(rows); i++) {
		token_cache_digest(c, rows[i].purpose, rows[i].issuer, rows[i].audience, rows[i].token, &d[i]);
		for (size_t j = 0; j < i; j++)
			cr_expect_neq(memcmp(&d[i], &d[j], sizeof *d), 0, "rows %zu and %zu", i, j);
		token_cache_digest(c, rows[i].purpose, rows[i].issuer, rows[i].audience, rows[i].token, &again);
		cr_expect_eq(memcmp(&d[i], &again, sizeof *d), 0, "row %zu changes", i);
		token_cache_digest(other, rows[i].purpose, rows[i].issuer, rows[i].audience, rows[i].token, &again);
		cr_expect_neq(memcmp(&d[i], &again, sizeof *d), 0, "row %zu can be foretold", i);
	}
	token_cache_free(c);
	token_cache_free(other);
}

/* ---- tokens ---- */

/* Spoils the key behind the keyring's back: from now on only what is remembered passes. */
static void spoil(struct secret *s)
{
	s->v[0] ^= 1;
	crypto_auth_hmacsha256_init(&s->begun, s->v, s->len);
}

#define TIMED "{\"sub\":\"7\",\"role\":\"shopkeeper\",\"exp\":1790000100,\"nbf\":1790000000}"

Test(token_cache, a_hit_gives_the_same_claims)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);
	const char *payloads[] = { GOOD, TIMED, PAYLOAD("\"9223372036854775807\"", "\"admin\"", "253402300799"), WITH("\"nbf\":-5"), WITH("\"nbf\":0") };
	struct claims first[COUNT(payloads)], second;
	const char *why;

	for (size_t i = 0; i < COUNT(payloads); i++)
		cr_expect_eq(jwt_verify(r, &c, str_from(hs(&k, payloads[i])), NOW, &first[i], &why), OC_OK, "%s", payloads[i]);
	const char *unknown = hs(&k, WITH("\"jti\":\"new\""));
	spoil(&r->token);
	for (size_t i = 0; i < COUNT(payloads); i++) {
		cr_expect_eq(jwt_verify(r, &c, str_from(hs(&k, payloads[i])), NOW, &second, &why), OC_OK, "%s", payloads[i]);
		cr_expect(why == NULL && second.sub.v == first[i].sub.v && second.role == first[i].role && second.exp == first[i].exp, "%s", payloads[i]);
	}
	try(r, &c, unknown, "wrongly signed", "not seen before");
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(token_cache, times_are_judged_at_each_use)
{
	static const struct { int64_t leeway, at; const char *why; } rows[] = {
		/* exp is 100 s after NOW, nbf is NOW; the first use has put it there */
		{ 0, 0, NULL }, { 0, 99, NULL }, { 0, 100, "expired" }, { 0, -1, "not yet valid" }, { 0, 50, NULL }, { 1, 100, NULL }, { 1, -1, NULL },
		{ 1, 101, "expired" }, { 1, -2, "not yet valid" }, { 0, 100000, "expired" }, { 0, 1, NULL },
	};
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);
	const char *token = hs(&k, TIMED);

	try(r, &c, token, NULL, "first");
	spoil(&r->token);
	for (size_t i = 0; i < COUNT(rows); i++) {
		c.token_leeway_s = rows[i].leeway;
		try_at(jwt_verify, r, &c, token, NOW + rows[i].at * INSTANT_SECOND, rows[i].why, arena_printf(k.a, "row %zu", i));
	}
	c.token_leeway_s = 0;
	try_at(jwt_verify, r, &c, token, NOW + 100 * INSTANT_SECOND - 1, NULL, "the last microsecond");
	try_at(jwt_verify, r, &c, token, NOW - 1, "not yet valid", "a microsecond early");
	keyring_free(r);
	keys_drop(&k);
}

Test(token_cache, what_was_refused_is_not_kept)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);
	const char *early = hs(&k, WITH("\"nbf\":1790000001")), *forged = hs_token(&k, HS, GOOD, SECRET2, strlen(SECRET2));

	try(r, &c, early, "not yet valid", "too early");
	try(r, &c, forged, "wrongly signed", "forged");
	spoil(&r->token);
	try_at(jwt_verify, r, &c, early, NOW + INSTANT_SECOND, "wrongly signed", "it is verified when its time has come");
	spoil(&r->token);
	try_at(jwt_verify, r, &c, early, NOW + INSTANT_SECOND, NULL, "and passes");
	keyring_free(r);
	keys_drop(&k);
}

Test(token_cache, nothing_like_a_good_token_passes)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);
	const char *good = hs(&k, GOOD);
	size_t len = strlen(good);

	try(r, &c, good, NULL, "good");
	/* 32 bytes leave two bits of the last character without a meaning, which lax decoders ignore: the verdict on such is never the other one's */
	for (const char *p = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"; *p; p++) {
		char *twin = arena_strdup(k.a, good);
		struct claims got;
		const char *why;
		twin[len - 1] = *p;
		if (*p == good[len - 1])
			continue;
		struct keyring *fresh = ring(&c);
		enum outcome want = jwt_verify(fresh, &c, str_from(twin), NOW, &got, &why);
		cr_expect_eq(jwt_verify(r, &c, str_from(twin), NOW, &got, &why), want, "ends in %c", *p);
		keyring_free(fresh);
	}
	spoil(&r->token);
	for (size_t i = 0; i < len; i++) {
		struct claims got;
		const char *why;
		char *bad = arena_strdup(k.a, good);
		bad[i] = bad[i] == '5' ? '7' : '5';
		cr_expect_eq(jwt_verify(r, &c, str_from(bad), NOW, &got, &why), OC_REFUSED, "character %zu changed", i);
		cr_expect_eq(jwt_verify(r, &c, (struct str){ good, i }, NOW, &got, &why), OC_REFUSED, "cut after %zu", i);
	}
	cr_expect_eq(len, strlen(good));
	try(r, &c, hs_token(&k, HS, GOOD, SECRET2, strlen(SECRET2)), "wrongly signed", "forged, same claims");
	try(r, &c, arena_printf(k.a, "%sA", good), "wrongly signed", "longer");
	try(r, &c, good, NULL, "the good one, from memory");
	keyring_free(r);
	keys_drop(&k);
}

Test(token_cache, neither_passes_for_the_other)
{
	struct keys k = keys_make();
	struct conf c = conf_of(TOKEN_HS256, put_text(&k, "hs.key", SECRET "\n", 0600), put_text(&k, "ticket.key", SECRET2, 0600));
	struct keyring *r = ring(&c);
	const char *token = hs(&k, GOOD), *ticket = hs_token(&k, HS, WITH("\"typ\":\"ticket\""), SECRET2, strlen(SECRET2));

	for (int i = 0; i < 2; i++) {
		try_at(jwt_verify, r, &c, token, NOW, NULL, "a token");
		try_at(jwt_verify_ticket, r, &c, token, NOW, "wrongly signed", "a token as a ticket");
		try_at(jwt_verify_ticket, r, &c, ticket, NOW, NULL, "a ticket");
		try_at(jwt_verify, r, &c, ticket, NOW, "wrongly signed", "a ticket as a token");
	}
	spoil(&r->token);
	spoil(&r->ticket);
	try_at(jwt_verify, r, &c, token, NOW, NULL, "a token, from memory");
	try_at(jwt_verify_ticket, r, &c, ticket, NOW, NULL, "a ticket, from memory");
	keyring_free(r);
	keys_drop(&k);
}

Test(token_cache, other_settings_or_keys_judge_anew)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);
	const char *token = hs(&k, WITH("\"iss\":\"me\",\"aud\":\"shops\""));

	try(r, &c, token, NULL, "any issuer");
	c.token_issuer = "you";
	try(r, &c, token, "another issuer", "the issuer was set");
	c.token_issuer = "me";
	try(r, &c, token, NULL, "to its own");
	c.token_audience = "people";
	try(r, &c, token, "another audience", "the audience was set");
	c.token_audience = "shops";
	try(r, &c, token, NULL, "to its own");
	put_text(&k, "hs.key", SECRET2, 0600);
	keyring_refresh(r, &c, NOW);
	try(r, &c, token, "wrongly signed", "the key was changed");
	put_text(&k, "hs.key", SECRET, 0600);
	keyring_refresh(r, &c, NOW + 2 * INSTANT_SECOND);
	try(r, &c, token, NULL, "and back");
	c.token_alg = TOKEN_ES256;
	c.token_key_file = put_pem(&k, "ec.pub", ec_of(&k), false, 0644);
	keyring_refresh(r, &c, NOW + 4 * INSTANT_SECOND);
	try(r, &c, token, "malformed or wrongly signed", "another algorithm");
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}
