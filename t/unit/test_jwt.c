/* test_jwt.c - every way in which a token or a ticket must be refused, and the few in which it passes.
 * Owns: nothing. Covers: jwt.c. */
#include <criterion/criterion.h>

#include "tokens.h"

/* ---- roles ---- */

Test(jwt, roles)
{
	enum role r;

	for (int i = 0; i < ROLE__MAX; i++) {
		cr_expect(role_parse(str_from(role_name((enum role)i)), &r) && r == (enum role)i);
	}
	cr_expect_str_eq(role_name(ROLE_SHOPKEEPER), "shopkeeper");
	cr_expect_not(role_parse(STR("Customer"), &r));
	cr_expect_not(role_parse(STR("system"), &r));
	cr_expect_not(role_parse(STR(""), &r));
	cr_expect_not(role_parse(STR_NONE, &r));
}

/* ---- claims, HS256 ---- */

Test(jwt, claims)
{
	static const struct { const char *payload, *why; } rows[] = {
		{ GOOD, NULL },
		{ PAYLOAD("\"1\"", "\"admin\"", "1790000001"), NULL },
		{ PAYLOAD("\"9223372036854775807\"", "\"shopkeeper\"", "253402300799"), NULL },
		{ WITH("\"unknown\":{\"a\":[1,2]}"), NULL },
		{ WITH("\"iss\":\"anybody\",\"aud\":[\"x\"],\"iat\":1,\"nbf\":1790000000"), NULL },
		/* times */
		{ "{\"sub\":\"7\",\"role\":\"customer\"}", "no integer \"exp\"" },
		{ PAYLOAD("\"7\"", "\"customer\"", "null"), "no integer \"exp\"" },
		{ PAYLOAD("\"7\"", "\"customer\"", "\"1790000060\""), "no integer \"exp\"" },
		{ PAYLOAD("\"7\"", "\"customer\"", "1790000060.5"), "no integer \"exp\"" },
		{ PAYLOAD("\"7\"", "\"customer\"", "1.79e9"), "no integer \"exp\"" },
		{ PAYLOAD("\"7\"", "\"customer\"", "true"), "no integer \"exp\"" },
		{ PAYLOAD("\"7\"", "\"customer\"", "[1790000060]"), "no integer \"exp\"" },
		{ PAYLOAD("\"7\"", "\"customer\"", "1789999999"), "expired" },
		{ PAYLOAD("\"7\"", "\"customer\"", "1790000000"), "expired" },
		{ PAYLOAD("\"7\"", "\"customer\"", "0"), "expired" },
		{ PAYLOAD("\"7\"", "\"customer\"", "-1"), "out of range" },
		{ PAYLOAD("\"7\"", "\"customer\"", "253402300800"), "out of range" },
		{ PAYLOAD("\"7\"", "\"customer\"", "9223372036854775807"), "out of range" },
		{ PAYLOAD("\"7\"", "\"customer\"", "9223372036854775808"), "out of range" },
		{ WITH("\"nbf\":1790000001"), "not yet valid" },
		{ WITH("\"nbf\":9223372036854775807"), "not yet valid" },
		{ WITH("\"nbf\":-9223372036854775808"), NULL },
		{ WITH("\"nbf\":\"0\""), "\"nbf\" is no integer" },
		{ WITH("\"nbf\":null"), "\"nbf\" is no integer" },
		{ WITH("\"nbf\":true"), "\"nbf\" is no integer" }, { WITH("\"nbf\":0"), NULL }, { WITH("\"nbf\":-0"), NULL },
		{ WITH("\"nbf\":1.5"), "\"nbf\" is no integer" },
		{ WITH("\"iat\":\"1\""), "\"iat\" is no number" }, { WITH("\"iat\":null"), "\"iat\" is no number" },
		{ WITH("\"iat\":true"), "\"iat\" is no number" }, { WITH("\"iat\":[1]"), "\"iat\" is no number" },
		/* sub */
		{ "{\"role\":\"customer\",\"exp\":1790000060}", "no \"sub\"" },
		{ PAYLOAD("7", "\"customer\"", "1790000060"), "no \"sub\" that is a string" },
		{ PAYLOAD("null", "\"customer\"", "1790000060"), "no \"sub\"" },
		{ PAYLOAD("\"\"", "\"customer\"", "1790000060"), "no user id" },
		{ PAYLOAD("\"0\"", "\"customer\"", "1790000060"), "no user id" },
		{ PAYLOAD("\"07\"", "\"customer\"", "1790000060"), "no user id" },
		{ PAYLOAD("\"-7\"", "\"customer\"", "1790000060"), "no user id" },
		{ PAYLOAD("\"+7\"", "\"customer\"", "1790000060"), "no user id" },
		{ PAYLOAD("\" 7\"", "\"customer\"", "1790000060"), "no user id" },
		{ PAYLOAD("\"7 \"", "\"customer\"", "1790000060"), "no user id" },
		{ PAYLOAD("\"7.0\"", "\"customer\"", "1790000060"), "no user id" },
		{ PAYLOAD("\"7a\"", "\"customer\"", "1790000060"), "no user id" },
		{ PAYLOAD("\"9223372036854775808\"", "\"customer\"", "1790000060"), "no user id" },
		{ PAYLOAD("\"18446744073709551623\"", "\"customer\"", "1790000060"), "no user id" },
		{ PAYLOAD("\"7\\u0000\"", "\"customer\"", "1790000060"), "malformed" },
		/* role */
		{ "{\"sub\":\"7\",\"exp\":1790000060}", "no \"role\"" },
		{ PAYLOAD("\"7\"", "null", "1790000060"), "no \"role\"" },
		{ PAYLOAD("\"7\"", "1", "1790000060"), "no \"role\"" },
		{ PAYLOAD("\"7\"", "[\"customer\"]", "1790000060"), "no \"role\"" },
		{ PAYLOAD("\"7\"", "\"\"", "1790000060"), "none of ours" },
		{ PAYLOAD("\"7\"", "\"root\"", "1790000060"), "none of ours" },
		{ PAYLOAD("\"7\"", "\"Admin\"", "1790000060"), "none of ours" },
		/* no object */
		{ "[]", "malformed" }, { "7", "malformed" }, { "null", "malformed" }, { "{", "malformed" }, { "not json", "malformed" },
		/* a ticket's mark */
		{ WITH("\"typ\":\"ticket\""), "WebSockets only" },
	};
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);

	for (size_t i = 0; i < COUNT(rows); i++)
		try(r, &c, hs(&k, rows[i].payload), rows[i].why, rows[i].payload);
	struct claims got;
	const char *why;
	cr_expect_eq(jwt_verify(r, &c, str_from(hs(&k, rows[2].payload)), NOW, &got, &why), OC_OK);
	cr_expect(got.sub.v == INT64_MAX && got.role == ROLE_SHOPKEEPER && got.exp == INT64_C(253402300799) * INSTANT_SECOND);
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(jwt, when_it_was_issued)
{
	static const struct { const char *claim; instant iat; } rows[] = {
		{ "\"x\":1", INSTANT_NONE }, { "\"iat\":0", 0 }, { "\"iat\":1", 1000000 }, { "\"iat\":1790000000", NOW }, { "\"iat\":1790000000.0", NOW },
		{ "\"iat\":1790000000.123456", NOW + 123456 }, { "\"iat\":1790000000.000001", NOW + 1 }, { "\"iat\":1790000000.1", NOW + 100000 },
		/* further digits are cut, whatever they are */
		{ "\"iat\":1790000000.1234569", NOW + 123456 }, { "\"iat\":1790000000.9999999999999999999999", NOW + 999999 },
		{ "\"iat\":0.0000009", 0 }, { "\"iat\":1e-7", 0 }, { "\"iat\":1e-6", 1 }, { "\"iat\":0.001e-3", 1 },
		{ "\"iat\":1.79e9", NOW }, { "\"iat\":17900000001234567e-7", NOW + 123456 }, { "\"iat\":179E7", NOW },
		/* ours, and what others may mean by it */
		{ "\"iat\":1790000000,\"iat_us\":1", NOW + 1 }, { "\"iat\":1790000000,\"iat_us\":999999", NOW + 999999 }, { "\"iat\":1790000000,\"iat_us\":0", NOW },
		{ "\"iat\":1790000000.5,\"iat_us\":7", NOW + 7 }, { "\"iat_us\":7", INSTANT_NONE }, { "\"iat\":1790000000,\"iat_us\":1000000", NOW },
		{ "\"iat\":1790000000,\"iat_us\":-1", NOW }, { "\"iat\":1790000000,\"iat_us\":\"7\"", NOW }, { "\"iat\":1790000000,\"iat_us\":7.5", NOW },
		{ "\"iat\":1790000000,\"iat_us\":9223372036854775808", NOW }, { "\"iat\":1790000000,\"iat_us\":null", NOW },
		/* beyond all times */
		{ "\"iat\":-1", 0 }, { "\"iat\":-0.5", 0 }, { "\"iat\":-1e300", 0 }, { "\"iat\":253402300799.999999", INT64_C(253402300799999999) },
		{ "\"iat\":253402300800", INT64_C(253402300799999999) }, { "\"iat\":9223372036854775807", INT64_C(253402300799999999) },
		{ "\"iat\":123456789012345678901234567890", INT64_C(253402300799999999) }, { "\"iat\":1e300", INT64_C(253402300799999999) },
		{ "\"iat\":1e999999999999999999999", INT64_C(253402300799999999) }, { "\"iat\":1e-999999999999999999999", 0 },
		{ "\"iat\":0e999999999999999999999", 0 }, { "\"iat\":0.0", 0 }, { "\"iat\":-0", 0 },
	};
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);
	struct claims got;
	const char *why;

	for (size_t i = 0; i < 2 * COUNT(rows); i++) {	/* again, as remembered */
		const char *claim = rows[i % COUNT(rows)].claim, *token = hs(&k, arena_printf(k.a, "{\"sub\":\"7\",\"role\":\"customer\",\"exp\":1790000060,%s}", claim));
		cr_assert_eq(jwt_verify(r, &c, str_from(token), NOW, &got, &why), OC_OK, "%s", claim);
		cr_expect_eq(got.iat, rows[i % COUNT(rows)].iat, "%s: %lld", claim, (long long)got.iat);
	}
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(jwt, leeway)
{
	static const struct { int64_t leeway, at; const char *why; } rows[] = {
		/* exp is 100 s after NOW, nbf is NOW */
		{ 0, -1, "not yet valid" }, { 0, 0, NULL }, { 0, 99, NULL }, { 0, 100, "expired" },
		{ 30, -31, "not yet valid" }, { 30, -30, NULL }, { 30, 129, NULL }, { 30, 130, "expired" },
	};
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);
	const char *token = hs(&k, "{\"sub\":\"7\",\"role\":\"customer\",\"exp\":1790000100,\"nbf\":1790000000}");

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

Test(jwt, issuer_and_audience)
{
	static const struct { const char *iss, *aud, *payload, *why; } rows[] = {
		{ "me", "", WITH("\"iss\":\"me\""), NULL },
		{ "me", "", GOOD, "another issuer" },
		{ "me", "", WITH("\"iss\":\"me2\""), "another issuer" },
		{ "me", "", WITH("\"iss\":[\"me\"]"), "another issuer" },
		{ "", "api", WITH("\"aud\":\"api\""), NULL },
		{ "", "api", WITH("\"aud\":[\"api\"]"), NULL },
		{ "", "api", WITH("\"aud\":[\"x\",\"api\"]"), NULL },
		{ "", "api", WITH("\"aud\":[ \"\\\"\" , \"\\u0061pi\" ]"), NULL },
		{ "", "a\"\\/b", WITH("\"aud\":[\"a\\\"\\\\/b\"]"), NULL },
		{ "", "caf\xc3\xa9", WITH("\"aud\":[\"caf\\u00e9\"]"), NULL },
		{ "", "api", GOOD, "another audience" },
		{ "", "api", WITH("\"aud\":\"\""), "another audience" },
		{ "", "api", WITH("\"aud\":[]"), "another audience" },
		{ "", "api", WITH("\"aud\":null"), "another audience" },
		{ "", "api", WITH("\"aud\":[\"api2\",\"ap\",\"x,api\",\"\\\"api\"]"), "another audience" },
		{ "", "api", WITH("\"aud\":[[\"api\"]]"), "another audience" },
		{ "", "api", WITH("\"aud\":[{\"api\":\"api\"}]"), "another audience" },
		{ "", "api", WITH("\"aud\":{\"api\":\"api\"}"), "another audience" },
		{ "", "api", WITH("\"aud\":[\"api\\n\"]"), "another audience" },
		{ "me", "api", WITH("\"aud\":\"api\",\"iss\":\"me\""), NULL },
	};
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);

	for (size_t i = 0; i < COUNT(rows); i++) {
		c.token_issuer = rows[i].iss;
		c.token_audience = rows[i].aud;
		try(r, &c, hs(&k, rows[i].payload), rows[i].why, rows[i].payload);
	}
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

/* ---- headers, signatures, shapes ---- */

Test(jwt, headers)
{
	static const struct { const char *header, *why; } rows[] = {
		{ HS, NULL }, { "{\"alg\":\"HS256\"}", NULL }, { "{\"alg\":\"HS256\",\"kid\":\"1\",\"typ\":\"jwt\"}", NULL },
		{ "{\"alg\":\"HS256\",\"crit\":[\"b64\"]}", "crit" }, { "{\"alg\":\"HS256\",\"crit\":[]}", "crit" }, { "{\"alg\":\"HS256\",\"crit\":null}", "crit" },
		{ "{\"alg\":\"none\"}", "wrongly signed" }, { "{\"alg\":\"None\"}", "wrongly signed" }, { "{\"alg\":\"NONE\"}", "wrongly signed" },
		{ "{\"alg\":\"\"}", "wrongly signed" }, { "{}", "wrongly signed" }, { "{\"alg\":null}", "wrongly signed" },
		{ "{\"alg\":\"RS256\"}", "wrongly signed" }, { "{\"alg\":\"ES256\"}", "wrongly signed" }, { "{\"alg\":\"HS512\"}", "wrongly signed" },
		{ "{\"alg\":\"HS256\",\"typ\":\"JOSE\"}", "malformed" }, { "[]", "malformed" }, { "x", "malformed" },
	};
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);

	for (size_t i = 0; i < COUNT(rows); i++)
		try(r, &c, hs_token(&k, rows[i].header, GOOD, SECRET, strlen(SECRET)), rows[i].why, rows[i].header);
	/* truly signed with the right secret, but another algorithm */
	try(r, &c, hs512_token(&k, "{\"alg\":\"HS512\"}", GOOD), "another algorithm", "HS512");
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(jwt, none_is_refused_however_it_is_written)
{
	struct keys k = keys_make();
	struct conf hsc = hs_conf(&k), rsc = conf_of(TOKEN_RS256, put_pem(&k, "rsa.pub", rsa_of(&k), false, 0644), "");
	struct keyring *rings[] = { ring(&hsc), ring(&rsc) };
	static const char *const headers[] = { "{\"alg\":\"none\"}", "{\"alg\":\"NONE\",\"typ\":\"JWT\"}", "{}", "{\"alg\":\"\"}" };

	for (size_t i = 0; i < COUNT(rings); i++)
		for (size_t h = 0; h < COUNT(headers); h++) {
			const char *bare = unsigned_token(&k, headers[h], GOOD);
			try(rings[i], i ? &rsc : &hsc, bare, "no token", headers[h]);
			try(rings[i], i ? &rsc : &hsc, arena_printf(k.a, "%s.", bare), "no token", headers[h]);
			try(rings[i], i ? &rsc : &hsc, arena_printf(k.a, "%s.AAAA", bare), "wrongly signed", headers[h]);
		}
	keyring_free(rings[0]);
	keyring_free(rings[1]);
	keys_drop(&k);
}

Test(jwt, another_secret)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);

	try(r, &c, hs_token(&k, HS, GOOD, SECRET2, strlen(SECRET2)), "wrongly signed", "another secret");
	try(r, &c, hs_token(&k, HS, GOOD, SECRET "\n", strlen(SECRET) + 1), "wrongly signed", "the newline is not part of the secret");
	try(r, &c, hs_token(&k, HS, GOOD, "", 0), "wrongly signed", "empty secret");
	keyring_free(r);
	keys_drop(&k);
}

Test(jwt, every_changed_character)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);
	const char *good = hs(&k, GOOD);
	size_t len = strlen(good);

	try(r, &c, good, NULL, "untouched");
	for (size_t i = 0; i < len; i++) {
		struct claims got;
		const char *why;
		char *bad = arena_strdup(k.a, good);
		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		cr_expect_eq(jwt_verify(r, &c, str_from(bad), NOW, &got, &why), OC_REFUSED, "character %zu changed", i);
		cr_expect_eq(jwt_verify(r, &c, (struct str){ good, i }, NOW, &got, &why), OC_REFUSED, "cut after %zu", i);
	}
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(jwt, shapes)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);
	const char *good = hs(&k, GOOD);
	struct { const char *token, *why; } rows[] = {
		{ "", "there is no token" }, { ".", "no token" }, { "..", "no token" }, { "...", "no token" }, { "a.b.c", "no token" },
		{ "aa.bb", "no token" }, { "aa.bb.cc.dd", "no token" }, { "aa.bb.cc", "malformed" },
		{ arena_printf(k.a, "%s=", good), "no token" }, { arena_printf(k.a, " %s", good), "no token" },
		{ arena_printf(k.a, "%s ", good), "no token" }, { arena_printf(k.a, "%s\n", good), "no token" },
		{ arena_printf(k.a, "%s.", good), "no token" }, { arena_printf(k.a, ".%s", good), "no token" },
		{ arena_printf(k.a, "%s.aa", good), "no token" }, { arena_printf(k.a, "%sAA", good), "no token" }, { arena_printf(k.a, "%sA", good), "wrongly signed" },
		{ arena_printf(k.a, "%s+/", good), "no token" }, { arena_printf(k.a, "\"%s\"", good), "no token" },
		{ "\xc3\xa9.aa.bb", "no token" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		try(r, &c, rows[i].token, rows[i].why, arena_printf(k.a, "shape %zu", i));
	struct claims got;
	const char *why;
	cr_expect_eq(jwt_verify(r, &c, STR_NONE, NOW, &got, &why), OC_REFUSED);
	cr_expect_eq(jwt_verify(r, &c, (struct str){ arena_printf(k.a, "%s%cx", good, 0), strlen(good) + 2 }, NOW, &got, &why), OC_REFUSED, "a NUL inside");
	cr_expect_eq(jwt_verify(r, &c, (struct str){ arena_printf(k.a, "%sx", good), strlen(good) }, NOW, &got, &why), OC_OK, "no NUL at the end");
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(jwt, length)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);

	/* base64url has no text of length 4n+1, so the total jumps over some lengths: both sides of 8,192 are met */
	bool met_max = false, met_above = false;
	for (int pad = 6000; pad < 6100; pad++) {
		const char *token = hs(&k, arena_printf(k.a, WITH("\"pad\":\"%0*d\""), pad, 0));
		size_t len = strlen(token);
		try(r, &c, token, len > 8192 ? "too long" : NULL, arena_printf(k.a, "%zu bytes", len));
		met_max |= len >= 8190 && len <= 8192;
		met_above |= len > 8192;
	}
	cr_expect(met_max && met_above);
	keyring_free(r);
	keys_drop(&k);
}

/* ---- RS256 and ES256 ---- */

Test(jwt, public_keys)
{
	struct keys k = keys_make();
	const char *rsa_pub = put_pem(&k, "rsa.pub", rsa_of(&k), false, 0644), *ec_pub = put_pem(&k, "ec.pub", ec_of(&k), false, 0644);
	struct conf rc = conf_of(TOKEN_RS256, rsa_pub, ""), ecc = conf_of(TOKEN_ES256, ec_pub, "");
	struct keyring *rr = ring(&rc), *er = ring(&ecc);
	EVP_PKEY *rsa2 = EVP_RSA_gen(2048), *ec2 = EVP_EC_gen("P-256");
	const char *rs = pk_token(&k, "{\"alg\":\"RS256\"}", GOOD, k.rsa), *es = pk_token(&k, "{\"alg\":\"ES256\"}", GOOD, k.ec);

	try(rr, &rc, rs, NULL, "RS256");
	try(er, &ecc, es, NULL, "ES256");
	try(rr, &rc, es, "wrongly signed", "ES256 where RS256 is due");
	try(er, &ecc, rs, "wrongly signed", "RS256 where ES256 is due");
	try(rr, &rc, pk_token(&k, "{\"alg\":\"RS256\"}", GOOD, rsa2), "wrongly signed", "another RSA key");
	try(er, &ecc, pk_token(&k, "{\"alg\":\"ES256\"}", GOOD, ec2), "wrongly signed", "another EC key");
	try(rr, &rc, pk_token(&k, "{\"alg\":\"RS512\"}", GOOD, k.rsa), "wrongly signed", "signed as RS256, named RS512");
	try(rr, &rc, pk_token(&k, "{\"alg\":\"RS256\"}", PAYLOAD("\"7\"", "\"customer\"", "1"), k.rsa), "expired", "expired");
	try(er, &ecc, pk_token(&k, "{\"alg\":\"ES256\"}", PAYLOAD("7", "\"customer\"", "1790000060"), k.ec), "sub", "numeric sub");
	try(er, &ecc, arena_printf(k.a, "%.*s.%s", (int)(strrchr(es, '.') - es), es, b64(&k, (char[64]){ 0 }, 64)), "wrongly signed", "zero signature");
	try(er, &ecc, arena_printf(k.a, "%.*s.AAAA", (int)(strrchr(es, '.') - es), es), "wrongly signed", "short signature");
	cr_expect_not(keyring_can_issue(rr));
	cr_expect_not(keyring_can_ticket(er));
	keyring_free(rr);
	keyring_free(er);
	EVP_PKEY_free(rsa2);
	EVP_PKEY_free(ec2);
	keys_drop(&k);
	cr_assert(no_leaks());
}

/* RFC 8725 section 2.1, the attack on libraries that do what the header says: HS256, with the public key's file as the secret. */
Test(jwt, hs256_signed_with_the_public_key)
{
	struct keys k = keys_make();

	for (int alg = TOKEN_RS256; alg <= TOKEN_ES256; alg++) {
		struct conf c = conf_of((enum token_alg)alg, put_pem(&k, "pub", alg == TOKEN_RS256 ? rsa_of(&k) : ec_of(&k), false, 0644), "");
		struct keyring *r = ring(&c);
		char pem[2048];
		FILE *f = fopen(c.token_key_file, "re");
		size_t len = fread(pem, 1, sizeof pem, f);
		fclose(f);
		try(r, &c, hs_token(&k, HS, GOOD, pem, len), "another algorithm", "with the whole file");
		try(r, &c, hs_token(&k, HS, GOOD, pem, len - 1), "wrongly signed", "without its newline");
		keyring_free(r);
	}
	keys_drop(&k);
}

/* ---- issuing ---- */

static const char *payload_of(struct keys *k, struct str token)
{
	const char *start = strchr(token.s, '.') + 1;
	size_t len = strcspn(start, "."), got;
	char *out = arena_alloc(k->a, len + 1);

	cr_assert_eq(sodium_base642bin((unsigned char *)out, len, start, len, NULL, &got, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING), 0);
	return out;
}

Test(jwt, issued_tokens)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);
	struct claims who = { { INT64_MAX }, ROLE_ADMIN, NOW + 60 * INSTANT_SECOND, NOW }, got;
	struct str token, ticket;
	const char *why;

	cr_assert(keyring_can_issue(r) && keyring_can_ticket(r));
	cr_assert_eq(jwt_issue(k.a, r, &c, &who, &token), OC_OK);
	cr_expect_eq(jwt_verify(r, &c, token, NOW, &got, &why), OC_OK);
	cr_expect(got.sub.v == INT64_MAX && got.role == ROLE_ADMIN && got.exp == who.exp && got.iat == NOW);
	cr_expect(strncmp(token.s, b64(&k, HS, strlen(HS)), strcspn(token.s, ".")) == 0 && strcspn(token.s, ".") == strlen(b64(&k, HS, strlen(HS))));
	cr_expect_str_eq(token.s, hs(&k, payload_of(&k, token)), "as made by hand");
	cr_expect_str_eq(payload_of(&k, token), "{\"exp\":1790000060,\"iat\":1790000000,\"role\":\"admin\",\"sub\":\"9223372036854775807\"}");
	cr_expect_eq(jwt_verify(r, &c, token, who.exp, &got, &why), OC_REFUSED);
	/* to the microsecond, or not at all */
	static const struct { instant iat; const char *claim; } times[] = {
		{ NOW + 1, "\"iat\":1790000000,\"iat_us\":1," }, { NOW + 999999, "\"iat\":1790000000,\"iat_us\":999999," }, { NOW + 500000, "\"iat\":1790000000,\"iat_us\":500000," },
		{ INSTANT_NONE, "60,\"role\"" },
	};
	for (size_t i = 0; i < COUNT(times); i++) {
		struct claims of_time = { { 7 }, ROLE_ADMIN, who.exp, times[i].iat };
		cr_assert_eq(jwt_issue(k.a, r, &c, &of_time, &token), OC_OK);
		cr_expect(strstr(payload_of(&k, token), times[i].claim), "%s", payload_of(&k, token));
		cr_expect(jwt_verify(r, &c, token, NOW, &got, &why) == OC_OK && got.iat == times[i].iat);
	}
	c.token_issuer = "me";
	c.token_audience = "api \"x\"";
	cr_expect_eq(jwt_verify(r, &c, token, NOW, &got, &why), OC_REFUSED);
	cr_assert_eq(jwt_issue(k.a, r, &c, &who, &token), OC_OK);
	cr_expect_eq(jwt_verify(r, &c, token, NOW, &got, &why), OC_OK);
	cr_assert_eq(jwt_issue_ticket(k.a, r, &c, &who, &ticket), OC_OK);
	cr_expect_str_eq(payload_of(&k, ticket), "{\"aud\":\"api \\\"x\\\"\",\"exp\":1790000060,\"iat\":1790000000,\"iss\":\"me\",\"role\":\"admin\","
		"\"sub\":\"9223372036854775807\",\"typ\":\"ticket\"}");
	cr_expect_eq(jwt_verify_ticket(r, &c, ticket, NOW, &got, &why), OC_OK);
	cr_expect_eq(jwt_verify_ticket(r, &c, ticket, who.exp, &got, &why), OC_REFUSED);
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(jwt, tickets_and_tokens_are_not_one_another)
{
	struct keys k = keys_make();
	struct conf derived = hs_conf(&k), own = conf_of(TOKEN_HS256, derived.token_key_file, put_text(&k, "t", SECRET2, 0600));
	struct keyring *rings[] = { ring(&derived), ring(&own) };
	const struct claims who = { { 7 }, ROLE_CUSTOMER, NOW + 60 * INSTANT_SECOND, NOW };
	struct str token, ticket;

	for (size_t i = 0; i < COUNT(rings); i++) {
		const struct conf *c = i ? &own : &derived;
		cr_assert_eq(jwt_issue(k.a, rings[i], c, &who, &token), OC_OK);
		cr_assert_eq(jwt_issue_ticket(k.a, rings[i], c, &who, &ticket), OC_OK);
		try(rings[i], c, ticket.s, "wrongly signed", "a ticket as a token");
		try_at(jwt_verify_ticket, rings[i], c, token.s, NOW, "wrongly signed", "a token as a ticket");
		/* even where somebody knows the keys' files, purpose is written into it */
		try_at(jwt_verify_ticket, rings[i], c, hs(&k, WITH("\"typ\":\"ticket\"")), NOW, "wrongly signed", "the token key does not make tickets");
	}
	try_at(jwt_verify_ticket, rings[1], &own, hs_token(&k, HS, GOOD, SECRET2, strlen(SECRET2)), NOW, "no ticket", "without the mark");
	try_at(jwt_verify_ticket, rings[1], &own, hs_token(&k, HS, WITH("\"typ\":\"ticket\""), SECRET2, strlen(SECRET2)), NOW, NULL, "with it");
	try_at(jwt_verify_ticket, rings[0], &derived, hs_token(&k, HS, WITH("\"typ\":\"ticket\""), SECRET2, strlen(SECRET2)), NOW, "wrongly signed", "another ring's ticket");
	keyring_free(rings[0]);
	keyring_free(rings[1]);
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(jwt, what_a_public_key_can_not)
{
	struct keys k = keys_make();
	struct conf c = conf_of(TOKEN_RS256, put_pem(&k, "pub", rsa_of(&k), false, 0644), "");
	struct keyring *r = ring(&c);
	const struct claims who = { { 7 }, ROLE_CUSTOMER, NOW + 60 * INSTANT_SECOND, NOW };
	struct str out;

	cr_expect_eq(jwt_issue(k.a, r, &c, &who, &out), OC_REFUSED);
	cr_expect_eq(jwt_issue_ticket(k.a, r, &c, &who, &out), OC_REFUSED);
	/* the empty key makes signatures like any other */
	try_at(jwt_verify_ticket, r, &c, hs_token(&k, HS, WITH("\"typ\":\"ticket\""), "", 0), NOW, "not in use", "no ticket key");
	keyring_free(r);
	keys_drop(&k);
}
