/* token_cache.c - see token_cache.h. A table of sets; each set stands in the order of use, the last used first. */
#include "token_cache.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "log.h"

/* Free where sub is 0, which nobody is. */
struct entry { struct token_digest digest; struct verified v; };

struct token_cache {
	unsigned char key[crypto_generichash_KEYBYTES];	/* no state that was begun: that wants another alignment than malloc's */
	struct entry sets[TOKEN_CACHE_SETS][TOKEN_CACHE_WAYS];
};

_Static_assert(sizeof(struct token_cache) <= 192 << 10, "a worker's share of memory");

struct token_cache *token_cache_new(void)
{
	/* zeroed pages are the kernel's until they are used */
	struct token_cache *c = calloc(1, sizeof *c);

	if (!c)
		log_die("no memory for the tokens seen");
	randombytes_buf(c->key, sizeof c->key);
	return c;
}

void token_cache_free(struct token_cache *c)
{
	if (c)
		sodium_memzero(c->key, sizeof c->key);
	free(c);
}

void token_cache_digest(const struct token_cache *c, char purpose, const char *issuer, const char *audience, struct str token, struct token_digest *out)
{
	crypto_generichash_state s;

	crypto_generichash_init(&s, c->key, sizeof c->key, sizeof out->v);
	/* the NULs keep the settings apart, which hold none; what follows them is the token */
	crypto_generichash_update(&s, (const unsigned char *)&purpose, 1);
	crypto_generichash_update(&s, (const unsigned char *)issuer, strlen(issuer) + 1);
	crypto_generichash_update(&s, (const unsigned char *)audience, strlen(audience) + 1);
	crypto_generichash_update(&s, (const unsigned char *)token.s, token.len);
	crypto_generichash_final(&s, out->v, sizeof out->v);
}

static struct entry *set_of(struct token_cache *c, const struct token_digest *d)
{
	return c->sets[(d->v[0] | d->v[1] << 8) % TOKEN_CACHE_SETS];
}

/* Makes room at the front of the set in place of its entry at. */
static void push_back(struct entry *set, size_t at)
{
	memmove(set + 1, set, at * sizeof *set);
}

const struct verified *token_cache_find(struct token_cache *c, const struct token_digest *d)
{
	struct entry *set = set_of(c, d);

	for (size_t i = 0; i < TOKEN_CACHE_WAYS && set[i].v.who.sub.v; i++)
		if (memcmp(&set[i].digest, d, sizeof *d) == 0) {
			struct entry found = set[i];

			push_back(set, i);
			set[0] = found;
			return &set[0].v;
		}
	return NULL;
}

void token_cache_put(struct token_cache *c, const struct token_digest *d, const struct verified *v)
{
	struct entry *set = set_of(c, d);

	push_back(set, TOKEN_CACHE_WAYS - 1);
	set[0] = (struct entry){ *d, *v };
}
