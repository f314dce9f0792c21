/* image_webp.c - the chunks of a WebP file (RFC 9649): bitstreams, their alpha, frames of an animation. See image.h. */
#include "image_part.h"

#define RIFF_HEAD 12
#define CHUNK_HEAD 8
#define VP8X_SIZE 10
#define ANIM_SIZE 6
#define ANMF_HEAD 16

/* VP8X flags that are kept: what the kept chunks are. */
enum { HAS_ANIMATION = 0x02, HAS_ALPHA = 0x10 };

/* data has len bytes; what pads them to an even number is not looked at. */
struct chunk { const uint8_t *type, *data; uint32_t len; };

/* Chunks one after another from at to end. */
struct chunks { const uint8_t *s; size_t at, end; };

/* False: there is none, or it is cut short (at is not end then). */
static bool next_chunk(struct chunks *in, struct chunk *c)
{
	size_t left = in->end - in->at;
	if (left < CHUNK_HEAD)
		return false;
	c->type = in->s + in->at;
	c->data = c->type + CHUNK_HEAD;
	c->len = le32(c->type + 4);
	size_t padded = (size_t)c->len + (c->len & 1);
	if (padded > left - CHUNK_HEAD)
		return false;
	in->at += CHUNK_HEAD + padded;
	return true;
}

static bool is_type(const struct chunk *c, const char *type)
{
	return memcmp(c->type, type, 4) == 0;
}

static void put_head(struct image_writer *w, const char *type, uint32_t len)
{
	uint8_t head[CHUNK_HEAD];
	memcpy(head, type, 4);
	put_le32(head + 4, len);
	image_put(w, head, sizeof head);
}

static void put_chunk(struct image_writer *w, const struct chunk *c)
{
	image_put(w, c->type, CHUNK_HEAD + (size_t)c->len);
	image_put(w, "", c->len & 1);
}

struct size { uint32_t width, height; };

/* A key frame's head (RFC 6386 section 9.1). */
static bool read_vp8(const struct chunk *c, struct size *size)
{
	const uint8_t *p = c->data;
	if (c->len < 10 || p[0] & 1 || memcmp(p + 3, "\x9d\x01\x2a", 3) != 0 || le24(p) >> 5 > c->len - 10)
		return false;
	*size = (struct size){ le16(p + 6) & 0x3fff, le16(p + 8) & 0x3fff };
	return size->width && size->height;
}

static bool read_vp8l(const struct chunk *c, struct size *size)
{
	const uint8_t *p = c->data;
	if (c->len < 5 || p[0] != 0x2f || p[4] >> 5 != 0)
		return false;
	uint32_t bits = le32(p + 1);
	*size = (struct size){ (bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1 };
	return true;
}

/* One picture: VP8L, or VP8 with perhaps its alpha before it. The rest of in is read as well, and must be well formed. size is the
 * bitstream's. */
static bool put_picture(struct image_writer *w, struct chunks *in, struct size *size)
{
	struct chunk c, alpha = { 0 };
	bool has_picture = false;
	while (next_chunk(in, &c)) {
		bool is_lossy = is_type(&c, "VP8 "), is_lossless = is_type(&c, "VP8L");
		if (is_type(&c, "ALPH")) {
			if (has_picture || alpha.len || c.len < 2)
				return false;
			alpha = c;
		} else if (is_lossy || is_lossless) {
			if (has_picture || (is_lossless && alpha.len) || !(is_lossy ? read_vp8 : read_vp8l)(&c, size))
				return false;
			has_picture = true;
			if (alpha.len)
				put_chunk(w, &alpha);
			put_chunk(w, &c);
		} else if (is_type(&c, "VP8X") || is_type(&c, "ANIM") || is_type(&c, "ANMF")) {
			return false;
		}
	}
	return has_picture && in->at == in->end;
}

/* One frame, whose length is another without what is not kept. */
static bool put_frame(struct image_writer *w, const struct chunk *c, const struct image *canvas, struct size *size)
{
	if (c->len < ANMF_HEAD)
		return false;
	const uint8_t *p = c->data;
	uint32_t x = 2 * le24(p), y = 2 * le24(p + 3), width = le24(p + 6) + 1, height = le24(p + 9) + 1;
	struct chunks in = { c->data, ANMF_HEAD, c->len }, again = in;
	struct image_writer counter = { 0 };
	if (!put_picture(&counter, &in, size) || size->width != width || size->height != height)
		return false;
	if (x > canvas->width || width > canvas->width - x || y > canvas->height || height > canvas->height - y)
		return false;
	uint8_t head[ANMF_HEAD];
	memcpy(head, p, sizeof head);
	head[15] &= 3;		/* how it is blended and disposed of */
	put_head(w, "ANMF", (uint32_t)(ANMF_HEAD + counter.written));
	image_put(w, head, sizeof head);
	return put_picture(w, &again, size);
}

static enum image_verdict put_animation(struct image_writer *w, struct chunks *in, const struct image *canvas)
{
	struct chunk c;
	bool has_head = false;
	uint64_t pixels = 0;
	while (next_chunk(in, &c)) {
		struct size size;
		if (is_type(&c, "ANIM")) {
			if (has_head || c.len != ANIM_SIZE)
				return IMAGE_BROKEN;
			has_head = true;
			put_chunk(w, &c);
		} else if (is_type(&c, "ANMF")) {
			if (!has_head || !put_frame(w, &c, canvas, &size))
				return IMAGE_BROKEN;
			pixels += (uint64_t)size.width * size.height;
			if (pixels > IMAGE_PIXELS_MAX)
				return IMAGE_TOO_LARGE;
		} else if (is_type(&c, "VP8 ") || is_type(&c, "VP8L") || is_type(&c, "VP8X") || is_type(&c, "ALPH")) {
			return IMAGE_BROKEN;
		}
	}
	return pixels && in->at == in->end ? IMAGE_GOOD : IMAGE_BROKEN;
}

/* Whether the next chunk is the head of the extended form; only then it is taken. */
static bool take_extended(struct chunks *in, struct chunk *c)
{
	struct chunks ahead = *in;
	if (!next_chunk(&ahead, c) || !is_type(c, "VP8X"))
		return false;
	*in = ahead;
	return true;
}

/* All behind the file's head. */
static enum image_verdict put_body(struct image_writer *w, struct chunks *in, struct image *im)
{
	struct chunk c;
	struct size size = { 0, 0 };
	if (!take_extended(in, &c)) {
		if (!put_picture(w, in, &size))
			return IMAGE_BROKEN;
		im->width = size.width;
		im->height = size.height;
		return image_fits(size.width, size.height) ? IMAGE_GOOD : IMAGE_TOO_LARGE;
	}
	if (c.len != VP8X_SIZE)
		return IMAGE_BROKEN;
	uint8_t fresh[VP8X_SIZE] = { c.data[0] & (HAS_ANIMATION | HAS_ALPHA) };
	memcpy(fresh + 4, c.data + 4, 6);
	im->width = le24(fresh + 4) + 1;
	im->height = le24(fresh + 7) + 1;
	if (!image_fits(im->width, im->height))
		return IMAGE_TOO_LARGE;
	put_head(w, "VP8X", VP8X_SIZE);
	image_put(w, fresh, sizeof fresh);
	if (fresh[0] & HAS_ANIMATION)
		return put_animation(w, in, im);
	return put_picture(w, in, &size) && size.width == im->width && size.height == im->height ? IMAGE_GOOD : IMAGE_BROKEN;
}

enum image_verdict image_clean_webp(struct image_writer *w, const uint8_t *s, size_t n, struct image *im)
{
	uint32_t size = le32(s + 4);
	if (size < RIFF_HEAD - CHUNK_HEAD || size & 1 || size > n - CHUNK_HEAD)
		return IMAGE_BROKEN;
	struct chunks in = { s, RIFF_HEAD, CHUNK_HEAD + (size_t)size }, again = in;
	struct image_writer counter = { 0 };
	enum image_verdict v = put_body(&counter, &in, im);
	if (v != IMAGE_GOOD)
		return v;
	put_head(w, "RIFF", (uint32_t)(RIFF_HEAD - CHUNK_HEAD + counter.written));
	image_put(w, "WEBP", 4);
	return put_body(w, &again, im);
}
