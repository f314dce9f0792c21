/* fuzz_token.c - any bytes as a token (first byte odd), or any header and payload (two lines) signed with the right key (even).
 * Owns: that nothing unsigned passes, and what must hold of claims that do. Built with libFuzzer (README). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sodium.h>
#include "arena.h"
#include "conf.h"
#include "jwt.h"
#include "log.h"

#define NOW (INT64_C(1772105400) * INSTANT_SECOND)
static const char key[] = "a key for fuzzing that guards nothing at all";

static void must(bool holds)
{
	if (!holds)
		abort();
}

struct setup { struct conf_store *store; struct keyring *ring; };

static struct setup make_setup(void)
{
	struct setup s = { .store = conf_new() };
	char file[] = "/tmp/fuzz-token-XXXXXX", why[512];
	int fd = mkstemp(file);

	must(fd >= 0 && write(fd, key, sizeof(key) - 1) == (ssize_t)sizeof(key) - 1 && close(fd) == 0);
	must(conf_set(s.store, STR("PICKUP_TOKEN_KEY_FILE"), str_from(file), why, sizeof(why)));
	s.ring = keyring_new(conf_get(s.store), why, sizeof(why));
	unlink(file);
	if (!s.ring)
		fprintf(stderr, "%s\n", why);
	must(s.ring != NULL);
	return s;
}

/* Made at the first input and kept: libFuzzer has no end to free it at. */
static const struct setup *setup(void)
{
	static struct setup s;

	if (!s.ring) {
		log_set_level(LOG_ERROR);
		s = make_setup();
	}
	return &s;
}

static void add_base64(struct buf *b, const void *p, size_t len)
{
	size_t room = sodium_base64_encoded_len(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);

	buf_reserve(b, room);
	sodium_bin2base64(b->s + b->len, room, p, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	b->len += strlen(b->s + b->len);
}

/* header NEWLINE payload, signed. */
static struct str sign(struct arena *a, struct str text)
{
	const char *end = text.len ? memchr(text.s, '\n', text.len) : NULL;
	size_t header = end ? (size_t)(end - text.s) : text.len;
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;
	struct buf b = BUF_IN(a);

	add_base64(&b, text.s, header);
	buf_addc(&b, '.');
	if (end)
		add_base64(&b, end + 1, text.len - header - 1);
	crypto_auth_hmacsha256_init(&state, (const unsigned char *)key, sizeof(key) - 1);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)b.s, b.len);
	crypto_auth_hmacsha256_final(&state, mac);
	buf_addc(&b, '.');
	add_base64(&b, mac, sizeof(mac));
	return buf_str(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct setup *s = setup();
	struct str text = { (const char *)data + 1, size - 1 };
	struct claims who;
	const char *why = NULL;
	struct arena *a;
	bool raw;

	if (size == 0)
		return 0;
	a = arena_new();
	raw = data[0] & 1;
	if (!raw)
		text = sign(a, text);
	if (jwt_verify(s->ring, conf_get(s->store), text, NOW, &who, &why) == OC_OK) {
		struct claims again;	/* as remembered */
		must(jwt_verify(s->ring, conf_get(s->store), text, NOW, &again, &why) == OC_OK);
		must(again.sub.v == who.sub.v && again.role == who.role && again.exp == who.exp);
		must(!raw);
		must(memmem(data + 1, size - 1, "HS", 2) || memmem(data + 1, size - 1, "\\u", 2));
		must(who.sub.v >= 1 && who.sub.v <= INT64_MAX && who.role < ROLE__MAX && who.exp > NOW);
	} else {
		must(why && why[0]);
	}
	must(jwt_verify_ticket(s->ring, conf_get(s->store), text, NOW, &who, &why) != OC_OK);
	arena_free(a);
	return 0;
}
