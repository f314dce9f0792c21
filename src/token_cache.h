/* token_cache.h - tokens that were verified, so that a worker need not verify each again with every request of its owner.
 * Owns: which are kept, in memory of a fixed size. Does not own: verifying (jwt.c), when keys change (keyring.c).
 * What is kept follows from token, keys and settings alone: no worker misses what another one knows. */
#ifndef PICKUP_TOKEN_CACHE_H
#define PICKUP_TOKEN_CACHE_H

#include "jwt.h"

#define TOKEN_CACHE_SETS 512
#define TOKEN_CACHE_WAYS 4

/* What a verified token says. The times are to be judged anew at each use. */
struct verified { struct claims who; instant nbf; /* or INSTANT_NONE */ };

/* What a token is kept under; tells nothing about it. */
struct token_digest { unsigned char v[32]; };

struct token_cache;
/* Empty, with a random key of its own, so that nobody can make tokens that drive out a certain other one. One for each set of keys. */
struct token_cache *token_cache_new(void);
void token_cache_free(struct token_cache *c);
/* Differs wherever token, purpose, issuer or audience differ. */
void token_cache_digest(const struct token_cache *c, char purpose, const char *issuer, const char *audience, struct str token, struct token_digest *out);
/* NULL: not there. Borrowed until the next call. */
const struct verified *token_cache_find(struct token_cache *c, const struct token_digest *d);
/* Keeps what was not found; in place of what was not asked for the longest among those of its set. */
void token_cache_put(struct token_cache *c, const struct token_digest *d, const struct verified *v);

#endif
