/* tokens.h - key files in a scratch directory, tokens made by hand with libsodium and libcrypto, and what to expect of them.
 * Owns: struct keys. Used by: test_jwt.c, test_jwt_text.c, test_signature.c, test_keyring.c, test_token_cache.c. Nothing of ours makes or signs them, so that it isn't its own judge. */
#ifndef PICKUP_T_TOKENS_H
#define PICKUP_T_TOKENS_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "jwt.h"
#include "leaks.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SECRET "0123456789abcdef0123456789abcdef"
#define SECRET2 "another secret of 32 bytes or so, this is"
#define NOW_S INT64_C(1790000000)
#define NOW (NOW_S * INSTANT_SECOND)
#define HS "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define GOOD "{\"sub\":\"7\",\"role\":\"customer\",\"exp\":1790000060}"
/* a payload with one member more */
#define WITH(more) "{\"sub\":\"7\",\"role\":\"customer\",\"exp\":1790000060," more "}"
#define PAYLOAD(sub, role, exp) "{\"sub\":" sub ",\"role\":" role ",\"exp\":" exp "}"

/* ---- a directory with key files ---- */

struct keys {
	struct arena *a;
	char dir[32];
	EVP_PKEY *rsa, *ec;	/* NULL until asked for */
};

static inline struct keys keys_make(void)
{
	struct keys k = { .a = arena_new(), .dir = "/tmp/pickup-jwt-XXXXXX" };

	cr_assert(sodium_init() >= 0);
	cr_assert_not_null(mkdtemp(k.dir));
	return k;
}

static inline void keys_drop(struct keys *k)
{
	char command[64];

	snprintf(command, sizeof command, "rm -rf %s", k->dir);
	cr_expect_eq(system(command), 0);
	EVP_PKEY_free(k->rsa);
	EVP_PKEY_free(k->ec);
	arena_free(k->a);
}

static inline const char *path_of(struct keys *k, const char *name)
{
	return arena_printf(k->a, "%s/%s", k->dir, name);
}

/* Writes the file afresh with that mode; gives its path. */
static inline const char *put(struct keys *k, const char *name, const void *bytes, size_t len, mode_t mode)
{
	const char *path = path_of(k, name);
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	cr_assert(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && fchmod(fd, mode) == 0);
	close(fd);
	return path;
}

static inline const char *put_text(struct keys *k, const char *name, const char *text, mode_t mode)
{
	return put(k, name, text, strlen(text), mode);
}

static inline const char *put_pem(struct keys *k, const char *name, EVP_PKEY *key, bool is_private, mode_t mode)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *text;

	cr_assert(is_private ? PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) : PEM_write_bio_PUBKEY(b, key));
	long len = BIO_get_mem_data(b, &text);
	const char *path = put(k, name, text, (size_t)len, mode);
	BIO_free(b);
	return path;
}

static inline EVP_PKEY *rsa_of(struct keys *k)
{
	if (!k->rsa)
		k->rsa = EVP_RSA_gen(2048);
	cr_assert_not_null(k->rsa);
	return k->rsa;
}

static inline EVP_PKEY *ec_of(struct keys *k)
{
	if (!k->ec)
		k->ec = EVP_EC_gen("P-256");
	cr_assert_not_null(k->ec);
	return k->ec;
}

static inline struct conf conf_of(enum token_alg alg, const char *token_key, const char *ticket_key)
{
	return (struct conf){ .token_alg = alg, .token_key_file = token_key, .ticket_key_file = ticket_key,
		.token_issuer = "", .token_audience = "" };
}

static inline struct conf hs_conf(struct keys *k)
{
	return conf_of(TOKEN_HS256, put_text(k, "hs.key", SECRET "\n", 0600), "");
}

static inline struct keyring *ring(const struct conf *c)
{
	char why[512] = "";
	struct keyring *r = keyring_new(c, why, sizeof why);

	cr_assert_not_null(r, "%s", why);
	return r;
}

/* ---- tokens by hand ---- */

static inline const char *b64(struct keys *k, const void *bytes, size_t len)
{
	size_t size = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);

	return sodium_bin2base64(arena_alloc(k->a, size), size, bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static inline const char *unsigned_token(struct keys *k, const char *header, const char *payload)
{
	return arena_printf(k->a, "%s.%s", b64(k, header, strlen(header)), b64(k, payload, strlen(payload)));
}

static inline const char *hs_token(struct keys *k, const char *header, const char *payload, const void *key, size_t key_len)
{
	const char *text = unsigned_token(k, header, payload);
	crypto_auth_hmacsha256_state st;
	unsigned char mac[32];

	crypto_auth_hmacsha256_init(&st, key, key_len);
	crypto_auth_hmacsha256_update(&st, (const unsigned char *)text, strlen(text));
	crypto_auth_hmacsha256_final(&st, mac);
	return arena_printf(k->a, "%s.%s", text, b64(k, mac, sizeof mac));
}

static inline const char *hs512_token(struct keys *k, const char *header, const char *payload)
{
	const char *text = unsigned_token(k, header, payload);
	crypto_auth_hmacsha512_state st;
	unsigned char mac[64];

	crypto_auth_hmacsha512_init(&st, (const unsigned char *)SECRET, strlen(SECRET));
	crypto_auth_hmacsha512_update(&st, (const unsigned char *)text, strlen(text));
	crypto_auth_hmacsha512_final(&st, mac);
	return arena_printf(k->a, "%s.%s", text, b64(k, mac, sizeof mac));
}

static inline const char *pk_token(struct keys *k, const char *header, const char *payload, EVP_PKEY *key)
{
	const char *text = unsigned_token(k, header, payload);
	unsigned char sig[512], raw[64];
	size_t len = sizeof sig;
	EVP_MD_CTX *m = EVP_MD_CTX_new();

	cr_assert(EVP_DigestSignInit(m, NULL, EVP_sha256(), NULL, key) == 1);
	cr_assert(EVP_DigestSign(m, sig, &len, (const unsigned char *)text, strlen(text)) == 1);
	EVP_MD_CTX_free(m);
	if (EVP_PKEY_base_id(key) != EVP_PKEY_EC)
		return arena_printf(k->a, "%s.%s", text, b64(k, sig, len));
	const unsigned char *p = sig;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)len);
	cr_assert(s && BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, 32) == 32 && BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + 32, 32) == 32);
	ECDSA_SIG_free(s);
	return arena_printf(k->a, "%s.%s", text, b64(k, raw, sizeof raw));
}

static inline const char *hs(struct keys *k, const char *payload)
{
	return hs_token(k, HS, payload, SECRET, strlen(SECRET));
}

/* ---- expectations ---- */

typedef enum outcome verify_fn(const struct keyring *, const struct conf *, struct str, instant, struct claims *, const char **);

static inline void try_once(verify_fn *verify, const struct keyring *r, const struct conf *c, const char *token, instant now, const char *want, const char *name)
{
	const struct claims untouched = { { 99 }, ROLE__MAX, 1, 1 };
	struct claims got = untouched;
	const char *why = NULL;
	enum outcome oc = verify(r, c, str_from(token), now, &got, &why);

	if (!want) {
		cr_expect_eq(oc, OC_OK, "%s: refused: %s", name, why ? why : "-");
		cr_expect(why == NULL && got.sub.v != 99 && got.role < ROLE__MAX && got.exp != 1, "%s: claims", name);
		return;
	}
	cr_expect_eq(oc, OC_REFUSED, "%s: accepted", name);
	cr_expect(why && strstr(why, want), "%s: says \"%s\", not \"%s\"", name, why ? why : "-", want);
	cr_expect(got.sub.v == 99 && got.role == ROLE__MAX && got.exp == 1, "%s: refused, but *out was touched", name);
}

/* Twice, as what passed is remembered. */
static inline void try_at(verify_fn *verify, const struct keyring *r, const struct conf *c, const char *token, instant now, const char *want, const char *name)
{
	try_once(verify, r, c, token, now, want, name);
	try_once(verify, r, c, token, now, want, name);
}

static inline void try(const struct keyring *r, const struct conf *c, const char *token, const char *want, const char *name)
{
	try_at(jwt_verify, r, c, token, NOW, want, name);
}

#endif
