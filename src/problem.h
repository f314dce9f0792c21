/* problem.h - every refusal as application/problem+json (RFC 9457).
 * Owns: the table of codes with their status and title, and which outcome of the lower layers is which.
 * Does not own: the decision to refuse. */
#ifndef PICKUP_PROBLEM_H
#define PICKUP_PROBLEM_H

#include "app.h"

enum problem {
	PROBLEM_MALFORMED_JSON, PROBLEM_MALFORMED_REQUEST, PROBLEM_UNAUTHORIZED, PROBLEM_FORBIDDEN, PROBLEM_NOT_FOUND, PROBLEM_METHOD_NOT_ALLOWED,
	PROBLEM_INVALID_TRANSITION, PROBLEM_OUT_OF_STOCK, PROBLEM_PHONE_TAKEN,
	PROBLEM_SHOP_CLOSED, PROBLEM_SHOP_PAUSED, PROBLEM_OUTSIDE_HOURS, PROBLEM_TOO_SOON, PROBLEM_TOO_FAR, PROBLEM_SLOT_FULL, PROBLEM_NO_SLOTS, PROBLEM_GONE, PROBLEM_VERSION_MISMATCH,
	PROBLEM_BODY_TOO_LARGE, PROBLEM_UNSUPPORTED_MEDIA_TYPE, PROBLEM_VALIDATION_FAILED, PROBLEM_IDEMPOTENCY_KEY_REUSED,
	PROBLEM_RATE_LIMITED, PROBLEM_INTERNAL, PROBLEM_UNAVAILABLE,
	PROBLEM__MAX
};

/* Makes the reply this problem (with the headers its status asks for: WWW-Authenticate, Retry-After). detail is a sentence for people
 * and holds nothing secret. Gives OC_REFUSED, so that endpoints can return it. */
enum outcome problem_reply(struct req *r, enum problem p, const char *detail);
/* The same with the object left open: add ,"name":value members to the buffer, then problem_close(). */
struct buf *problem_open(struct req *r, enum problem p, const char *detail);
enum outcome problem_close(struct req *r);
/* What http_req_body and http_req_stream found wrong with a body of which at most max bytes are taken: 413 or 400. */
enum outcome problem_of_body(struct req *r, enum outcome oc, int64_t max);
/* 429, and how many seconds to wait. */
enum outcome problem_wait(struct req *r, int64_t seconds, const char *detail);
/* 422 with every fault. */
enum outcome problem_faults(struct req *r, const struct faults *f);
/* The problem for an outcome of the lower layers; OC_REFUSED: the reply is made already. */
void problem_from_outcome(struct req *r, enum outcome oc);

#endif
