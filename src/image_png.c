/* image_png.c - the chunks of a PNG file (RFC 2083, W3C PNG): those that pixels are decoded from, and how their numbers are meant as colours.
 * See image.h. */
#include "image_part.h"

#define SIGNATURE_SIZE 8
/* Length and type before what a chunk holds, its check sum behind it. */
#define CHUNK_HEAD 8
#define CHUNK_EXTRA 12

struct chunk { const uint8_t *whole, *type, *data; uint32_t len; };

struct png {
	const uint8_t *s;
	size_t n, at;
	struct image_writer *w;
	struct image *im;
	uint32_t crc_table[256];
	uint8_t colour;			/* of the header: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha */
	uint32_t palette_len;		/* 0: none has come */
	uint32_t seen;			/* bit set of rows of rules */
	bool has_pixels, has_gap;	/* the pixels' chunks have come; and something other after them */
};

static void make_crc_table(uint32_t table[256])
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int k = 0; k < 8; k++)
			c = c & 1 ? UINT32_C(0xedb88320) ^ c >> 1 : c >> 1;
		table[i] = c;
	}
}

static uint32_t crc_of(const struct png *p, const uint8_t *s, size_t n)
{
	uint32_t c = UINT32_MAX;
	for (size_t i = 0; i < n; i++)
		c = p->crc_table[(c ^ s[i]) & 255] ^ c >> 8;
	return ~c;
}

/* False: it is cut short, or its check sum is another. */
static bool next_chunk(struct png *p, struct chunk *c)
{
	size_t left = p->n - p->at;
	if (left < CHUNK_EXTRA)
		return false;
	c->whole = p->s + p->at;
	c->len = be32(c->whole);
	if (c->len > INT32_MAX || c->len > left - CHUNK_EXTRA)
		return false;
	c->type = c->whole + 4;
	c->data = c->whole + CHUNK_HEAD;
	p->at += c->len + (size_t)CHUNK_EXTRA;
	return crc_of(p, c->type, c->len + (size_t)4) == be32(c->data + c->len);
}

static bool is_type(const struct chunk *c, const char *type)
{
	return memcmp(c->type, type, 4) == 0;
}

static bool is_depth_of(uint8_t colour, uint8_t depth)
{
	switch (colour) {
	case 0: return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
	case 3: return depth == 1 || depth == 2 || depth == 4 || depth == 8;
	case 2: case 4: case 6: return depth == 8 || depth == 16;
	default: return false;
	}
}

static enum image_verdict take_header(struct png *p, const struct chunk *c)
{
	if (!is_type(c, "IHDR") || c->len != 13)
		return IMAGE_BROKEN;
	p->im->width = be32(c->data);
	p->im->height = be32(c->data + 4);
	p->colour = c->data[9];
	bool is_good = p->im->width && p->im->height && p->im->width <= INT32_MAX && p->im->height <= INT32_MAX &&
		is_depth_of(p->colour, c->data[8]) && c->data[10] == 0 && c->data[11] == 0 && c->data[12] <= 1;
	if (!is_good)
		return IMAGE_BROKEN;
	return image_fits(p->im->width, p->im->height) ? IMAGE_GOOD : IMAGE_TOO_LARGE;
}

/* ---- what may be in a chunk ---- */

static bool is_palette(struct png *p, const struct chunk *c)
{
	p->palette_len = c->len;
	return c->len > 0 && c->len % 3 == 0 && c->len <= 768 && p->colour != 0 && p->colour != 4;
}

static bool is_transparency(struct png *p, const struct chunk *c)
{
	switch (p->colour) {
	case 0: return c->len == 2;
	case 2: return c->len == 6;
	case 3: return c->len > 0 && c->len <= p->palette_len / 3;
	default: return false;
	}
}

static bool is_gamma(struct png *p, const struct chunk *c)
{
	(void)p;
	return c->len == 4;
}

static bool is_srgb(struct png *p, const struct chunk *c)
{
	(void)p;
	return c->len == 1;
}

static bool is_chromaticity(struct png *p, const struct chunk *c)
{
	(void)p;
	return c->len == 32;
}

/* What may stand once before the pixels, and is kept there. */
static const struct { const char *type; bool (*is_good)(struct png *p, const struct chunk *c); bool is_before_palette; } rules[] = {
	{ "PLTE", is_palette, true }, { "tRNS", is_transparency, false }, { "gAMA", is_gamma, true }, { "sRGB", is_srgb, true },
	{ "cHRM", is_chromaticity, true },
};

/* A small letter says that the picture can be had without the chunk. */
static bool is_needed(const struct chunk *c)
{
	return !(c->type[0] & 32);
}

static enum image_verdict take_chunk(struct png *p, const struct chunk *c)
{
	if (is_type(c, "IDAT")) {
		if (p->has_gap || (p->colour == 3 && !p->palette_len))
			return IMAGE_BROKEN;
		p->has_pixels = true;
		image_put(p->w, c->whole, c->len + (size_t)CHUNK_EXTRA);
		return IMAGE_GOOD;
	}
	p->has_gap = p->has_pixels;
	for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++) {
		if (!is_type(c, rules[i].type))
			continue;
		bool is_late = p->has_pixels || p->seen & 1u << i || (rules[i].is_before_palette && p->palette_len);
		if (is_late)
			return is_needed(c) ? IMAGE_BROKEN : IMAGE_GOOD;
		p->seen |= 1u << i;
		image_put(p->w, c->whole, c->len + (size_t)CHUNK_EXTRA);
		return rules[i].is_good(p, c) ? IMAGE_GOOD : IMAGE_BROKEN;
	}
	return is_needed(c) ? IMAGE_BROKEN : IMAGE_GOOD;
}

enum image_verdict image_clean_png(struct image_writer *w, const uint8_t *s, size_t n, struct image *im)
{
	struct png p = { .s = s, .n = n, .at = SIGNATURE_SIZE, .w = w, .im = im };
	struct chunk c;
	make_crc_table(p.crc_table);
	if (!next_chunk(&p, &c))
		return IMAGE_BROKEN;
	enum image_verdict v = take_header(&p, &c);
	image_put(w, s, p.at);
	while (v == IMAGE_GOOD) {
		if (!next_chunk(&p, &c))
			return IMAGE_BROKEN;
		if (is_type(&c, "IEND"))
			break;
		v = take_chunk(&p, &c);
	}
	if (v != IMAGE_GOOD)
		return v;
	image_put(w, c.whole, CHUNK_EXTRA);
	return p.has_pixels && c.len == 0 ? IMAGE_GOOD : IMAGE_BROKEN;
}
