/* person.h - what the data of people, shops and products must look like, for requests and the command line alike.
 * Owns: the rules, the sentences that name a fault, the roles. Pure: no HTTP, no SQL, no JSON library.
 * Used by: endpoints, tokens, rows of users and orders, tool_user.c, tool_shop.c. */
#ifndef PICKUP_PERSON_H
#define PICKUP_PERSON_H

#include <stdbool.h>
#include <stddef.h>
#include "outcome.h"
#include "str.h"

enum role { ROLE_CUSTOMER, ROLE_SHOPKEEPER, ROLE_ADMIN, ROLE__MAX };
/* The words, in the enum's order, NULL at the end. */
extern const char *const role_words[];
const char *role_name(enum role r);
must_check bool role_parse(struct str s, enum role *out);

#define NAME_MAX_CHARS 120
#define EMAIL_MAX_CHARS 254
#define ADDRESS_MAX_CHARS 500
#define DESCRIPTION_MAX_CHARS 1000
#define UNIT_MAX_CHARS 20
#define PHONE_MIN_DIGITS 5
#define PHONE_MAX_DIGITS 15
#define PASSWORD_MIN_CHARS 8
#define PASSWORD_MAX_CHARS 200
#define PASSWORD_MAX_BYTES 1024

/* True: *out is the text as it is to be stored (borrowed from in, but for a phone number: arena). False: *why is static text that
 * reads after the field's name ("must …"), and *out is left alone. in may be any bytes; none is a fault. Characters are code points. */
typedef bool person_rule(struct arena *a, struct str in, struct str *out, const char **why);

/* Digits with spaces, hyphens, dots and parentheses among them, perhaps a leading +: "+91 98450-12345" gives "+919845012345". */
must_check bool phone_normalise(struct arena *a, struct str in, struct str *out, const char **why);
/* Of a person, a shop or a product: one line, trimmed, no control characters. */
must_check bool name_normalise(struct arena *a, struct str in, struct str *out, const char **why);
/* something@something, trimmed. Whether it reaches anybody, only a message can tell. */
must_check bool email_normalise(struct arena *a, struct str in, struct str *out, const char **why);
/* Taken as it is, spaces included; control characters but newline and tab are refused, since no request could carry them. */
must_check bool password_check(struct arena *a, struct str in, struct str *out, const char **why);
/* Three capital letters (ISO 4217). */
must_check bool currency_check(struct arena *a, struct str in, struct str *out, const char **why);
/* Trimmed; may have newlines and tabs within. */
must_check bool address_normalise(struct arena *a, struct str in, struct str *out, const char **why);
must_check bool description_normalise(struct arena *a, struct str in, struct str *out, const char **why);
/* "kg", "piece": one line, trimmed. */
must_check bool unit_normalise(struct arena *a, struct str in, struct str *out, const char **why);

#endif
