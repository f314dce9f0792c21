/* keyring.h - the inside of a keyring, for jwt.c alone; everybody else sees jwt.h.
 * Owns: struct keyring, struct secret. */
#ifndef PICKUP_KEYRING_H
#define PICKUP_KEYRING_H

#include <sys/stat.h>
#include "jwt.h"

/* Key bytes; len 0: none. */
struct secret { unsigned char *v; size_t len; };

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
	struct secret token;		/* HS256: the secret; else the PEM text of a public key */
	struct secret ticket;		/* always for HS256; len 0: no tickets */
	struct key_source token_source, ticket_source;
	struct key_choice loaded, tried;	/* the settings in force, and those last looked at */
	instant looked_at;		/* or INSTANT_NONE */
	struct token_cache *verified;	/* with these keys; a const keyring's too is filled */
	char last_fault[512];		/* logged; "" after a success */
};

#endif
