/* test_signature.c - signatures of RS256 and ES256 that are nearly right. Those of HS256: test_jwt.c.
 * Owns: nothing. Covers: signature.c, mostly through jwt.c. */
#include <criterion/criterion.h>
#include <openssl/err.h>

#include "signature.h"
#include "tokens.h"

/* token with its signature replaced by these bytes. */
static const char *resigned(struct keys *k, const char *token, const unsigned char *sig, size_t len)
{
	return arena_printf(k->a, "%.*s.%s", (int)(strrchr(token, '.') - token), token, b64(k, sig, len));
}

static void sig_of(const char *token, unsigned char *sig, size_t size)
{
	const char *text = strrchr(token, '.') + 1;
	size_t len;

	cr_assert(sodium_base642bin(sig, size, text, strlen(text), NULL, &len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 && len == size);
}

/* The order of P-256's base point. */
static const unsigned char p256_n[32] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };

Test(signature, es256_signatures)
{
	struct keys k = keys_make();
	struct conf c = conf_of(TOKEN_ES256, put_pem(&k, "ec.pub", ec_of(&k), false, 0644), "");
	struct keyring *r = ring(&c);
	const char *good = pk_token(&k, "{\"alg\":\"ES256\"}", GOOD, k.ec), *bad = "wrongly signed";
	unsigned char sig[64], s[130] = { 0 };

	sig_of(good, sig, sizeof sig);
	for (size_t i = 0; i < sizeof sig; i++) {
		memcpy(s, sig, 64);
		s[i] ^= 1;
		try(r, &c, resigned(&k, good, s, 64), bad, arena_printf(k.a, "byte %zu", i));
	}
	/* zero, the order, and above it; with zeros before and behind */
	for (int half = 0; half < 2; half++) {
		memcpy(s, sig, 64);
		memset(s + 32 * half, 0, 32);
		try(r, &c, resigned(&k, good, s, 64), bad, "zero");
		memcpy(s + 32 * half, p256_n, 32);
		try(r, &c, resigned(&k, good, s, 64), bad, "the order");
		memset(s + 32 * half, 0xff, 32);
		try(r, &c, resigned(&k, good, s, 64), bad, "above the order");
	}
	memset(s, 0, sizeof s);
	memcpy(s + 1, sig, 64);
	for (size_t len = 1; len <= sizeof s; len++) {
		try(r, &c, resigned(&k, good, s, len), bad, arena_printf(k.a, "%zu bytes, a zero before", len));
		if (len != 64)
			try(r, &c, resigned(&k, good, len < 64 ? sig : s + 1, len < 130 ? len : 129), bad, arena_printf(k.a, "%zu bytes", len));
	}
	memset(s, 0xff, 64);
	try(r, &c, resigned(&k, good, s, 64), bad, "all ones");
	try(r, &c, good, NULL, "good");
	cr_expect_eq(ERR_peek_error(), 0UL, "what libcrypto thought of these");
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

/* ECDSA's own form, which other libraries make, is none of RFC 7518's. */
Test(signature, es256_in_der)
{
	struct keys k = keys_make();
	struct conf c = conf_of(TOKEN_ES256, put_pem(&k, "ec.pub", ec_of(&k), false, 0644), "");
	struct keyring *r = ring(&c);
	const char *text = unsigned_token(&k, "{\"alg\":\"ES256\"}", GOOD);

	for (int i = 0; i < 32; i++) {
		unsigned char der[80];
		size_t len = sizeof der;
		EVP_MD_CTX *m = EVP_MD_CTX_new();
		cr_assert(EVP_DigestSignInit(m, NULL, EVP_sha256(), NULL, k.ec) == 1);
		cr_assert(EVP_DigestSign(m, der, &len, (const unsigned char *)text, strlen(text)) == 1);
		EVP_MD_CTX_free(m);
		try(r, &c, arena_printf(k.a, "%s.%s", text, b64(&k, der, len)), "wrongly signed", "DER");
		try(r, &c, pk_token(&k, "{\"alg\":\"ES256\"}", GOOD, k.ec), NULL, "raw: r and s with and without zeros in front");
	}
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(signature, rs256_signatures)
{
	struct keys k = keys_make();
	struct conf c = conf_of(TOKEN_RS256, put_pem(&k, "rsa.pub", rsa_of(&k), false, 0644), "");
	struct keyring *r = ring(&c);
	const char *good = pk_token(&k, "{\"alg\":\"RS256\"}", GOOD, k.rsa), *bad = "wrongly signed";
	unsigned char sig[256], s[600] = { 0 };

	sig_of(good, sig, sizeof sig);
	for (size_t i = 0; i < sizeof sig; i++) {
		memcpy(s, sig, 256);
		s[i] ^= 0x10;
		try(r, &c, resigned(&k, good, s, 256), bad, arena_printf(k.a, "byte %zu", i));
	}
	memcpy(s + 1, sig, 256);
	s[0] = 0;
	try(r, &c, resigned(&k, good, s, 257), bad, "a zero before");
	try(r, &c, resigned(&k, good, s + 1, 257), bad, "a zero behind");
	try(r, &c, resigned(&k, good, sig, 255), bad, "cut");
	try(r, &c, resigned(&k, good, sig, 1), bad, "one byte");
	try(r, &c, resigned(&k, good, s, sizeof s), bad, "long");
	memset(s, 0, sizeof s);
	try(r, &c, resigned(&k, good, s, 256), bad, "zero");
	s[255] = 1;
	try(r, &c, resigned(&k, good, s, 256), bad, "one");
	memset(s, 0xff, 256);
	try(r, &c, resigned(&k, good, s, 256), bad, "above the modulus");
	try(r, &c, good, NULL, "good");
	cr_expect_eq(ERR_peek_error(), 0UL, "what libcrypto thought of these");
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

/* Nothing above asks for these: whoever does by mistake must not get a yes. */
Test(signature, nothing_is_good_without_a_key)
{
	struct keys k = keys_make();
	struct secret none = { 0 }, empty = { 0 };
	const char *text = unsigned_token(&k, HS, GOOD);
	unsigned char mac[32];

	crypto_auth_hmacsha256_init(&empty.begun, (const unsigned char *)"", 0);
	signature_make(&empty, str_from(text), mac);
	const struct signing_key keys[] = {
		{ TOKEN_HS256, NULL, NULL }, { TOKEN_HS256, &none, NULL }, { TOKEN_HS256, &empty, NULL }, { TOKEN_HS256, &empty, rsa_of(&k) },
		{ TOKEN_RS256, &empty, NULL }, { TOKEN_ES256, &empty, NULL }, { TOKEN_RS256, &empty, rsa_of(&k) }, { TOKEN_ES256, &empty, ec_of(&k) },
		{ TOKEN_ALG__MAX, &empty, rsa_of(&k) },
	};
	for (size_t i = 0; i < COUNT(keys); i++)
		cr_expect_not(signature_is_good(&keys[i], str_from(text), (struct str){ (const char *)mac, sizeof mac }), "key %zu", i);
	keys_drop(&k);
	cr_assert(no_leaks());
}
