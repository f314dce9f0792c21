/* jwt.c - verifying and making tokens and tickets.
 * Owns: the shape of a token, its header, its claims. Does not own: key files (keyring.c), what a role may do (auth.c).
 * Used by: auth, the log-in endpoints, tools. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jwt.h>
#include <openssl/err.h>

#include "keyring.h"
#include "arena.h"
#include "log.h"
#include "token_cache.h"

#ifndef JWT_H
#error "<jwt.h> must be libjwt's: give src to the compiler as -iquote, not as -I"
#endif

#define TOKEN_MAX 8192
#define EXP_MAX 253402300799L	/* the end of the year 9999 */
#define TYP_TICKET "ticket"

/* One way to judge or make a token: key, algorithm, purpose. */
struct purpose { const struct secret *key; jwt_alg_t alg; bool is_ticket; };

static struct purpose access_purpose(const struct keyring *k)
{
	static const jwt_alg_t algs[TOKEN_ALG__MAX] = {
		[TOKEN_HS256] = JWT_ALG_HS256, [TOKEN_RS256] = JWT_ALG_RS256, [TOKEN_ES256] = JWT_ALG_ES256,
	};
	return (struct purpose){ &k->token, algs[k->alg], false };
}

static struct purpose ticket_purpose(const struct keyring *k)
{
	return (struct purpose){ &k->ticket, JWT_ALG_HS256, true };
}

static bool is_base64url(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Whether it is three parts of base64url (RFC 7515 section 7.1); libjwt itself takes much more than that. */
static bool is_well_shaped(struct str token)
{
	size_t dots = 0, part = 0;

	for (size_t i = 0; i <= token.len; i++) {
		if (i == token.len || token.s[i] == '.') {
			if (part == 0 || part % 4 == 1)
				return false;
			dots += i < token.len;
			part = 0;
		} else if (is_base64url(token.s[i])) {
			part++;
		} else {
			return false;
		}
	}
	return dots == 2;
}

/* Whether the JSON string between s and end (without its quotes, as jansson prints it) is text. text has no control characters,
 * so the only escapes that can stand for it are \" \\ and \/. */
static bool json_text_is(const char *s, const char *end, const char *text)
{
	for (; s < end; s++, text++) {
		if (*s == '\\' && (++s == end || !strchr("\"\\/", *s)))
			return false;
		if (*s != *text)
			return false;
	}
	return *text == '\0';
}

/* Whether one of the strings of a JSON array, well-formed as jansson printed it, is text. Nested values don't count. */
static bool json_list_has(const char *json, const char *text)
{
	int depth = 0;

	for (const char *p = json; *p; p++) {
		if (*p == '[' || *p == '{')
			depth++;
		else if (*p == ']' || *p == '}')
			depth--;
		if (*p != '"')
			continue;
		const char *start = ++p;
		while (*p && *p != '"')
			p += *p == '\\' && p[1] ? 2 : 1;
		if (!*p)
			return false;
		if (depth == 1 && json_text_is(start, p, text))
			return true;
	}
	return false;
}

static bool audience_is(jwt_t *t, const char *wanted)
{
	const char *one = jwt_get_grant(t, "aud");

	if (one)
		return strcmp(one, wanted) == 0;
	char *list = jwt_get_grants_json(t, "aud");
	bool has = list && list[0] == '[' && json_list_has(list, wanted);
	free(list);
	return has;
}

/* An integer claim: 1 there, 0 absent, -1 of another type. libjwt gives 0 for every other type, without an error. */
static int get_integer(jwt_t *t, const char *name, long *out)
{
	errno = 0;
	*out = jwt_get_grant_int(t, name);
	if (errno)
		return errno == ENOENT ? 0 : -1;
	if (*out)
		return 1;
	char *text = jwt_get_grants_json(t, name);
	bool is_zero = text && strcmp(text, "0") == 0;
	free(text);
	return is_zero ? 1 : -1;
}

static const char *exp_fault(instant exp, const struct conf *c, instant now)
{
	return exp <= now - c->token_leeway_s * INSTANT_SECOND ? "the token has expired" : NULL;
}

/* INSTANT_NONE is before all times. */
static const char *nbf_fault(instant nbf, const struct conf *c, instant now)
{
	return nbf > now + c->token_leeway_s * INSTANT_SECOND ? "the token is not yet valid" : NULL;
}

/* The fault of the times, or NULL. */
static const char *time_fault(jwt_t *t, const struct conf *c, instant now, struct verified *out)
{
	const char *why;
	long exp, nbf;

	if (get_integer(t, "exp", &exp) != 1)
		return "the token has no integer \"exp\"";
	if (exp < 0 || exp > EXP_MAX)
		return "the token's \"exp\" is out of range";
	out->who.exp = exp * INSTANT_SECOND;
	why = exp_fault(out->who.exp, c, now);
	if (why)
		return why;
	switch (get_integer(t, "nbf", &nbf)) {
	case 0:
		return NULL;
	case 1:
		if (nbf > 0)
			out->nbf = (nbf > EXP_MAX ? EXP_MAX + 1 : nbf) * INSTANT_SECOND;
		return nbf_fault(out->nbf, c, now);
	default:
		return "the token's \"nbf\" is no integer";
	}
}

static const char *person_fault(jwt_t *t, struct claims *out)
{
	struct str sub = str_from(jwt_get_grant(t, "sub"));
	struct str role = str_from(jwt_get_grant(t, "role"));

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

static const char *purpose_fault(jwt_t *t, const struct conf *c, bool is_ticket)
{
	const char *typ = jwt_get_grant(t, "typ");
	const char *iss = jwt_get_grant(t, "iss");

	if (is_ticket != (typ && strcmp(typ, TYP_TICKET) == 0))
		return is_ticket ? "this is no ticket" : "a ticket opens WebSockets only";
	if (c->token_issuer[0] && (!iss || strcmp(iss, c->token_issuer) != 0))
		return "the token is from another issuer";
	if (c->token_audience[0] && !audience_is(t, c->token_audience))
		return "the token is for another audience";
	return NULL;
}

/* libjwt has verified the signature with the algorithm that the token named; here is where that must be ours. */
static const char *header_fault(jwt_t *t, jwt_alg_t alg)
{
	/* the text as well: libjwt ignores the case of "alg", RFC 7515 section 4.1.1 does not */
	if (jwt_get_alg(t) != alg || !str_is(str_from(jwt_get_header(t, "alg")), jwt_alg_str(alg)))
		return "the token is signed with another algorithm";
	char *crit = jwt_get_headers_json(t, "crit");
	bool has_crit = crit != NULL;
	free(crit);
	/* RFC 7515 section 4.1.11: what we don't understand, and we understand none, must be refused */
	return has_crit ? "the token's header holds \"crit\"" : NULL;
}

static const char *token_fault(jwt_t *t, const struct purpose *p, const struct conf *c, instant now, struct verified *out)
{
	const char *why = header_fault(t, p->alg);

	if (!why)
		why = time_fault(t, c, now, out);
	if (!why)
		why = purpose_fault(t, c, p->is_ticket);
	return why ? why : person_fault(t, &out->who);
}

/* The fault of a token that nobody has looked at yet, or NULL. At most TOKEN_MAX bytes long, and there is a key. */
static const char *decode(const struct purpose *p, const struct conf *c, struct str token, instant now, struct verified *out)
{
	char text[TOKEN_MAX + 1];
	const char *why;
	jwt_t *t = NULL;

	if (!is_well_shaped(token))
		return "this is no token";
	memcpy(text, token.s, token.len);
	text[token.len] = '\0';
	if (jwt_decode(&t, text, p->key->v, (int)p->key->len) == 0) {
		why = token_fault(t, p, c, now, out);
	} else {
		why = "the token is malformed or wrongly signed";
		/* what libcrypto leaves in its queue would look like a fault of the next TLS connection */
		ERR_clear_error();
	}
	jwt_free(t);
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
	why = known ? fault_of_known(known, c, now) : decode(p, c, token, now, &fresh);
	if (why)
		return why;
	if (!known)
		token_cache_put(k->verified, &digest, &fresh);
	*out = known ? known->who : fresh.who;
	return NULL;
}

static enum outcome verify(const struct keyring *k, struct purpose p, const struct conf *c, struct str token, instant now, struct claims *out, const char **why)
{
	/* libjwt checks no signature where it gets no key */
	if (p.key->len == 0)
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

/* 0, or errno's number of the first call that failed. */
static int add_claims(jwt_t *t, const struct conf *c, const struct claims *who, instant now, bool is_ticket)
{
	char sub[24];
	int err;

	snprintf(sub, sizeof sub, "%llu", (unsigned long long)who->sub.v);
	err = jwt_add_grant(t, "sub", sub);
	if (!err)
		err = jwt_add_grant(t, "role", role_name(who->role));
	if (!err)
		err = jwt_add_grant_int(t, "iat", (long)(now / INSTANT_SECOND));
	if (!err)
		err = jwt_add_grant_int(t, "exp", (long)(who->exp / INSTANT_SECOND));
	if (!err && c->token_issuer[0])
		err = jwt_add_grant(t, "iss", c->token_issuer);
	if (!err && c->token_audience[0])
		err = jwt_add_grant(t, "aud", c->token_audience);
	if (!err && is_ticket)
		err = jwt_add_grant(t, "typ", TYP_TICKET);
	return err;
}

static enum outcome issue(struct arena *a, struct purpose p, const struct conf *c, const struct claims *who, instant now, struct str *out)
{
	char *text = NULL;
	jwt_t *t = NULL;
	int err = jwt_new(&t);

	if (!err)
		err = jwt_set_alg(t, p.alg, p.key->v, (int)p.key->len);
	if (!err)
		err = add_claims(t, c, who, now, p.is_ticket);
	if (!err && !(text = jwt_encode_str(t)))
		err = errno;
	if (text)
		*out = str_dup(a, str_from(text));
	free(text);
	jwt_free(t);
	if (!text && !err)
		err = EIO;
	if (err)
		log_error("a token could not be made: %s", strerror(err));
	return err ? OC_BAD : OC_OK;
}

enum outcome jwt_issue(struct arena *a, const struct keyring *k, const struct conf *c, const struct claims *who, instant now, struct str *out)
{
	return keyring_can_issue(k) ? issue(a, access_purpose(k), c, who, now, out) : OC_REFUSED;
}

enum outcome jwt_issue_ticket(struct arena *a, const struct keyring *k, const struct conf *c, const struct claims *who, instant now, struct str *out)
{
	return keyring_can_ticket(k) ? issue(a, ticket_purpose(k), c, who, now, out) : OC_REFUSED;
}
