/* signature.h - whether a token's last part is the signature of what stands before it.
 * Owns: HS256, RS256 and ES256 (RFC 7518 section 3), by the key and the algorithm that the caller names. Does not own: key files
 * (keyring.c), what is signed (jwt.c). Used by: jwt.c. */
#ifndef PICKUP_SIGNATURE_H
#define PICKUP_SIGNATURE_H

#include "conf.h"
#include "keyring.h"
#include "outcome.h"
#include "str.h"

#define SIGNATURE_HS256_SIZE 32

/* HS256 takes the secret, the others the public key: neither kind of key can be taken for the other one. */
struct signing_key { enum token_alg alg; const struct secret *secret; struct evp_pkey_st *public_key; };

/* Without a key no signature is good. In constant time for HS256. sig may hold any bytes. */
must_check bool signature_is_good(const struct signing_key *k, struct str text, struct str sig);
/* HS256; the secret must not be empty. */
void signature_make(const struct secret *key, struct str text, unsigned char out[SIGNATURE_HS256_SIZE]);

#endif
