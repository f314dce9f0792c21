/* fuzz_image.c - any bytes as a photo: what is kept is a picture of the same kind and size, shorter or hardly longer, and cleaning it again
 * changes nothing. Tried twice: as it is, and with the check sums of PNG chunks put right, which chance never would.
 * Owns: what must hold whatever comes in. Built with libFuzzer (README). */
#include <stdlib.h>
#include <string.h>
#include "image.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

struct made { uint8_t *s; size_t n, room; };

static bool put(void *ctx, const void *s, size_t len)
{
	struct made *m = ctx;

	must(len > 0 && len <= m->room - m->n);
	memcpy(m->s + m->n, s, len);
	m->n += len;
	return true;
}

static void try(const uint8_t *data, size_t size)
{
	struct made once = { malloc(2 * size + 64), 0, 2 * size + 64 }, twice = { malloc(2 * size + 64), 0, 2 * size + 64 };
	struct image im, im2;
	enum image_verdict v = image_clean(data, size, &(struct image_out){ put, &once }, &im);

	must(image_clean(data, size, NULL, &im2) == v);
	if (v == IMAGE_GOOD) {
		must(once.n <= size + 8);
		must((uint64_t)im.width * im.height > 0 && (uint64_t)im.width * im.height <= IMAGE_PIXELS_MAX);
		must(image_clean(once.s, once.n, &(struct image_out){ put, &twice }, &im2) == IMAGE_GOOD);
		must(twice.n == once.n && memcmp(once.s, twice.s, once.n) == 0);
		must(im.kind == im2.kind && im.width == im2.width && im.height == im2.height);
	}
	free(once.s);
	free(twice.s);
}

static uint32_t crc_of(const uint8_t *s, size_t n)
{
	uint32_t c = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		c ^= s[i];
		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (c & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~c;
}

static void mend(uint8_t *s, size_t n)
{
	for (size_t at = 8; n - at >= 12; ) {
		size_t len = (size_t)s[at] << 24 | (size_t)s[at + 1] << 16 | (size_t)s[at + 2] << 8 | s[at + 3];

		if (len > n - at - 12)
			return;
		uint32_t crc = crc_of(s + at + 4, len + 4);
		for (int i = 0; i < 4; i++)
			s[at + 8 + len + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
		at += len + 12;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try(data, size);
	if (size >= 20 && memcmp(data, "\x89PNG", 4) == 0) {
		uint8_t *copy = malloc(size);
		memcpy(copy, data, size);
		mend(copy, size);
		try(copy, size);
		free(copy);
	}
	return 0;
}
