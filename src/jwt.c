/* jwt.c - verifying and making tokens and tickets.
 * Owns: the shape of a token, its header, its claims. Does not own: key files (keyring.c), signatures (signature.c), JSON (json_body.c),
 * what a role may do (access.c).
 * Used by: auth, the log-in endpoints, tools. */
#include <inttypes.h>

#include <sodium.h>

#include "keyring.h"
#include "arena.h"
#include "input.h"
#include "signature.h"
#include "token_cache.h"

#define TOKEN_MAX 8192
#define PART_MAX (TOKEN_MAX / 4 * 3)	/* bytes that a token's part can stand for */
#define EXP_MAX INT64_C(253402300799)	/* the end of the year 9999 */
#define TYP_TICKET "ticket"
#define IAT_FRACTION "iat_us"	/* microseconds beyond iat */
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* The header of all tokens that are made here: {"alg":"HS256","typ":"JWT"} */
static const char own_header[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
static const char malformed[] = "the token is malformed or wrongly signed";

/* One way to judge or make a token: key, algorithm, purpose. */
struct purpose { struct signing_key key; bool is_ticket; };

static struct purpose access_purpose(const struct keyring *k)
{
	return (struct purpose){ { k->alg, &k->token, k->public_key }, false };
}

static struct purpose ticket_purpose(const struct keyring *k)
{
	return (struct purpose){ { TOKEN_HS256, &k->ticket, NULL }, true };
}

/* ---- parts ---- */

/* As they were sent; signed_text is what stands before the last dot. */
struct parts { struct str header, payload, signature, signed_text; };

/* What a digit of base64url (RFC 4648 section 5) stands for; 64: it is none. */
static unsigned digit_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	return c == '-' ? 62 : c == '_' ? 63 : 64;
}

static bool is_base64url(struct str part)
{
	for (size_t i = 0; i < part.len; i++)
		if (digit_value(part.s[i]) == 64)
			return false;
	return part.len > 0 && part.len % 4 != 1;
}

/* Whether it is three parts of base64url (RFC 7515 section 7.1). */
static bool split(struct str token, struct parts *out)
{
	struct str rest;

	out->header = str_cut(token, '.', &rest);
	out->payload = str_cut(rest, '.', &out->signature);
	out->signed_text = (struct str){ token.s, out->header.len + 1 + out->payload.len };
	return is_base64url(out->header) && is_base64url(out->payload) && is_base64url(out->signature);
}

/* What part, which is base64url, stands for; none where its last digit has bits that stand for nothing, so that no two texts are one token.
 * Not libsodium's: that takes no more time for one digit than for another, eight times as long, and a token is no secret to its sender. */
static struct str decode(struct str part, char out[PART_MAX])
{
	unsigned acc = 0, bits = 0;
	size_t len = 0;

	for (size_t i = 0; i < part.len; i++) {
		acc = acc << 6 | digit_value(part.s[i]);
		bits += 6;
		if (bits < 8)
			continue;
		if (len == PART_MAX)
			return STR_NONE;
		bits -= 8;
		out[len++] = (char)(unsigned char)(acc >> bits);
		acc &= (1U << bits) - 1;
	}
	return acc ? STR_NONE : (struct str){ out, len };
}

/* The object that part stands for (arena), or NULL. */
static struct body *parse(struct arena *a, struct str part)
{
	char buf[PART_MAX];
	struct str text = decode(part, buf);
	struct body *b;
	const char *why;

	if (!text.s || body_parse(a, text, &b, &why) != OC_OK)
		return NULL;
	/* texts are compared with C strings in more places than here */
	return body_has_nul(b) ? NULL : b;
}

static bool is_signed(const struct parts *t, const struct signing_key *key)
{
	char buf[PART_MAX];
	struct str sig = decode(t->signature, buf);

	return sig.s && signature_is_good(key, t->signed_text, sig);
}

/* ---- claims ---- */

static const char *exp_fault(instant exp, const struct conf *c, instant now)
{
	return exp <= now - c->token_leeway_s * INSTANT_SECOND ? "the token has expired" : NULL;
}

/* INSTANT_NONE is before all times. */
static const char *nbf_fault(instant nbf, const struct conf *c, instant now)
{
	return nbf > now + c->token_leeway_s * INSTANT_SECOND ? "the token is not yet valid" : NULL;
}

/* RFC 7519 section 2: seconds, which may have a fraction. Ours stands in a claim of its own: there are libraries that round their clock down to
 * seconds, and take a token with a fraction for one from the future. */
static const char *iat_fault(const struct body *claims, struct claims *out)
{
	int64_t us;

	out->iat = INSTANT_NONE;
	if (!body_has(claims, "iat"))
		return NULL;
	if (!body_seconds(claims, "iat", &out->iat))
		return "the token's \"iat\" is no number";
	if (body_integer(claims, IAT_FRACTION, &us) && us >= 0 && us < INSTANT_SECOND)
		out->iat += us - out->iat % INSTANT_SECOND;
	return NULL;
}

/* The fault of the times, or NULL. */
static const char *time_fault(const struct body *claims, const struct conf *c, instant now, struct verified *out)
{
	const char *why;
	int64_t exp, nbf;

	if (!body_integer(claims, "exp", &exp))
		return "the token has no integer \"exp\"";
	if (exp < 0 || exp > EXP_MAX)
		return "the token's \"exp\" is out of range";
	out->who.exp = exp * INSTANT_SECOND;
	why = exp_fault(out->who.exp, c, now);
	if (!why)
		why = iat_fault(claims, &out->who);
	if (why || !body_has(claims, "nbf"))
		return why;
	if (!body_integer(claims, "nbf", &nbf))
		return "the token's \"nbf\" is no integer";
	if (nbf > 0)
		out->nbf = (nbf > EXP_MAX ? EXP_MAX + 1 : nbf) * INSTANT_SECOND;
	return nbf_fault(out->nbf, c, now);
}

static const char *person_fault(const struct body *claims, struct claims *out)
{
	struct str sub = body_text(claims, "sub"), role = body_text(claims, "role");

	if (!sub.s)
		return "the token has no \"sub\" that is a string";
	if (!str_to_uint(sub, INT64_MAX, &out->sub.v) || out->sub.v == 0)
		return "the token's \"sub\" is no user id";
	if (!role.s)
		return "the token has no \"role\" that is a string";
	if (!role_parse(role, &out->role))
		return "the token's \"role\" is none of ours";
	return NULL;
}

static const char *purpose_fault(const struct body *claims, const struct conf *c, bool is_ticket)
{
	if (is_ticket != str_is(body_text(claims, "typ"), TYP_TICKET))
		return is_ticket ? "this is no ticket" : "a ticket opens WebSockets only";
	if (c->token_issuer[0] && !str_is(body_text(claims, "iss"), c->token_issuer))
		return "the token is from another issuer";
	if (c->token_audience[0] && !body_names(claims, "aud", c->token_audience))
		return "the token is for another audience";
	return NULL;
}

static const char *claims_fault(const struct body *claims, const struct purpose *p, const struct conf *c, instant now, struct verified *out)
{
	const char *why = time_fault(claims, c, now, out);

	if (!why)
		why = purpose_fault(claims, c, p->is_ticket);
	return why ? why : person_fault(claims, &out->who);
}

/* ---- verifying ---- */

static const char *alg_name(enum token_alg alg)
{
	static const char *const names[TOKEN_ALG__MAX] = { [TOKEN_HS256] = "HS256", [TOKEN_RS256] = "RS256", [TOKEN_ES256] = "ES256" };

	return names[alg];
}

static const char *header_fault(struct arena *a, struct str part, enum token_alg alg)
{
	const struct body *header;
	struct str typ;

	if (alg == TOKEN_HS256 && str_is(part, own_header))
		return NULL;
	header = parse(a, part);
	if (!header)
		return malformed;
	/* what it names is compared and never followed; case counts (RFC 7515 section 4.1.1) */
	if (!str_is(body_text(header, "alg"), alg_name(alg)))
		return "the token is malformed or wrongly signed: its header names another algorithm";
	typ = body_text(header, "typ");
	if (typ.s && !str_is_nocase(typ, "JWT"))
		return malformed;
	/* RFC 7515 section 4.1.11: what we don't understand, and we understand none, must be refused */
	return body_has(header, "crit") ? "the token's header holds \"crit\"" : NULL;
}

/* The fault of a token that nobody has looked at yet, or NULL. Of the claims nothing is read before the signature is known to be good. */
static const char *token_fault(struct arena *a, const struct parts *t, const struct purpose *p, const struct conf *c, instant now, struct verified *out)
{
	const char *why = header_fault(a, t->header, p->key.alg);
	const struct body *claims;

	if (why)
		return why;
	if (!is_signed(t, &p->key))
		return malformed;
	claims = parse(a, t->payload);
	return claims ? claims_fault(claims, p, c, now, out) : malformed;
}

static const char *fault_of_new(const struct purpose *p, const struct conf *c, struct str token, instant now, struct verified *out)
{
	struct parts t;

	if (!split(token, &t))
		return "this is no token";
	struct arena *a = arena_new();
	const char *why = token_fault(a, &t, p, c, now, out);
	arena_free(a);
	return why;
}

/* Of a token that was verified before, the clock and the leeway may have moved since. */
static const char *fault_of_known(const struct verified *v, const struct conf *c, instant now)
{
	const char *why = exp_fault(v->who.exp, c, now);

	return why ? why : nbf_fault(v->nbf, c, now);
}

static const char *fault_of_any(const struct keyring *k, const struct purpose *p, const struct conf *c, struct str token, instant now, struct claims *out)
{
	struct verified fresh = { .nbf = INSTANT_NONE };
	const struct verified *known;
	struct token_digest digest;
	const char *why;

	token_cache_digest(k->verified, p->is_ticket ? 't' : 'a', c->token_issuer, c->token_audience, token, &digest);
	known = token_cache_find(k->verified, &digest);
	why = known ? fault_of_known(known, c, now) : fault_of_new(p, c, token, now, &fresh);
	if (why)
		return why;
	if (!known)
		token_cache_put(k->verified, &digest, &fresh);
	*out = known ? known->who : fresh.who;
	return NULL;
}

static enum outcome verify(const struct keyring *k, struct purpose p, const struct conf *c, struct str token, instant now, struct claims *out, const char **why)
{
	if (p.is_ticket && !keyring_can_ticket(k))
		*why = "tickets are not in use here";
	else if (token.len == 0)
		*why = "there is no token";
	else if (token.len > TOKEN_MAX)
		*why = "the token is too long";
	else
		*why = fault_of_any(k, &p, c, token, now, out);
	return *why ? OC_REFUSED : OC_OK;
}

enum outcome jwt_verify(const struct keyring *k, const struct conf *c, struct str token, instant now, struct claims *out, const char **why)
{
	return verify(k, access_purpose(k), c, token, now, out, why);
}

enum outcome jwt_verify_ticket(const struct keyring *k, const struct conf *c, struct str token, instant now, struct claims *out, const char **why)
{
	return verify(k, ticket_purpose(k), c, token, now, out, why);
}

/* ---- making ---- */

static void add_text(struct buf *b, const char *name, struct str value)
{
	buf_addf(b, "\"%s\":", name);
	buf_addjson(b, value);
	buf_addc(b, ',');
}

static void add_iat(struct buf *b, instant iat)
{
	buf_addf(b, "\"iat\":%" PRId64 ",", iat / INSTANT_SECOND);
	if (iat % INSTANT_SECOND)
		buf_addf(b, "\"" IAT_FRACTION "\":%" PRId64 ",", iat % INSTANT_SECOND);
}

/* In the order of their names. */
static struct str claims_text(struct arena *a, const struct conf *c, const struct claims *who, bool is_ticket)
{
	struct buf b = BUF_IN(a);

	buf_addc(&b, '{');
	if (c->token_audience[0])
		add_text(&b, "aud", str_from(c->token_audience));
	buf_addf(&b, "\"exp\":%" PRId64 ",", who->exp / INSTANT_SECOND);
	if (who->iat != INSTANT_NONE)
		add_iat(&b, who->iat);
	if (c->token_issuer[0])
		add_text(&b, "iss", str_from(c->token_issuer));
	add_text(&b, "role", str_from(role_name(who->role)));
	buf_addf(&b, "\"sub\":\"%" PRIu64 "\",", who->sub.v);
	if (is_ticket)
		add_text(&b, "typ", STR(TYP_TICKET));
	b.s[b.len - 1] = '}';	/* the last comma */
	return buf_str(&b);
}

static void add_base64(struct buf *b, const void *bytes, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, BASE64);

	buf_reserve(b, size);
	sodium_bin2base64(b->s + b->len, size, bytes, len, BASE64);
	b->len += size - 1;
}

static enum outcome issue(struct arena *a, struct purpose p, const struct conf *c, const struct claims *who, struct str *out)
{
	struct str claims = claims_text(a, c, who, p.is_ticket);
	unsigned char mac[SIGNATURE_HS256_SIZE];
	struct buf b = BUF_IN(a);

	buf_adds(&b, own_header);
	buf_addc(&b, '.');
	add_base64(&b, claims.s, claims.len);
	signature_make(p.key.secret, buf_str(&b), mac);
	buf_addc(&b, '.');
	add_base64(&b, mac, sizeof mac);
	*out = buf_str(&b);
	return OC_OK;
}

enum outcome jwt_issue(struct arena *a, const struct keyring *k, const struct conf *c, const struct claims *who, struct str *out)
{
	return keyring_can_issue(k) ? issue(a, access_purpose(k), c, who, out) : OC_REFUSED;
}

enum outcome jwt_issue_ticket(struct arena *a, const struct keyring *k, const struct conf *c, const struct claims *who, struct str *out)
{
	return keyring_can_ticket(k) ? issue(a, ticket_purpose(k), c, who, out) : OC_REFUSED;
}
