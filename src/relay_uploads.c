/* relay_uploads.c - removes photos that nobody needs any more: those that no order took, those of orders that were finished long ago, and
 * files without a row, which crashes leave.
 * Owns: which, how many at once, how often. Does not own: rows (db_upload.c), files (upload_store.c).
 * Used by: relay_prune.c, with the lease. A row goes before its file, so that no address ever leads to nothing that was promised. */
#include "relay.h"

#include "db_upload.h"
#include "log.h"
#include "upload_store.h"

#define SECOND_US INT64_C(1000000)
#define PAUSE_US (60 * SECOND_US)
#define MORE_US (SECOND_US / 10)
/* Between two walks over all files: what they look for is days old, or comes of crashes. */
#define REST_US (3600 * SECOND_US)
/* A photo on its way has no row yet, but no request takes so long. */
#define PASSING_S 3600

/* False: the database can't be asked now. */
static bool remove_one(struct relay *r, const struct upload_name *name, struct order_id order)
{
	enum outcome oc = db_upload_delete(r->db, name, order);
	if (oc == OC_CONFLICT)
		return true;	/* an order has just taken it */
	if (!relay_db_ok(r, oc))
		return false;
	upload_remove(r->conf->upload_dir, name);
	return true;
}

/* Gives how many there were. */
static size_t remove_unused(struct relay *r, instant now)
{
	struct upload_name names[UPLOADS_AT_ONCE];
	size_t n, done = 0;
	if (!relay_db_ok(r, db_uploads_unused(r->db, now - UPLOAD_UNUSED_HOURS * 3600 * INSTANT_SECOND, names, &n)))
		return 0;
	while (done < n && remove_one(r, &names[done], (struct order_id){ 0 }))
		done++;
	return done;
}

/* The next few files. Gives how many were looked at; 0: that was the last one. */
static size_t walk(struct relay *r, instant now)
{
	struct upload_name names[UPLOADS_AT_ONCE];
	struct upload_fate fates[UPLOADS_AT_ONCE];
	const char *dir = r->conf->upload_dir;
	size_t n = upload_list(dir, r->walked, (time_t)(now / INSTANT_SECOND) - PASSING_S, names, UPLOADS_AT_ONCE);
	if (n && !relay_db_ok(r, db_uploads_look(r->db, names, n, now - r->conf->upload_days * 86400 * INSTANT_SECOND, fates)))
		return n;
	for (size_t i = 0; i < n; i++) {
		if (!fates[i].is_known)
			upload_remove(dir, &names[i]);
		else if (fates[i].is_done && !remove_one(r, &names[i], fates[i].order_id))
			break;
	}
	if (n)
		return n;
	*r->walked = '\0';
	return upload_sweep(dir, (time_t)(now / INSTANT_SECOND) - PASSING_S, UPLOADS_AT_ONCE) ? 1 : 0;
}

void relay_uploads(struct relay *r)
{
	instant now = r->clock.now(&r->clock);
	bool is_more = false;
	if (*r->conf->upload_dir) {
		is_more = remove_unused(r, now) == UPLOADS_AT_ONCE;
		if (clock_mono() >= r->walk_at && relay_db_ready(r)) {
			bool is_walking = walk(r, now) > 0;
			is_more |= is_walking;
			if (!is_walking)
				r->walk_at = clock_mono() + REST_US;
		}
	}
	r->uploads_at = clock_mono() + (is_more ? MORE_US : PAUSE_US);
}
