/* keyring.h - the inside of a keyring, for jwt.c and signature.c alone; everybody else sees jwt.h.
 * Owns: struct keyring, struct secret. */
#ifndef PICKUP_KEYRING_H
#define PICKUP_KEYRING_H

#include <sys/stat.h>
#include <sodium.h>
#include "jwt.h"

/* Key bytes; len 0: none. begun: HMAC's state after the key, which is a third of the work on a token. */
struct secret { unsigned char *v; size_t len; crypto_auth_hmacsha256_state begun; };

/* Which file a key came from, and in which state that was. */
struct key_source {
	char *path;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed, written;
};

struct key_choice { int64_t alg; char *token_path, *ticket_path; };

struct keyring {
	enum token_alg alg;
	struct secret token;		/* HS256: len 0 for the others, so that a public key can't be taken for a secret */
	struct evp_pkey_st *public_key;	/* RS256 and ES256: libcrypto's EVP_PKEY; else NULL */
	struct secret ticket;		/* always for HS256; len 0: no tickets */
	struct key_source token_source, ticket_source;
	struct key_choice loaded, tried;	/* the settings in force, and those last looked at */
	instant looked_at;		/* or INSTANT_NONE */
	struct token_cache *verified;	/* with these keys; a const keyring's too is filled */
	char last_fault[512];		/* logged; "" after a success */
};

#endif
