/* ep_upload.c - photos of shopping lists: taking one, showing one.
 * Owns: who may, how many, what is said of a photo that is not taken. Does not own: what a photo is (image.c), files (upload_store.c), the
 * order that takes one (ep_place.c). */
#include "ep.h"

#include "access.h"
#include "db_upload.h"
#include "problem.h"
#include "reply.h"
#include "upload_store.h"

struct uploading {
	struct req *r;
	struct upload_file file;
	struct upload_name name;
	uint64_t bytes;
};

/* Whether one more may wait for an order. The oldest one makes room when it is removed. */
static enum outcome check_room(struct req *r)
{
	uint64_t n;
	instant oldest;
	enum outcome oc = db_uploads_waiting(r->app->db, r->who.sub, &n, &oldest);
	if (oc != OC_OK || n < (uint64_t)r->app->conf->uploads_waiting)
		return oc;
	int64_t seconds = (oldest + UPLOAD_UNUSED_HOURS * 3600 * INSTANT_SECOND - r->now) / INSTANT_SECOND;
	problem_reply(r, PROBLEM_RATE_LIMITED, "Order with the photos that you have uploaded already.");
	http_reply_header(r->reply, "Retry-After", arena_printf(r->arena, "%lld", (long long)(seconds > 0 ? seconds : 0) + 60));
	return OC_REFUSED;
}

static enum outcome refuse_photo(struct req *r, const char *why)
{
	struct faults f = FAULTS_IN(r->arena);
	fault_add(&f, "body", "%s", why);
	return problem_faults(r, &f);
}

static enum outcome refuse_for_now(struct req *r)
{
	return problem_reply(r, PROBLEM_UNAVAILABLE, "Photos can't be stored just now.");
}

static enum outcome judge(struct req *r, enum image_verdict v)
{
	switch (v) {
	case IMAGE_GOOD:
		return OC_OK;
	case IMAGE_UNKNOWN:
		return problem_reply(r, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "Send a photo as JPEG, PNG or WebP.");
	case IMAGE_BROKEN:
		return refuse_photo(r, "is damaged or cut short");
	case IMAGE_TOO_LARGE:
		return refuse_photo(r, "must not have more than 50 megapixels");
	case IMAGE_UNWRITTEN:
		break;
	}
	return refuse_for_now(r);
}

/* From the request to a file that is there for good. */
static enum outcome receive(struct uploading *u)
{
	struct req *r = u->r;
	int64_t max = r->app->conf->upload_max;
	if (upload_file_open(&u->file, r->app->conf->upload_dir) != OC_OK)
		return refuse_for_now(r);
	enum outcome oc = http_req_stream(&r->http, r->io, (uint64_t)max, upload_file_add, &u->file);
	if (oc == OC_OK)
		oc = judge(r, upload_file_keep(&u->file, &u->name, &u->bytes));
	else
		oc = oc == OC_DOWN ? refuse_for_now(r) : problem_of_body(r, oc, max);
	upload_file_close(&u->file);
	return oc;
}

static enum outcome add_once(struct db *db, void *ctx)
{
	struct uploading *u = ctx;
	struct req *r = u->r;
	enum outcome oc = db_upload_lock(db, r->who.sub);
	if (oc == OC_NOT_FOUND)
		return problem_reply(r, PROBLEM_UNAUTHORIZED, "This account does not exist or is not active.");
	if (oc == OC_OK)
		oc = check_room(r);
	return oc == OC_OK ? db_upload_insert(db, &u->name, r->who.sub, u->bytes, r->now) : oc;
}

/* The row. Without one the file is nobody's; where it can't be told whether there is one, the relay looks later. */
static enum outcome add_row(struct uploading *u)
{
	struct app *app = u->r->app;
	/* What the photo's way and the disk have taken is none of the database's time. */
	db_end(app->db);
	db_begin(app->db);
	enum outcome oc = db_transact(app->db, add_once, u);
	if (oc != OC_OK && oc != OC_DOWN)
		upload_remove(app->conf->upload_dir, &u->name);
	return oc;
}

enum outcome ep_upload_add(struct req *r)
{
	struct uploading u = { .r = r };
	enum outcome oc = check_room(r);
	if (oc == OC_OK)
		oc = receive(&u);
	if (oc == OC_OK)
		oc = add_row(&u);
	if (oc != OC_OK)
		return oc;
	const char *url = arena_printf(r->arena, UPLOAD_URL "%s", u.name.s);
	buf_addf(reply_json(r, 201), "{\"list_image_url\":\"%s\"}", url);
	http_reply_header(r->reply, "Location", url);
	return OC_OK;
}

/* Its customer, and the people of the shop that it was sent to. For all others it is not there. */
static enum outcome check_reader(struct req *r, const struct upload_row *row)
{
	if (r->who.role == ROLE_CUSTOMER && r->who.sub.v == row->customer_id.v)
		return OC_OK;
	enum outcome oc = row->shop_id.v ? access_shop(r, row->shop_id) : OC_NOT_FOUND;
	return oc == OC_REFUSED ? OC_NOT_FOUND : oc;
}

/* Whoever's browser is talked into showing it as a page gets one that can do nothing. (nginx says the same where it sends the file.) */
static enum outcome send_file(struct req *r, const struct upload_name *name)
{
	struct str *file = arena_alloc(r->arena, sizeof *file);
	enum outcome oc = upload_map(r->app->conf->upload_dir, name, file);
	if (oc != OC_OK)
		return oc == OC_DOWN ? refuse_for_now(r) : oc;
	arena_defer(r->arena, upload_unmap, file);
	r->reply->file = *file;
	http_reply_header(r->reply, "Cache-Control", "private, max-age=3600");
	http_reply_header(r->reply, "X-Content-Type-Options", "nosniff");
	http_reply_header(r->reply, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox");
	return OC_OK;
}

enum outcome ep_upload_get(struct req *r)
{
	struct upload_name name;
	enum image_kind kind;
	struct upload_row row;
	const char *accel = r->app->conf->upload_accel;
	if (!upload_name_parse(r->name, &name, &kind))
		return OC_NOT_FOUND;
	enum outcome oc = db_upload_get(r->app->db, &name, &row);
	if (oc == OC_OK)
		oc = check_reader(r, &row);
	if (oc == OC_OK && !*accel)
		oc = send_file(r, &name);
	if (oc != OC_OK)
		return oc;
	r->reply->status = 200;
	r->reply->content_type = upload_media_type(kind);
	if (*accel)
		http_reply_header(r->reply, "X-Accel-Redirect", arena_printf(r->arena, "%s%.2s/%s", accel, name.s, name.s));
	return OC_OK;
}
