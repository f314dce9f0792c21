/* passwd.h - password hashing: argon2id by libsodium (RFC 9106). Owns: hash strings. */
#ifndef PICKUP_PASSWD_H
#define PICKUP_PASSWD_H

#include <stdbool.h>
#include "conf.h"
#include "outcome.h"
#include "str.h"

#define PASSWD_HASH_SIZE 128

/* The password's hash, NUL-terminated, with the settings' cost. OC_REFUSED: no memory for it. */
must_check enum outcome passwd_hash(const struct conf *c, struct str password, char out[PASSWD_HASH_SIZE]);
/* Whether it is the password. A hash of none (unknown user) costs the same time and is false. */
must_check bool passwd_matches(const struct conf *c, struct str hash, struct str password);

#endif
