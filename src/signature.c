/* signature.c - see signature.h. HMAC is libsodium's, the rest libcrypto's. */
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <sodium.h>

#include "signature.h"

#define ES256_HALF 32		/* r and s, one after the other (RFC 7518 section 3.4) */
#define ES256_DER_MAX 72	/* a sequence of two integers of at most 33 bytes, each with a head of two */

_Static_assert(SIGNATURE_HS256_SIZE == crypto_auth_hmacsha256_BYTES, "HMAC with SHA-256");

static const unsigned char *bytes(struct str s)
{
	return (const unsigned char *)s.s;
}

void signature_make(const struct secret *key, struct str text, unsigned char out[SIGNATURE_HS256_SIZE])
{
	crypto_auth_hmacsha256_state state = key->begun;

	crypto_auth_hmacsha256_update(&state, bytes(text), text.len);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof state);
}

static bool hs256_is_good(const struct secret *key, struct str text, struct str sig)
{
	unsigned char right[SIGNATURE_HS256_SIZE];

	/* HMAC takes the empty key like any other, and everybody has that one */
	if (!key || key->len == 0 || sig.len != sizeof right)
		return false;
	signature_make(key, text, right);
	bool is_good = sodium_memcmp(right, sig.s, sizeof right) == 0;
	sodium_memzero(right, sizeof right);
	return is_good;
}

/* sig as libcrypto takes it: PKCS #1 version 1.5 for an RSA key, DER for one on a curve. */
static bool public_is_good(struct evp_pkey_st *key, struct str text, const unsigned char *sig, size_t len)
{
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	bool is_good = m && EVP_DigestVerifyInit(m, NULL, EVP_sha256(), NULL, key) == 1 &&
		EVP_DigestVerify(m, sig, len, bytes(text), text.len) == 1;

	EVP_MD_CTX_free(m);
	return is_good;
}

/* The DER form of r and s; its length, or 0. That they are in the curve's range is judged where they are used. */
static size_t es256_der(struct str sig, unsigned char out[ES256_DER_MAX])
{
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(bytes(sig), ES256_HALF, NULL), *t = BN_bin2bn(bytes(sig) + ES256_HALF, ES256_HALF, NULL);
	int len = 0;

	if (s && r && t && ECDSA_SIG_set0(s, r, t) == 1) {
		r = t = NULL;	/* the signature's now */
		len = i2d_ECDSA_SIG(s, NULL);
		if (len > 0 && len <= ES256_DER_MAX)
			len = i2d_ECDSA_SIG(s, &out);
		else
			len = 0;
	}
	BN_free(r);
	BN_free(t);
	ECDSA_SIG_free(s);
	return len > 0 ? (size_t)len : 0;
}

static bool es256_is_good(struct evp_pkey_st *key, struct str text, struct str sig)
{
	unsigned char der[ES256_DER_MAX];
	size_t len = sig.len == (size_t)2 * ES256_HALF ? es256_der(sig, der) : 0;

	return len > 0 && public_is_good(key, text, der, len);
}

bool signature_is_good(const struct signing_key *k, struct str text, struct str sig)
{
	bool is_good;

	if (k->alg == TOKEN_HS256)
		return hs256_is_good(k->secret, text, sig);
	if (!k->public_key)
		return false;
	is_good = k->alg == TOKEN_RS256 ? public_is_good(k->public_key, text, bytes(sig), sig.len) :
		k->alg == TOKEN_ES256 && es256_is_good(k->public_key, text, sig);
	/* what libcrypto leaves in its queue would look like a fault of the next TLS connection */
	ERR_clear_error();
	return is_good;
}
