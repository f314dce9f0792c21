/* problem.c - see problem.h. */
#include "problem.h"

#include "log.h"

static const struct { int status; const char *code, *title; } problems[PROBLEM__MAX] = {
	[PROBLEM_MALFORMED_JSON] = { 400, "malformed_json", "The body is not a JSON object" },
	[PROBLEM_MALFORMED_REQUEST] = { 400, "malformed_request", "The request is malformed" },
	[PROBLEM_UNAUTHORIZED] = { 401, "unauthorized", "Sign in first" },
	[PROBLEM_FORBIDDEN] = { 403, "forbidden", "Not for you" },
	[PROBLEM_NOT_FOUND] = { 404, "not_found", "Not found" },
	[PROBLEM_METHOD_NOT_ALLOWED] = { 405, "method_not_allowed", "This method is not served here" },
	[PROBLEM_INVALID_TRANSITION] = { 409, "invalid_transition", "The order can't become that" },
	[PROBLEM_OUT_OF_STOCK] = { 409, "out_of_stock", "There is not enough left" },
	[PROBLEM_PHONE_TAKEN] = { 409, "phone_taken", "This phone number is registered already" },
	[PROBLEM_SHOP_CLOSED] = { 409, "shop_closed", "The shop is closed" },
	[PROBLEM_SHOP_PAUSED] = { 409, "shop_paused", "The shop takes no orders for a while" },
	[PROBLEM_OUTSIDE_HOURS] = { 409, "outside_hours", "The shop is closed at that time" },
	[PROBLEM_TOO_SOON] = { 409, "too_soon", "The shop needs more time" },
	[PROBLEM_TOO_FAR] = { 409, "too_far", "The shop does not plan that far ahead" },
	[PROBLEM_SLOT_FULL] = { 409, "slot_full", "That time is taken" },
	[PROBLEM_NO_SLOTS] = { 409, "no_slots", "The shop has no slots" },
	[PROBLEM_GONE] = { 410, "gone", "Older than what is kept" },
	[PROBLEM_VERSION_MISMATCH] = { 412, "version_mismatch", "Somebody changed it meanwhile" },
	[PROBLEM_BODY_TOO_LARGE] = { 413, "body_too_large", "The body is too large" },
	[PROBLEM_UNSUPPORTED_MEDIA_TYPE] = { 415, "unsupported_media_type", "The body is of a type that is not taken here" },
	[PROBLEM_VALIDATION_FAILED] = { 422, "validation_failed", "Something in the request is not valid" },
	[PROBLEM_IDEMPOTENCY_KEY_REUSED] = { 422, "idempotency_key_reused", "This Idempotency-Key came with another body before" },
	[PROBLEM_RATE_LIMITED] = { 429, "rate_limited", "Too many tries" },
	[PROBLEM_INTERNAL] = { 500, "internal", "Something went wrong here" },
	[PROBLEM_UNAVAILABLE] = { 503, "unavailable", "Try again shortly" },
};

struct buf *problem_open(struct req *r, enum problem p, const char *detail)
{
	http_reply_clear(r->reply);
	r->reply->status = problems[p].status;
	r->reply->content_type = "application/problem+json";
	if (problems[p].status == 401)
		http_reply_header(r->reply, "WWW-Authenticate", "Bearer");
	if (problems[p].status == 503)
		http_reply_header(r->reply, "Retry-After",
			arena_printf(r->arena, "%lld", (long long)r->app->conf->retry_after_s));
	struct buf *b = &r->reply->body;
	buf_addf(b, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":", problems[p].title, problems[p].status);
	buf_addjson(b, str_from(detail));
	buf_addf(b, ",\"code\":\"%s\"", problems[p].code);
	return b;
}

enum outcome problem_close(struct req *r)
{
	buf_addc(&r->reply->body, '}');
	return OC_REFUSED;
}

enum outcome problem_reply(struct req *r, enum problem p, const char *detail)
{
	problem_open(r, p, detail);
	return problem_close(r);
}

enum outcome problem_of_body(struct req *r, enum outcome oc, int64_t max)
{
	if (oc == OC_CONFLICT)
		return problem_reply(r, PROBLEM_BODY_TOO_LARGE, arena_printf(r->arena, "At most %lld bytes are taken.", (long long)max));
	return problem_reply(r, PROBLEM_MALFORMED_REQUEST, "The body ended early, or Content-Length is no number.");
}

enum outcome problem_wait(struct req *r, int64_t seconds, const char *detail)
{
	problem_open(r, PROBLEM_RATE_LIMITED, detail);
	http_reply_header(r->reply, "Retry-After", arena_printf(r->arena, "%lld", (long long)seconds));
	return problem_close(r);
}

enum outcome problem_faults(struct req *r, const struct faults *f)
{
	struct buf *b = problem_open(r, PROBLEM_VALIDATION_FAILED,
		f->n == 1 ? "One member or parameter is not valid; see errors." : "Several members or parameters are not valid; see errors.");
	buf_adds(b, ",\"errors\":[");
	for (size_t i = 0; i < f->n; i++) {
		buf_adds(b, i ? ",{\"field\":" : "{\"field\":");
		buf_addjson(b, str_from(f->v[i].field));
		buf_adds(b, ",\"message\":");
		buf_addjson(b, str_from(f->v[i].message));
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
	return problem_close(r);
}

void problem_from_outcome(struct req *r, enum outcome oc)
{
	switch (oc) {
	case OC_OK:
	case OC_REFUSED:
		return;
	case OC_NOT_FOUND:
		problem_reply(r, PROBLEM_NOT_FOUND, "There is no such thing here.");
		return;
	case OC_BUSY:
		problem_reply(r, PROBLEM_UNAVAILABLE, "Too many others are changing the same thing.");
		return;
	case OC_DOWN:
		problem_reply(r, PROBLEM_UNAVAILABLE, "The database is not available.");
		return;
	case OC_CONFLICT:
		log_error("%.*s: a conflict that nobody foresaw", STR_FMT(r->http.path));
		break;
	case OC_BAD:
	case OC__MAX:
		break;
	}
	problem_reply(r, PROBLEM_INTERNAL, "The fault is ours and was logged.");
}
