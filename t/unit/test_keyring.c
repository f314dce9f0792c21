/* test_keyring.c - every way in which a key file must be refused, and files and settings that change.
 * Owns: nothing. Covers: keyring.c. */
#include <criterion/criterion.h>

#include "tokens.h"

static void try_keys(const struct conf *c, const char *want, const char *name)
{
	char why[512] = "";
	struct keyring *r = keyring_new(c, why, sizeof why);

	if (want) {
		cr_expect_null(r, "%s: accepted", name);
		cr_expect(strstr(why, want), "%s: says \"%s\", not \"%s\"", name, why, want);
	} else {
		cr_expect_not_null(r, "%s: refused: %s", name, why);
	}
	keyring_free(r);
}

/* ---- key files ---- */

Test(keyring, secrets)
{
	static const struct { const char *text; mode_t mode; const char *why; } rows[] = {
		{ SECRET, 0600, NULL }, { SECRET "\n", 0600, NULL }, { SECRET "\n", 0400, NULL }, { SECRET, 0640, NULL }, { SECRET, 0440, NULL },
		{ SECRET, 0604, "others must have no access" }, { SECRET, 0644, "mode 0644" }, { SECRET, 0602, "others must" },
		{ SECRET, 0601, "others must" }, { SECRET, 0620, "others must" }, { SECRET, 0660, "others must" }, { SECRET, 0777, "others must" },
		{ "", 0600, "is empty" }, { "\n", 0600, "holds 0 bytes" }, { "0123456789abcdef0123456789abcde", 0600, "holds 31 bytes" },
		{ "0123456789abcdef0123456789abcde\n", 0600, "holds 31 bytes" },
		{ "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n", 0600, "PEM key, but a secret" },
	};
	struct keys k = keys_make();
	const char *good = put_text(&k, "good", SECRET2, 0600);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *file = put_text(&k, "s", rows[i].text, rows[i].mode);
		struct conf token = conf_of(TOKEN_HS256, file, ""), ticket = conf_of(TOKEN_HS256, good, file);
		try_keys(&token, rows[i].why, arena_printf(k.a, "token row %zu", i));
		try_keys(&ticket, rows[i].why, arena_printf(k.a, "ticket row %zu", i));
	}
	struct conf same = conf_of(TOKEN_HS256, good, put_text(&k, "same", SECRET2 "\n", 0600));
	try_keys(&same, "tickets need another one", "one secret for both");
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(keyring, files)
{
	struct keys k = keys_make();
	char big[16386];
	memset(big, 'x', sizeof big);
	cr_assert_eq(mkfifo(path_of(&k, "fifo"), 0600), 0);
	const char *good = put_text(&k, "good", SECRET, 0600);
	cr_assert_eq(symlink(good, path_of(&k, "link")), 0);
	const struct { const char *file, *why; } rows[] = {
		{ "", "PICKUP_TOKEN_KEY_FILE is not set" }, { path_of(&k, "missing"), "No such file" }, { k.dir, "no regular file" },
		{ path_of(&k, "fifo"), "no regular file" }, { "/dev/null", "no regular file" }, { put(&k, "big", big, 16385, 0600), "larger than" },
		{ put(&k, "binary", "\0\1\2\3\0\1\2\3\0\1\2\3\0\1\2\3\0\1\2\3\0\1\2\3\0\1\2\3\0\1\2\3", 32, 0600), NULL },
		{ path_of(&k, "link"), NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf c = conf_of(TOKEN_HS256, rows[i].file, "");
		try_keys(&c, rows[i].why, rows[i].file);
	}
	struct conf no_ticket = conf_of(TOKEN_HS256, good, path_of(&k, "missing"));
	try_keys(&no_ticket, "No such file", "a ticket key that is missing");
	if (geteuid() == 0) {
		struct conf c = conf_of(TOKEN_HS256, put_text(&k, "foreign", SECRET, 0600), "");
		cr_assert_eq(chown(c.token_key_file, 12345, 0), 0);
		try_keys(&c, "belongs to user 12345", "another user's file");
	}
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(keyring, public_key_files)
{
	struct keys k = keys_make();
	EVP_PKEY *small = EVP_RSA_gen(1024), *p384 = EVP_EC_gen("P-384"), *k256 = EVP_EC_gen("secp256k1"), *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	cr_assert(small && p384 && k256 && ed);
	const struct { const char *name; enum token_alg alg; EVP_PKEY *key; bool is_private; mode_t mode; const char *why; } rows[] = {
		{ "rsa", TOKEN_RS256, rsa_of(&k), false, 0644, NULL }, { "ec", TOKEN_ES256, ec_of(&k), false, 0444, NULL },
		{ "rsa 600", TOKEN_RS256, k.rsa, false, 0600, NULL },
		{ "rsa for ES256", TOKEN_ES256, k.rsa, false, 0644, "P-256" }, { "ec for RS256", TOKEN_RS256, k.ec, false, 0644, "RSA key" },
		{ "1024 bits", TOKEN_RS256, small, false, 0644, "at least 2048 bits" }, { "P-384", TOKEN_ES256, p384, false, 0644, "P-256" },
		{ "secp256k1", TOKEN_ES256, k256, false, 0644, "P-256" }, { "Ed25519", TOKEN_ES256, ed, false, 0644, "P-256" },
		{ "Ed25519 for RS256", TOKEN_RS256, ed, false, 0644, "RSA key" },
		{ "private rsa", TOKEN_RS256, k.rsa, true, 0600, "holds a private key" }, { "private ec, open", TOKEN_ES256, k.ec, true, 0644, "holds a private key" },
		{ "group-writable", TOKEN_RS256, k.rsa, false, 0664, "only its owner may write" }, { "world-writable", TOKEN_RS256, k.rsa, false, 0646, "only its owner" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf c = conf_of(rows[i].alg, put_pem(&k, "pk", rows[i].key, rows[i].is_private, rows[i].mode), "");
		try_keys(&c, rows[i].why, rows[i].name);
	}
	struct conf secret = conf_of(TOKEN_RS256, put_text(&k, "secret", SECRET, 0600), "");
	try_keys(&secret, "no PEM public key", "a secret for RS256");
	struct conf broken = conf_of(TOKEN_ES256, put_text(&k, "broken", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", 0644), "");
	try_keys(&broken, "no PEM public key", "a broken PEM");
	struct conf as_secret = conf_of(TOKEN_HS256, put_pem(&k, "pk", k.rsa, false, 0600), "");
	try_keys(&as_secret, "PEM key, but a secret", "a public key for HS256");
	struct conf ticket = conf_of(TOKEN_RS256, put_pem(&k, "pk", k.rsa, false, 0644), put_text(&k, "t", SECRET, 0600));
	struct keyring *r = ring(&ticket);
	cr_expect(keyring_can_ticket(r) && !keyring_can_issue(r));
	keyring_free(r);
	EVP_PKEY_free(small);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(k256);
	EVP_PKEY_free(ed);
	keys_drop(&k);
	cr_assert(no_leaks());
}

/* ---- keys that change ---- */

static bool takes(const struct keyring *r, const struct conf *c, struct keys *k, const char *secret)
{
	struct claims got;
	const char *why;

	return jwt_verify(r, c, str_from(hs_token(k, HS, GOOD, secret, strlen(secret))), NOW, &got, &why) == OC_OK;
}

/* Lines on standard error while the keyring is refreshed at those times. */
static unsigned lines_of_refresh(struct keyring *r, const struct conf *c, instant from, int seconds)
{
	FILE *f = tmpfile();
	int kept = dup(STDERR_FILENO);
	unsigned lines = 0;

	fflush(stderr);
	dup2(fileno(f), STDERR_FILENO);
	for (int i = 0; i < seconds; i++)
		keyring_refresh(r, c, from + i * INSTANT_SECOND);
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(f);
	for (int ch; (ch = fgetc(f)) != EOF;)
		lines += ch == '\n';
	fclose(f);
	return lines;
}

Test(keyring, a_changed_file_is_taken_within_a_second)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);

	keyring_refresh(r, &c, NOW);
	put_text(&k, "hs.key", SECRET2, 0600);
	keyring_refresh(r, &c, NOW + INSTANT_SECOND - 1);
	cr_expect(takes(r, &c, &k, SECRET), "not looked at before the second is over");
	keyring_refresh(r, &c, NOW + INSTANT_SECOND);
	cr_expect(takes(r, &c, &k, SECRET2) && !takes(r, &c, &k, SECRET));
	put_text(&k, "hs.key", SECRET, 0600);
	keyring_refresh(r, &c, NOW - 3600 * INSTANT_SECOND);
	cr_expect(takes(r, &c, &k, SECRET), "a clock that was set back stops nothing");
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(keyring, a_file_rewritten_in_place_is_taken)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);
	const char same_size[] = "fedcba9876543210fedcba9876543210\n";
	int fd = open(c.token_key_file, O_WRONLY);

	cr_assert_eq(pwrite(fd, same_size, strlen(same_size), 0), (ssize_t)strlen(same_size));
	/* the same instant as before would do on a coarse clock: set another */
	cr_assert_eq(futimens(fd, (struct timespec[2]){ { 5, 0 }, { 5, 0 } }), 0);
	close(fd);
	keyring_refresh(r, &c, NOW);
	cr_expect(takes(r, &c, &k, "fedcba9876543210fedcba9876543210"));
	keyring_free(r);
	keys_drop(&k);
}

Test(keyring, a_bad_file_leaves_the_old_keys_and_is_logged_once)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);

	put_text(&k, "hs.key", "short", 0600);
	cr_expect_eq(lines_of_refresh(r, &c, NOW, 5), 1);
	cr_expect(takes(r, &c, &k, SECRET));
	cr_assert_eq(chmod(put_text(&k, "hs.key", SECRET2, 0600), 0644), 0);
	cr_expect_eq(lines_of_refresh(r, &c, NOW + 10 * INSTANT_SECOND, 5), 1, "another fault, another line");
	unlink(c.token_key_file);
	cr_expect_eq(lines_of_refresh(r, &c, NOW + 20 * INSTANT_SECOND, 5), 1);
	cr_expect(takes(r, &c, &k, SECRET));
	put_text(&k, "hs.key", SECRET2, 0600);
	cr_expect_eq(lines_of_refresh(r, &c, NOW + 30 * INSTANT_SECOND, 5), 1, "taken");
	cr_expect(takes(r, &c, &k, SECRET2) && !takes(r, &c, &k, SECRET));
	cr_expect_eq(lines_of_refresh(r, &c, NOW + 40 * INSTANT_SECOND, 5), 0, "nothing happens, nothing is said");
	put_text(&k, "hs.key", "short", 0600);
	cr_expect_eq(lines_of_refresh(r, &c, NOW + 50 * INSTANT_SECOND, 5), 1, "bad again after a good one");
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}

Test(keyring, changed_settings_are_taken_at_once)
{
	struct keys k = keys_make();
	struct conf c = hs_conf(&k);
	struct keyring *r = ring(&c);

	keyring_refresh(r, &c, NOW);
	c.token_key_file = put_text(&k, "new.key", SECRET2, 0600);
	keyring_refresh(r, &c, NOW + 1);
	cr_expect(takes(r, &c, &k, SECRET2) && !takes(r, &c, &k, SECRET));
	c.ticket_key_file = path_of(&k, "later.key");
	cr_expect_eq(lines_of_refresh(r, &c, NOW + 2, 3), 1);
	cr_expect(takes(r, &c, &k, SECRET2));
	put_text(&k, "later.key", SECRET, 0600);
	keyring_refresh(r, &c, NOW + 4 * INSTANT_SECOND);
	try_at(jwt_verify_ticket, r, &c, hs(&k, WITH("\"typ\":\"ticket\"")), NOW, NULL, "the ticket key came later");
	const char *good = c.token_key_file;
	for (int i = 0; i < 2; i++) {
		c.token_key_file = path_of(&k, "none.key");
		cr_expect_eq(lines_of_refresh(r, &c, NOW + 4 * INSTANT_SECOND + 1, 1), 1, "time %d: a relapse is said again", i);
		c.token_key_file = good;
		cr_expect_eq(lines_of_refresh(r, &c, NOW + 4 * INSTANT_SECOND + 1, 1), 0, "the loaded keys are named again");
	}
	c.token_alg = TOKEN_ES256;
	cr_expect_eq(lines_of_refresh(r, &c, NOW + 4 * INSTANT_SECOND + 1, 3), 1, "a secret is no ES256 key");
	cr_expect(takes(r, &c, &k, SECRET2), "the old algorithm stays with the old key");
	c.token_key_file = put_pem(&k, "ec.pub", ec_of(&k), false, 0644);
	keyring_refresh(r, &c, NOW + 9 * INSTANT_SECOND);
	cr_expect_not(takes(r, &c, &k, SECRET2));
	try(r, &c, pk_token(&k, "{\"alg\":\"ES256\"}", GOOD, k.ec), NULL, "ES256 now");
	keyring_free(r);
	keys_drop(&k);
	cr_assert(no_leaks());
}
