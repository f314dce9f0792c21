/* test_jwt_text.c - rightly signed tokens whose JSON or base64 others read otherwise, or forgive: one reading, or none.
 * Owns: nothing. Covers: jwt.c, with json_body.c. What the claims must say: test_jwt.c. */
#include <criterion/criterion.h>

#include "tokens.h"

/* A member twice, whichever is good; numbers that are integers elsewhere; names and texts behind escapes. */
Test(jwt_text, json_that_others_read_otherwise)
{
	static const struct { const char *payload, *why; } rows[] = {
		{ WITH("\"exp\":1790000060"), "malformed" }, { WITH("\"exp\":1"), "malformed" }, { WITH("\"\\u0065xp\":1"), "malformed" },
		{ WITH("\"sub\":\"1\""), "malformed" }, { WITH("\"role\":\"admin\""), "malformed" }, { WITH("\"x\":{\"a\":1,\"a\":1}"), "malformed" },
		{ WITH("\"x\":{\"exp\":1,\"sub\":\"9\",\"role\":\"admin\",\"typ\":\"ticket\",\"nbf\":1790000001}"), NULL },
		{ "{\"x\":" GOOD "}", "no integer \"exp\"" }, { "[" GOOD "]", "malformed" }, { "{\"\\u0065xp\":1790000060,\"sub\":\"\\u0037\",\"role\":\"customer\"}", NULL },
		{ "{\"EXP\":1790000060,\"sub\":\"7\",\"role\":\"customer\"}", "no integer \"exp\"" },
		/* numbers */
		{ PAYLOAD("\"7\"", "\"customer\"", "1e10"), "no integer" }, { PAYLOAD("\"7\"", "\"customer\"", "1790000060.0"), "no integer" },
		{ PAYLOAD("\"7\"", "\"customer\"", "1790000060e0"), "no integer" }, { PAYLOAD("\"7\"", "\"customer\"", "1e400"), "no integer" },
		{ PAYLOAD("\"7\"", "\"customer\"", "-0"), "expired" }, { PAYLOAD("\"7\"", "\"customer\"", "0x7fffffff"), "malformed" },
		{ PAYLOAD("\"7\"", "\"customer\"", "+1790000060"), "malformed" }, { PAYLOAD("\"7\"", "\"customer\"", "01790000060"), "malformed" },
		{ PAYLOAD("\"7\"", "\"customer\"", "NaN"), "malformed" }, { PAYLOAD("\"7\"", "\"customer\"", "Infinity"), "malformed" },
		{ PAYLOAD("\"7\"", "\"customer\"", "18446744073709551616"), "out of range" }, { PAYLOAD("\"7\"", "\"customer\"", "18446744075499551676"), "out of range" },
		{ PAYLOAD("\"7\"", "\"customer\"", "-9223372036854775809"), "out of range" }, { PAYLOAD("\"7\"", "\"customer\"", "-18446744071919551556"), "out of range" },
		{ PAYLOAD("\"7\"", "\"customer\"", "340282366920938463463374607431768211456"), "out of range" },
		{ WITH("\"nbf\":9223372036854775808"), "not yet valid" }, { WITH("\"nbf\":18446744073709551616"), "not yet valid" },
		{ WITH("\"nbf\":-9223372036854775809"), NULL }, { WITH("\"nbf\":1e3"), "\"nbf\" is no integer" }, { WITH("\"nbf\":1.0"), "\"nbf\" is no integer" },
		{ WITH("\"nbf\":{}"), "\"nbf\" is no integer" }, { WITH("\"nbf\":1,\"nbf\":1"), "malformed" },
		/* NUL, wherever it stands */
		{ PAYLOAD("\"7\"", "\"customer\\u0000\"", "1790000060"), "malformed" }, { WITH("\"typ\":\"\\u0000\""), "malformed" },
		{ WITH("\"x\":[{\"y\":\"\\u0000\"}]"), "malformed" }, { WITH("\"exp\\u0000\":1"), "malformed" }, { WITH("\"x\":\"\\\\u0000\""), NULL },
		/* what stands around it */
		{ " \t\r\n" GOOD "\n", NULL }, { GOOD "x", "malformed" }, { GOOD GOOD, "malformed" }, { GOOD ",", "malformed" }, { "\xef\xbb\xbf" GOOD, "malformed" },
		{ "{}", "no integer \"exp\"" }, { " ", "malformed" }, { "\"x\"", "malformed" }, { "true", "malformed" }, { "{\"exp\":1790000060,}", "malformed" },
		{ "{'sub':'7'}", "malformed" }, { "/**/" GOOD, "malformed" },
		/* UTF-8 */
		{ WITH("\"x\":\"caf\xc3\xa9\""), NULL }, { WITH("\"x\":\"\xff\""), "malformed" }, { WITH("\"x\":\"\xc0\x80\""), "malformed" },
		{ WITH("\"x\":\"\xed\xa0\x80\""), "malformed" }, { WITH("\"x\":\"\\ud800\""), "malformed" }, { WITH("\"\xc0\xae\":1"), "malformed" },
	};
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);

	for (size_t i = 0; i < COUNT(rows); i++)
		try(r, &c, hs(&k, rows[i].payload), rows[i].why, rows[i].payload);
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(jwt_text, nesting)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);

	/* the claims themselves are one level */
	for (int depth = 1; depth < 3000; depth = depth == 32 ? 2999 : depth + 1) {
		char open[3000], shut[3000];
		memset(open, '[', sizeof open);
		memset(shut, ']', sizeof shut);
		const char *x = arena_printf(k.a, WITH("\"x\":%.*s%.*s"), depth, open, depth, shut);
		try(r, &c, hs(&k, x), depth < 32 ? NULL : "malformed", arena_printf(k.a, "%d deep", depth));
		try(r, &c, hs(&k, arena_printf(k.a, "%.*s", depth, open)), "malformed", "never shut");
	}
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(jwt_text, headers_that_others_read_otherwise)
{
	static const struct { const char *header, *why; } rows[] = {
		{ "{\"typ\":\"JWT\",\"alg\":\"HS256\"}", NULL }, { " { \"alg\" : \"HS256\" } ", NULL }, { "{\"\\u0061lg\":\"\\u0048S256\"}", NULL },
		{ "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "malformed" }, { "{\"alg\":\"none\",\"alg\":\"HS256\"}", "malformed" },
		{ "{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}", "malformed" }, { "{\"alg\":\"HS256\",\"x\":{\"a\":1,\"a\":2}}", "malformed" },
		{ "{\"x\":{\"alg\":\"HS256\"}}", "another algorithm" }, { "{\"alg\":{\"alg\":\"HS256\"}}", "another algorithm" }, { "{\"alg\":[\"HS256\"]}", "another algorithm" },
		{ "{\"ALG\":\"HS256\"}", "another algorithm" }, { "{\"alg\":\"hs256\"}", "another algorithm" }, { "{\"alg\":\"HS256 \"}", "another algorithm" },
		{ "{\"alg\":\" HS256\"}", "another algorithm" }, { "{\"alg\":\"HS2\"}", "another algorithm" }, { "{\"alg\":\"HS2566\"}", "another algorithm" },
		{ "{\"alg\":256}", "another algorithm" }, { "{\"alg\":true}", "another algorithm" }, { "{\"alg\":\"HS256\\u0000\"}", "malformed" },
		{ "{\"alg\\u0000\":\"HS256\"}", "malformed" }, { "{\"alg\":\"HS256\"}x", "malformed" }, { "{\"alg\":\"HS256\"}{}", "malformed" },
		{ "[\"alg\",\"HS256\"]", "malformed" }, { "\"HS256\"", "malformed" }, { "[{\"alg\":\"HS256\"}]", "malformed" }, { "{\"alg\":\"HS256\",}", "malformed" },
		{ "{\"alg\":\"HS256\",\"x\":\"\xff\"}", "malformed" }, { "{\"alg\":\"HS256\",\"typ\":\"\"}", "malformed" }, { "{\"alg\":\"HS256\",\"typ\":\"JWT\\u0000\"}", "malformed" },
		{ "{\"alg\":\"HS256\",\"\\u0063rit\":[\"exp\"]}", "crit" }, { "{\"alg\":\"HS256\",\"x\":{\"crit\":[\"exp\"]}}", NULL },
		{ "{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"},\"jku\":\"https://x\",\"x5u\":\"https://x\",\"kid\":\"../key\"}", NULL },
	};
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);

	for (size_t i = 0; i < COUNT(rows); i++)
		try(r, &c, hs_token(&k, rows[i].header, GOOD, SECRET, strlen(SECRET)), rows[i].why, rows[i].header);
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

/* Signed as it stands: header.payload is any text. */
static const char *signed_text(struct keys *k, const char *text)
{
	crypto_auth_hmacsha256_state st;
	unsigned char mac[32];

	crypto_auth_hmacsha256_init(&st, (const unsigned char *)SECRET, strlen(SECRET));
	crypto_auth_hmacsha256_update(&st, (const unsigned char *)text, strlen(text));
	crypto_auth_hmacsha256_final(&st, mac);
	return arena_printf(k->a, "%s.%s", text, b64(k, mac, sizeof mac));
}

/* No two texts are one token, even where the signature is good for both. */
Test(jwt_text, base64_that_others_read_otherwise)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);
	const char *header = b64(&k, HS, strlen(HS)), *payload = b64(&k, GOOD " ", strlen(GOOD) + 1), *good = hs(&k, GOOD " ");
	struct { const char *token, *why; } rows[] = {
		{ signed_text(&k, arena_printf(k.a, "%s.%s", header, payload)), NULL },
		{ signed_text(&k, arena_printf(k.a, "%s=.%s", header, payload)), "no token" }, { signed_text(&k, arena_printf(k.a, "%s.%s==", header, payload)), "no token" },
		{ signed_text(&k, arena_printf(k.a, "%s.%s\n", header, payload)), "no token" }, { signed_text(&k, arena_printf(k.a, "%s. %s", header, payload)), "no token" },
		{ signed_text(&k, arena_printf(k.a, "%s.%.*s\r\n%s", header, 8, payload, payload + 8)), "no token" }, { signed_text(&k, arena_printf(k.a, "%s.", header)), "no token" },
		{ signed_text(&k, arena_printf(k.a, ".%s", payload)), "no token" }, { signed_text(&k, "."), "no token" }, { signed_text(&k, header), "no token" },
		{ signed_text(&k, arena_printf(k.a, "%s.%s.%s", header, payload, payload)), "no token" }, { signed_text(&k, arena_printf(k.a, "%s.%sA", header, payload)), "malformed" },
		{ signed_text(&k, arena_printf(k.a, "%s.e30+", header)), "no token" }, { signed_text(&k, arena_printf(k.a, "%s.e3/0", header)), "no token" },
		{ signed_text(&k, arena_printf(k.a, "%s.e31", header)), "malformed" }, { signed_text(&k, arena_printf(k.a, "%s.e30", header)), "no integer" },
		{ signed_text(&k, arena_printf(k.a, "%s.eA", header)), "malformed" }, { signed_text(&k, "e30.e30"), "another algorithm" }, { signed_text(&k, "e31.e30"), "malformed" },
		{ arena_printf(k.a, "%s=", good), "no token" }, { arena_printf(k.a, "%.*s", (int)strlen(good) - 1, good), "wrongly signed" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		try(r, &c, rows[i].token, rows[i].why, arena_printf(k.a, "row %zu: %s", i, rows[i].token));
	/* the last digit of the signature: four of 64 differ in bits that stand for nothing, and one of these is right */
	size_t last = strlen(good) - 1;
	for (const char *p = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"; *p; p++) {
		char *twin = arena_strdup(k.a, good);
		twin[last] = *p;
		try(r, &c, twin, *p == good[last] ? NULL : "wrongly signed", twin);
	}
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

/* Every byte and every number of bytes comes out as it was: each stands in a claim that a setting is compared with. */
Test(jwt_text, base64_of_everything)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);

	for (unsigned i = 1; i < 0x800; i += i < 0x80 ? 1 : 7) {
		char text[4] = { (char)i };
		if (i >= 0x80) {
			text[0] = (char)(0xc0 | i >> 6);
			text[1] = (char)(0x80 | (i & 63));
		}
		if (i < ' ' || i == '"' || i == '\\')
			continue;
		for (int pad = 0; pad < 3; pad++) {
			c.token_issuer = arena_printf(k.a, "%.*s%s", pad, "xx", text);
			try(r, &c, hs(&k, arena_printf(k.a, WITH("\"iss\":\"%s\""), c.token_issuer)), NULL, c.token_issuer);
			try(r, &c, hs(&k, arena_printf(k.a, WITH("\"iss\":\"%s.\""), c.token_issuer)), "another issuer", c.token_issuer);
		}
	}
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}
