/* image.h - photos that strangers send: what kind they are, and the same picture without anything else that may be in the file.
 * Owns: telling JPEG, PNG and WebP by content, which parts of them are kept. Pure, and decodes no pixel: what is kept is kept as it is, so no
 * quality is lost and nothing is ever unpacked. Does not own: files (upload_store.c).
 * Used by: upload.c, upload_store.c. */
#ifndef PICKUP_IMAGE_H
#define PICKUP_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "outcome.h"

enum image_kind { IMAGE_JPEG, IMAGE_PNG, IMAGE_WEBP, IMAGE_KIND__MAX };

enum image_verdict {
	IMAGE_GOOD,
	IMAGE_UNKNOWN,		/* none of the kinds */
	IMAGE_BROKEN,		/* not as its kind must be, or cut short, or of a sort that is hardly ever decoded */
	IMAGE_TOO_LARGE,	/* more than IMAGE_PIXELS_MAX, all frames together, or more scans than a picture needs */
	IMAGE_UNWRITTEN		/* the picture is good, but out->put said no */
};

/* Unpacked, a picture takes up to eight bytes for each. */
#define IMAGE_PIXELS_MAX UINT64_C(50000000)

struct image { enum image_kind kind; uint32_t width, height; };

/* Where the cleaned picture goes, piece by piece from its beginning. put: false where it can't take more. */
struct image_out { bool (*put)(void *ctx, const void *s, size_t len); void *ctx; };

/* Writes the picture that the n bytes at s hold, and *im, which is as good as the verdict. Kept are the parts that the pixels are decoded
 * from, and how a JPEG is to be turned; gone are places, times, texts, thumbnails, colour profiles, everything unknown, and what follows
 * the picture's end. Cleaning what was cleaned changes nothing. Where the verdict is not IMAGE_GOOD, what was written is of no use. */
must_check enum image_verdict image_clean(const uint8_t *s, size_t n, const struct image_out *out, struct image *im);

#endif
