/* money.h - exact decimal amounts.
 * Owns: parsing, printing, checked arithmetic. Pure: no HTTP, no SQL, no JSON library. */
#ifndef PICKUP_MONEY_H
#define PICKUP_MONEY_H

#include <stdbool.h>
#include <stdint.h>
#include "outcome.h"
#include "str.h"

/* Hundredths of the currency's unit. DECIMAL(10,2) holds 0 to MONEY_MAX. */
typedef int64_t money;
#define MONEY_MAX INT64_C(9999999999)	/* 99,999,999.99 */

/* A JSON number's own text (RFC 8259 section 6: "120", "120.50", "1.2e2") as an exact amount. False: no number,
 * negative other than zero, more than two decimals that are not zero, or above MONEY_MAX. */
must_check bool money_from_number(struct str text, money *out);
/* What DECIMAL(10,2) prints: digits, a point, two digits. */
must_check bool money_from_decimal(struct str text, money *out);
/* *sum += price * quantity; false, and *sum unchanged, where that passes MONEY_MAX. quantity 1 to 999. */
must_check bool money_add_line(money *sum, money price, uint32_t quantity);
/* As a JSON number with one or two decimals: 120.0, 120.5, 120.25 (never 120). */
void money_to_json(struct buf *b, money m);
/* Always two decimals, for SQL and for people: 120.00. out takes at least 24 bytes. */
void money_to_decimal(char out[24], money m);

#endif
