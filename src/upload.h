/* upload.h - names and addresses of uploaded photos. Pure.
 * Owns: their form, media types. Does not own: files (upload_store.c), rows (db_upload.c).
 * Used by: endpoints, upload_store.c, relay_uploads.c. */
#ifndef PICKUP_UPLOAD_H
#define PICKUP_UPLOAD_H

#include "image.h"
#include "str.h"

/* "0f…e2.webp": 32 hexadecimal digits of chance, and the kind. Nobody can guess one, and none of a stranger's making is ever a path. */
#define UPLOAD_RANDOM_BYTES 16
#define UPLOAD_NAME_SIZE (2 * UPLOAD_RANDOM_BYTES + sizeof ".webp")	/* with its NUL */
struct upload_name { char s[UPLOAD_NAME_SIZE]; };

/* For so long a photo waits for an order. */
#define UPLOAD_UNUSED_HOURS 24

/* What clients know it by, before the name. */
#define UPLOAD_URL "/api/v1/uploads/"

struct upload_name upload_name_make(const uint8_t random[UPLOAD_RANDOM_BYTES], enum image_kind kind);
/* False: no name of ours; small letters alone count. */
must_check bool upload_name_parse(struct str s, struct upload_name *name, enum image_kind *kind);
/* The same of UPLOAD_URL and a name, and nothing else. */
must_check bool upload_url_parse(struct str url, struct upload_name *name);

const char *upload_media_type(enum image_kind kind);

#endif
