/* image_part.h - what the cleaners of the single kinds share: numbers in bytes, and what is written.
 * Owns: struct image_writer. Used by: image*.c only. */
#ifndef PICKUP_IMAGE_PART_H
#define PICKUP_IMAGE_PART_H

#include <string.h>
#include "image.h"

/* Counts what is put, and passes it on where out is not NULL. */
struct image_writer { const struct image_out *out; uint64_t written; bool has_failed; };

static inline void image_put(struct image_writer *w, const void *s, size_t len)
{
	w->written += len;
	if (w->out && !w->has_failed && len)
		w->has_failed = !w->out->put(w->out->ctx, s, len);
}

static inline uint32_t be16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static inline uint32_t be32(const uint8_t *p) { return be16(p) << 16 | be16(p + 2); }
static inline uint32_t le16(const uint8_t *p) { return (uint32_t)p[1] << 8 | p[0]; }
static inline uint32_t le24(const uint8_t *p) { return (uint32_t)p[2] << 16 | le16(p); }
static inline uint32_t le32(const uint8_t *p) { return le16(p + 2) << 16 | le16(p); }

static inline void put_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static inline bool image_fits(uint32_t width, uint32_t height)
{
	return (uint64_t)width * height <= IMAGE_PIXELS_MAX;
}

/* Each takes a file whose first bytes are those of its kind. IMAGE_GOOD, IMAGE_BROKEN or IMAGE_TOO_LARGE. */
must_check enum image_verdict image_clean_jpeg(struct image_writer *w, const uint8_t *s, size_t n, struct image *im);
must_check enum image_verdict image_clean_png(struct image_writer *w, const uint8_t *s, size_t n, struct image *im);
must_check enum image_verdict image_clean_webp(struct image_writer *w, const uint8_t *s, size_t n, struct image *im);

#endif
