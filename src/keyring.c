/* keyring.c - the keys of tokens and tickets, from files that may be changed while we run.
 * Owns: reading key files safely, judging them, taking new ones. Does not own: tokens (jwt.c).
 * Used by: worker, tools. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>

#include "keyring.h"
#include "log.h"
#include "token_cache.h"

#define KEY_FILE_MAX 16384
#define SECRET_MIN 32
#define RSA_BITS_MIN 2048
#define TICKET_LABEL "pickup ticket key, version 1"
#define PSEUDONYM_LABEL "pickup pseudonyms"

enum key_kind { KEY_SECRET, KEY_PUBLIC };

static void *need(void *p)
{
	if (!p)
		log_die("no memory for the keys");
	return p;
}

static void secret_clear(struct secret *s)
{
	if (s->v)
		sodium_memzero(s->v, s->len);
	free(s->v);
	sodium_memzero(s, sizeof *s);
}

static void choice_clear(struct key_choice *c)
{
	free(c->token_path);
	free(c->ticket_path);
	*c = (struct key_choice){ 0, NULL, NULL };
}

static void choice_set(struct key_choice *k, const struct conf *c)
{
	choice_clear(k);
	k->alg = c->token_alg;
	k->token_path = need(strdup(c->token_key_file));
	k->ticket_path = need(strdup(c->ticket_key_file));
}

static bool choice_is(const struct key_choice *k, const struct conf *c)
{
	return k->token_path && k->alg == c->token_alg && strcmp(k->token_path, c->token_key_file) == 0 &&
		strcmp(k->ticket_path, c->ticket_key_file) == 0;
}

static void source_set(struct key_source *src, const char *path, const struct stat *st)
{
	free(src->path);
	*src = (struct key_source){ .path = need(strdup(path)), .dev = st->st_dev, .ino = st->st_ino, .size = st->st_size,
		.changed = st->st_ctim, .written = st->st_mtim };
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Whether the file is still the one that was read, untouched. A source without a file always is. */
static bool source_holds(const struct key_source *src)
{
	struct stat st;

	if (!src->path)
		return true;
	return stat(src->path, &st) == 0 && st.st_dev == src->dev && st.st_ino == src->ino && st.st_size == src->size &&
		same_time(st.st_ctim, src->changed) && same_time(st.st_mtim, src->written);
}

/* Who may touch a file of that kind. A public key may be read by all, but whoever can write it can make tokens. */
static bool access_is_safe(const char *path, const struct stat *st, enum key_kind kind, char *why, size_t n)
{
	unsigned mode = st->st_mode & 0777u;

	if (!S_ISREG(st->st_mode))
		snprintf(why, n, "%s: is no regular file", path);
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		snprintf(why, n, "%s: belongs to user %u; it must be root's or our own (%u)", path, (unsigned)st->st_uid, (unsigned)geteuid());
	else if (kind == KEY_SECRET && (mode & 037))
		snprintf(why, n, "%s: has mode %04o; others must have no access to a secret, and its group may only read it (chmod 640 or 600)", path, mode);
	else if (mode & 022)
		snprintf(why, n, "%s: has mode %04o; only its owner may write it (chmod 644)", path, mode);
	else
		return true;
	return false;
}

/* Reads at most max bytes. The count, or -1 with errno. */
static ssize_t read_all(int fd, unsigned char *buf, size_t max)
{
	size_t len = 0;

	while (len < max) {
		ssize_t got = read(fd, buf + len, max - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

/* The file's bytes, after looking at the very file that is open. */
static bool read_open_key(int fd, const char *path, enum key_kind kind, struct secret *out, struct stat *st, char *why, size_t n)
{
	unsigned char buf[KEY_FILE_MAX + 1];
	ssize_t len;

	if (fstat(fd, st) != 0) {
		snprintf(why, n, "%s: %s", path, strerror(errno));
		return false;
	}
	if (!access_is_safe(path, st, kind, why, n))
		return false;
	len = read_all(fd, buf, sizeof buf);
	if (len < 0)
		snprintf(why, n, "%s: %s", path, strerror(errno));
	else if (len == 0)
		snprintf(why, n, "%s: is empty", path);
	else if (len > KEY_FILE_MAX)
		snprintf(why, n, "%s: is larger than %d bytes, which no key is", path, KEY_FILE_MAX);
	if (len > 0 && len <= KEY_FILE_MAX) {
		out->v = need(malloc((size_t)len));
		out->len = (size_t)len;
		memcpy(out->v, buf, out->len);
	}
	sodium_memzero(buf, sizeof buf);
	return out->v != NULL;
}

static bool read_key(const char *setting, const char *path, enum key_kind kind, struct secret *out, struct key_source *src, char *why, size_t n)
{
	struct stat st;

	if (path[0] == '\0') {
		snprintf(why, n, "%s is not set", setting);
		return false;
	}
	/* O_NONBLOCK: a fifo must not hold us up before fstat tells that it is one */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		snprintf(why, n, "%s: %s", path, strerror(errno));
		return false;
	}
	bool ok = read_open_key(fd, path, kind, out, &st, why, n);
	close(fd);
	if (ok)
		source_set(src, path, &st);
	return ok;
}

static bool holds(const struct secret *s, const char *text)
{
	return memmem(s->v, s->len, text, strlen(text)) != NULL;
}

/* HS256 and tickets. A PEM file as a shared secret is a mistake that lets anybody with the public key make tokens. */
static bool secret_is_fit(const char *path, struct secret *s, char *why, size_t n)
{
	if (s->v[s->len - 1] == '\n')
		s->len--;
	if (s->len < SECRET_MIN)
		snprintf(why, n, "%s: holds %zu bytes; a secret needs at least %d", path, s->len, SECRET_MIN);
	else if (holds(s, "-----BEGIN "))
		snprintf(why, n, "%s: is a PEM key, but a secret is needed here", path);
	else
		return true;
	return false;
}

static int no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
	(void)buf, (void)size, (void)rwflag, (void)ctx;
	return -1;
}

/* Whether the key is of the kind that the algorithm needs. */
static bool kind_is_fit(const EVP_PKEY *key, enum token_alg alg, const char *path, char *why, size_t n)
{
	char curve[32] = "";

	if (alg == TOKEN_RS256) {
		if (EVP_PKEY_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_bits(key) >= RSA_BITS_MIN)
			return true;
		snprintf(why, n, "%s: RS256 needs an RSA key of at least %d bits", path, RSA_BITS_MIN);
		return false;
	}
	if (EVP_PKEY_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) == 1 &&
	    strcmp(curve, "prime256v1") == 0)
		return true;
	snprintf(why, n, "%s: ES256 needs an elliptic curve key on P-256 (prime256v1)", path);
	return false;
}

/* The key that the PEM text holds; the caller's. NULL: why. */
static EVP_PKEY *parse_public(const char *path, enum token_alg alg, const struct secret *pem, char *why, size_t n)
{
	if (holds(pem, "PRIVATE KEY-----")) {
		snprintf(why, n, "%s: holds a private key; this server needs only the public one (openssl pkey -pubout), keep the private one with the issuer", path);
		return NULL;
	}
	BIO *bio = need(BIO_new_mem_buf(pem->v, (int)pem->len));
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
	bool is_fit = key && kind_is_fit(key, alg, path, why, n);
	if (!key)
		snprintf(why, n, "%s: is no PEM public key (\"-----BEGIN PUBLIC KEY-----\")", path);
	BIO_free(bio);
	ERR_clear_error();
	if (is_fit)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

/* A key that tells nothing about the secret that it is made from, and that nobody without that has. */
static void derive_key(const struct secret *token, const char *label, unsigned char *out, size_t len)
{
	unsigned char root[crypto_generichash_KEYBYTES];

	crypto_generichash(root, sizeof root, token->v, token->len, NULL, 0);
	crypto_generichash(out, len, (const unsigned char *)label, strlen(label), root, sizeof root);
	sodium_memzero(root, sizeof root);
}

static void derive_ticket_key(const struct secret *token, struct secret *out)
{
	out->len = 32;
	out->v = need(malloc(out->len));
	derive_key(token, TICKET_LABEL, out->v, out->len);
}

void keyring_pseudonym(const struct keyring *k, struct str text, char out[PSEUDONYM_SIZE])
{
	unsigned char key[crypto_generichash_KEYBYTES], digest[(PSEUDONYM_SIZE - 1) / 2];

	derive_key(&k->token, PSEUDONYM_LABEL, key, sizeof key);
	crypto_generichash(digest, sizeof digest, (const unsigned char *)text.s, text.len, key, sizeof key);
	sodium_bin2hex(out, PSEUDONYM_SIZE, digest, sizeof digest);
	sodium_memzero(key, sizeof key);
}

static bool load_ticket_key(struct keyring *k, const struct conf *c, char *why, size_t n)
{
	const char *path = c->ticket_key_file;

	if (path[0] == '\0') {
		if (k->alg == TOKEN_HS256)
			derive_ticket_key(&k->token, &k->ticket);
		return true;
	}
	if (!read_key("PICKUP_TICKET_KEY_FILE", path, KEY_SECRET, &k->ticket, &k->ticket_source, why, n) ||
	    !secret_is_fit(path, &k->ticket, why, n))
		return false;
	if (k->ticket.len == k->token.len && sodium_memcmp(k->ticket.v, k->token.v, k->token.len) == 0) {
		snprintf(why, n, "%s: holds the access tokens' secret; tickets need another one", path);
		return false;
	}
	return true;
}

static bool load_token_key(struct keyring *k, const struct conf *c, char *why, size_t n)
{
	const char *path = c->token_key_file;
	struct secret pem = { 0 };

	if (k->alg == TOKEN_HS256)
		return read_key("PICKUP_TOKEN_KEY_FILE", path, KEY_SECRET, &k->token, &k->token_source, why, n) &&
			secret_is_fit(path, &k->token, why, n);
	if (!read_key("PICKUP_TOKEN_KEY_FILE", path, KEY_PUBLIC, &pem, &k->token_source, why, n))
		return false;
	k->public_key = parse_public(path, k->alg, &pem, why, n);
	secret_clear(&pem);	/* a private key may have stood there */
	return k->public_key != NULL;
}

static void begin(struct secret *s)
{
	if (s->len > 0)
		crypto_auth_hmacsha256_init(&s->begun, s->v, s->len);
}

static bool load(struct keyring *k, const struct conf *c, char *why, size_t n)
{
	k->alg = (enum token_alg)c->token_alg;
	choice_set(&k->loaded, c);
	choice_set(&k->tried, c);
	if (!load_token_key(k, c, why, n) || !load_ticket_key(k, c, why, n))
		return false;
	begin(&k->token);
	begin(&k->ticket);
	return true;
}

struct keyring *keyring_new(const struct conf *c, char *why, size_t n)
{
	if (sodium_init() < 0) {
		snprintf(why, n, "libsodium can't start");
		return NULL;
	}
	struct keyring *k = need(calloc(1, sizeof *k));
	k->looked_at = INSTANT_NONE;
	k->verified = token_cache_new();
	if (load(k, c, why, n))
		return k;
	keyring_free(k);
	return NULL;
}

void keyring_free(struct keyring *k)
{
	if (!k)
		return;
	secret_clear(&k->token);
	secret_clear(&k->ticket);
	EVP_PKEY_free(k->public_key);
	free(k->token_source.path);
	free(k->ticket_source.path);
	choice_clear(&k->loaded);
	choice_clear(&k->tried);
	token_cache_free(k->verified);
	free(k);
}

/* Tries the keys that the settings name now; they replace the old ones only as a whole, with what was verified with those. */
static void reload(struct keyring *k, const struct conf *c)
{
	char why[sizeof k->last_fault];
	struct keyring *fresh = keyring_new(c, why, sizeof why);

	if (fresh) {
		struct keyring old = *k;
		fresh->looked_at = k->looked_at;
		*k = *fresh;
		*fresh = old;
		keyring_free(fresh);
		sodium_memzero(&old, sizeof old);
		log_info("token keys taken anew");
		return;
	}
	choice_set(&k->tried, c);
	if (strcmp(why, k->last_fault) != 0)
		log_error("new token keys refused, the old ones stay in force: %s", why);
	memcpy(k->last_fault, why, sizeof why);
}

void keyring_refresh(struct keyring *k, const struct conf *c, instant now)
{
	bool is_settled = choice_is(&k->tried, c);

	/* a clock that was set back must not stop us from looking */
	if (is_settled && k->looked_at != INSTANT_NONE && now >= k->looked_at && now - k->looked_at < INSTANT_SECOND)
		return;
	k->looked_at = now;
	if (choice_is(&k->loaded, c) && source_holds(&k->token_source) && source_holds(&k->ticket_source)) {
		choice_set(&k->tried, c);
		k->last_fault[0] = '\0';
		return;
	}
	reload(k, c);
}

bool keyring_can_issue(const struct keyring *k)
{
	return k->alg == TOKEN_HS256;
}

bool keyring_can_ticket(const struct keyring *k)
{
	return k->ticket.len > 0;
}
