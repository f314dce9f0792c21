/* passwd.c - hashing and comparing passwords.
 * Owns: the cost, the hash strings. Does not own: who may log in (endpoints), how often (throttle.c).
 * Used by: the log-in endpoints, tools. */
#include <string.h>

#include <sodium.h>

#include "passwd.h"
#include "log.h"

_Static_assert(PASSWD_HASH_SIZE >= crypto_pwhash_STRBYTES, "a hash string must fit");

enum outcome passwd_hash(const struct conf *c, struct str password, char out[PASSWD_HASH_SIZE])
{
	if (sodium_init() < 0)
		log_die("libsodium can't start");
	if (crypto_pwhash_str(out, password.s ? password.s : "", password.len, (unsigned long long)c->password_passes,
	    (size_t)c->password_memory_kib * 1024) == 0)
		return OC_OK;
	log_error("a password could not be hashed: no %lld KiB of memory for it", (long long)c->password_memory_kib);
	return OC_REFUSED;
}

/* Whether the text can be a hash of ours; what is not is compared for the same time as what is. */
static bool is_hash(struct str hash)
{
	struct str prefix = STR(crypto_pwhash_STRPREFIX);

	return hash.s && hash.len > prefix.len && hash.len < PASSWD_HASH_SIZE && memcmp(hash.s, prefix.s, prefix.len) == 0 &&
		!memchr(hash.s, '\0', hash.len);
}

bool passwd_matches(const struct conf *c, struct str hash, struct str password)
{
	char text[PASSWD_HASH_SIZE] = "";

	if (!is_hash(hash)) {
		/* the outcome is the same either way: false, and what went wrong is logged */
		if (passwd_hash(c, password, text) != OC_OK)
			return false;
		sodium_memzero(text, sizeof text);
		return false;
	}
	if (sodium_init() < 0)
		log_die("libsodium can't start");
	memcpy(text, hash.s, hash.len);
	return crypto_pwhash_str_verify(text, password.s ? password.s : "", password.len) == 0;
}
