/* jwt.h - verifying and making tokens.
 * Owns: a token's shape, alg, exp, nbf, iat, iss, aud. Does not own: keys (keyring.c), signatures (signature.c), what the caller may do and
 * whether the account still lets it count (auth.c).
 * The algorithm is the server's: a token whose header names another is refused (RFC 8725 section 3.1). */
#ifndef PICKUP_JWT_H
#define PICKUP_JWT_H

#include "conf.h"
#include "ids.h"
#include "outcome.h"
#include "person.h"
#include "str.h"
#include "timefmt.h"

/* iat: when it was issued; INSTANT_NONE: it does not say. */
struct claims { struct user_id sub; enum role role; instant exp, iat; };

/* The keys in force; owned by the worker. */
struct keyring;
/* Reads the key files that the settings name. NULL: a file is missing, unreadable, readable by group or others beyond what is safe
 * (HS256 and ticket secrets: any permission for others, or group-writable; public keys may be read by all), too short or no key of that kind; why says which. */
must_check struct keyring *keyring_new(const struct conf *c, char *why, size_t n);
void keyring_free(struct keyring *k);
/* Takes changed settings or changed files (looked at no oftener than once a second); a bad one leaves the old keys in force and is logged once. */
void keyring_refresh(struct keyring *k, const struct conf *c, instant now);

/* Verifies an access token: signature, alg, exp (required), nbf, iss, aud, sub (decimal string, 1..2^63-1), role. OC_OK, or OC_REFUSED with *why (static text, no token in it).
 * token is not NUL-terminated by necessity; above 8 KiB it is refused. What passed is remembered with the keys (token_cache.h): its times are judged
 * at each use, the rest again after a change of keys or settings. */
must_check enum outcome jwt_verify(const struct keyring *k, const struct conf *c, struct str token, instant now, struct claims *out, const char **why);
/* The same for a ticket: another key, so that neither passes for the other. */
must_check enum outcome jwt_verify_ticket(const struct keyring *k, const struct conf *c, struct str token, instant now, struct claims *out, const char **why);
/* Whether this server can make access tokens (HS256) and tickets. */
bool keyring_can_issue(const struct keyring *k);
bool keyring_can_ticket(const struct keyring *k);
/* A name for text that tells nothing of it to whom has not the keys: hexadecimal digits and a NUL. Only where keyring_can_issue(). */
#define PSEUDONYM_SIZE 33
void keyring_pseudonym(const struct keyring *k, struct str text, char out[PSEUDONYM_SIZE]);
/* New tokens (arena) that say what who says: exp in whole seconds, iat to the microsecond (what is beyond the second as
 * "iat_us"), or not at all. OC_REFUSED where the keyring can't. */
must_check enum outcome jwt_issue(struct arena *a, const struct keyring *k, const struct conf *c, const struct claims *who, struct str *out);
must_check enum outcome jwt_issue_ticket(struct arena *a, const struct keyring *k, const struct conf *c, const struct claims *who, struct str *out);

#endif
