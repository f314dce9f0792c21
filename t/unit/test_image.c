/* test_image.c - photos: what is kept of each kind and what goes, and what is none. Whether real decoders see the same picture:
 * t/stack/test_uploads.py.
 * Owns: tests of image*.c. Used by: make check. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "leaks.h"

struct bytes { const char *s; size_t n; };
#define B(lit) { "" lit, sizeof(lit) - 1 }
#define NONE { NULL, 0 }
#define ROOM 65536

struct made { char s[ROOM]; size_t n, limit; };

static bool put(void *ctx, const void *s, size_t len)
{
	struct made *m = ctx;
	cr_assert(len <= ROOM - m->n);
	memcpy(m->s + m->n, s, len);
	m->n += len;
	return m->n <= m->limit;
}

static void add(struct made *m, struct bytes b)
{
	cr_assert(b.n <= ROOM - m->n);
	if (b.n)
		memcpy(m->s + m->n, b.s, b.n);
	m->n += b.n;
}

/* In memory of just that size, so that a sanitizer sees who reads on. */
static enum image_verdict clean(const char *s, size_t n, struct made *out, struct image *im)
{
	uint8_t *copy = malloc(n + !n);
	memcpy(copy, s, n);
	out->n = 0;
	enum image_verdict v = image_clean(copy, n, &(struct image_out){ put, out }, im);
	free(copy);
	return v;
}

static struct made *new_made(void)
{
	struct made *m = calloc(1, sizeof *m);
	m->limit = ROOM;
	return m;
}

/* What must hold of every good one: the wanted bytes, again the same, and no silence about a full disk. */
static void expect_good(const char *name, const char *s, size_t n, const char *wanted, size_t wanted_n)
{
	struct made *out = new_made(), *again = new_made();
	struct image im, im2;
	cr_expect_eq(clean(s, n, out, &im), IMAGE_GOOD, "%s", name);
	cr_expect(out->n == wanted_n && memcmp(out->s, wanted, wanted_n) == 0, "%s: %zu bytes, wanted %zu", name, out->n, wanted_n);
	cr_expect_eq(clean(out->s, out->n, again, &im2), IMAGE_GOOD, "%s, cleaned", name);
	cr_expect(again->n == out->n && memcmp(again->s, out->s, out->n) == 0, "%s: cleaning again changes it", name);
	cr_expect(im.kind == im2.kind && im.width == im2.width && im.height == im2.height, "%s", name);
	for (again->limit = 0; again->limit < out->n; again->limit += 1 + out->n / 50)
		cr_expect_eq(clean(s, n, again, &im), IMAGE_UNWRITTEN, "%s: %zu", name, again->limit);
	free(out);
	free(again);
}

static void expect_bad(const char *name, const char *s, size_t n, enum image_verdict wanted)
{
	struct made *out = new_made();
	struct image im;
	cr_expect_eq(clean(s, n, out, &im), wanted, "%s", name);
	free(out);
}

/* None of its beginnings is a picture. */
static void expect_whole(const char *name, const char *s, size_t n)
{
	struct made *out = new_made();
	struct image im;
	for (size_t len = 0; len < n; len++)
		cr_expect_neq(clean(s, len, out, &im), IMAGE_GOOD, "%s: the first %zu of %zu", name, len, n);
	free(out);
}

/* ---- JPEG ---- */

#define START "\xff\xd8"
#define Q8 "\x10\x10\x10\x10\x10\x10\x10\x10"
#define DQT "\xff\xdb\x00\x43\x00" Q8 Q8 Q8 Q8 Q8 Q8 Q8 Q8
#define SOF_OF(code, h, w) "\xff" code "\x00\x0b\x08" h w "\x01\x01\x11\x00"
#define SOF SOF_OF("\xc0", "\x00\x08", "\x00\x10")
#define DHT "\xff\xc4\x00\x14\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05"
#define SOS "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
#define DATA "\x12\xff\x00\x34\xff\xd0\x56\xff\xff\x00\x07"
#define SCAN SOS DATA
#define END "\xff\xd9"
#define TAIL DQT SOF DHT SCAN END
/* Exif that says "turn by a quarter", as it is written here. */
#define TURN(o) "\xff\xe1\x00\x22" "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" o "\0\0\0\0\0\0"
#define IFD_II(o) "II*\0\x08\0\0\0\x02\0\x12\x01\x03\0\x01\0\0\0" o "\0\0\0\x25\x88\x04\0\x01\0\0\0\x26\0\0\0\0\0\0\0"

static const struct { const char *name; struct bytes in, out; } jpegs[] = {
	{ "plain", B(START TAIL), B(START TAIL) },
	{ "a zip behind the end", B(START TAIL "PK\x03\x04\x14\0\0\0evil.class"), B(START TAIL) },
	{ "another picture behind the end", B(START TAIL START TAIL), B(START TAIL) },
	{ "a script in a comment", B(START "\xff\xfe\x00\x18*/=1;alert('photo')/*x" TAIL), B(START TAIL) },
	{ "a comment between scans", B(START DQT SOF DHT SCAN "\xff\xfe\x00\x06" "evil" SCAN END), B(START DQT SOF DHT SCAN SCAN END) },
	{ "JFIF with a thumbnail", B(START "\xff\xe0\x00\x13JFIF\0\x01\x02\x01\x00\x48\x00\x49\x01\x01RGB" TAIL),
		B(START "\xff\xe0\x00\x10JFIF\0\x01\x02\x01\x00\x48\x00\x49\0\0" TAIL) },
	{ "JFIF whose length hides something", B(START "\xff\xe0\x00\x1dJFIF\0\x01\x02\x01\x00\x48\x00\x49\x00\x00<script>alert" TAIL),
		B(START "\xff\xe0\x00\x10JFIF\0\x01\x02\x01\x00\x48\x00\x49\0\0" TAIL) },
	{ "JFIF twice, JFXX, and one too short", B(START "\xff\xe0\x00\x10JFIF\0\x01\x02\x01\x00\x48\x00\x49\0\0" "\xff\xe0\x00\x10JFIF\0\x01\x01\x00\x00\x01\x00\x01\0\0"
		"\xff\xe0\x00\x08JFXX\0\x10" "\xff\xe0\x00\x07JFIF\0" TAIL), B(START "\xff\xe0\x00\x10JFIF\0\x01\x02\x01\x00\x48\x00\x49\0\0" TAIL) },
	{ "Adobe's colours", B(START "\xff\xee\x00\x10" "Adobe\x01\x64\x80\x01\x02\x03\x02xx" TAIL), B(START "\xff\xee\x00\x0e" "Adobe\0\x64\0\0\0\0\x02" TAIL) },
	{ "Exif with a place, turned", B(START "\xff\xe1\x00\x2e" "Exif\0\0" IFD_II("\x06") TAIL), B(START TURN("\x06") TAIL) },
	{ "Exif as it is written here", B(START TURN("\x08") TAIL), B(START TURN("\x08") TAIL) },
	{ "Exif, upright", B(START "\xff\xe1\x00\x2e" "Exif\0\0" IFD_II("\x01") TAIL), B(START TAIL) },
	{ "Exif with no such turn", B(START "\xff\xe1\x00\x2e" "Exif\0\0" IFD_II("\x09") TAIL), B(START TAIL) },
	{ "Exif twice: the first counts", B(START TURN("\x03") TURN("\x06") TAIL), B(START TURN("\x03") TAIL) },
	{ "Exif that says nothing, then one", B(START "\xff\xe1\x00\x08" "Exif\0\0" TURN("\x06") TAIL), B(START TAIL) },
	{ "Exif whose directory is elsewhere", B(START "\xff\xe1\x00\x10" "Exif\0\0MM\0*\xff\xff\xff\xff" TAIL), B(START TAIL) },
	{ "Exif whose directory is at its end", B(START "\xff\xe1\x00\x12" "Exif\0\0MM\0*\0\0\0\x08\0\xff" TAIL), B(START TAIL) },
	{ "Exif behind the first scan", B(START DQT SOF DHT SCAN TURN("\x06") SCAN END), B(START DQT SOF DHT SCAN SCAN END) },
	{ "XMP, a profile, Photoshop's, unknown", B(START "\xff\xe1\x00\x1fhttp://ns.adobe.com/xap/1.0/\0" "\xff\xe2\x00\x0eICC_PROFILE\0" "\xff\xed\x00\x06" "8BIM"
		"\xff\xef\x00\x02" TAIL), B(START TAIL) },
	{ "filled up before a marker", B(START "\xff\xff\xff" DQT SOF DHT SCAN "\xff\xff" END), B(START TAIL) },
	{ "markers that stand alone", B(START "\xff\x01\xff\xd0\xff\xd7" TAIL), B(START TAIL) },
	{ "restart interval, arithmetic tables", B(START "\xff\xdd\x00\x04\x00\x01" "\xff\xcc\x00\x04\x00\x10" TAIL), B(START "\xff\xdd\x00\x04\x00\x01" "\xff\xcc\x00\x04\x00\x10" TAIL) },
	{ "progressive", B(START DQT SOF_OF("\xc2", "\x00\x08", "\x00\x10") DHT SCAN DHT SCAN END), B(START DQT SOF_OF("\xc2", "\x00\x08", "\x00\x10") DHT SCAN DHT SCAN END) },
	{ "the height once more", B(START DQT SOF DHT SCAN "\xff\xdc\x00\x04\x00\x08" SCAN END), B(START DQT SOF DHT SCAN "\xff\xdc\x00\x04\x00\x08" SCAN END) },
	{ "sampling factors of four", B(START DQT "\xff\xc0\x00\x0b\x08\x00\x08\x00\x10\x01\x01\x44\x00" DHT SCAN END),
		B(START DQT "\xff\xc0\x00\x0b\x08\x00\x08\x00\x10\x01\x01\x44\x00" DHT SCAN END) },
	{ "50 megapixels", B(START DQT SOF_OF("\xc0", "\x13\x88", "\x27\x10") DHT SCAN END), B(START DQT SOF_OF("\xc0", "\x13\x88", "\x27\x10") DHT SCAN END) },
};

static const struct { const char *name; struct bytes in; enum image_verdict verdict; } bad_jpegs[] = {
	{ "nothing but its beginning", B(START "\xff"), IMAGE_BROKEN },
	{ "no frame", B(START DQT DHT SCAN END), IMAGE_BROKEN },
	{ "no scan", B(START DQT SOF DHT END), IMAGE_BROKEN },
	{ "two frames", B(START DQT SOF SOF DHT SCAN END), IMAGE_BROKEN },
	{ "lossless", B(START DQT SOF_OF("\xc3", "\x00\x08", "\x00\x10") DHT SCAN END), IMAGE_BROKEN },
	{ "hierarchical", B(START "\xff\xde\x00\x0b\x08\x00\x08\x00\x10\x01\x01\x11\x00" TAIL), IMAGE_BROKEN },
	{ "no height", B(START DQT SOF_OF("\xc0", "\x00\x00", "\x00\x10") DHT SCAN END), IMAGE_BROKEN },
	{ "no width", B(START DQT SOF_OF("\xc0", "\x00\x08", "\x00\x00") DHT SCAN END), IMAGE_BROKEN },
	{ "another height afterwards", B(START DQT SOF DHT SCAN "\xff\xdc\x00\x04\xff\xff" END), IMAGE_BROKEN },
	{ "a height beforehand", B(START DQT SOF DHT "\xff\xdc\x00\x04\x00\x08" SCAN END), IMAGE_BROKEN },
	{ "five components", B(START DQT "\xff\xc0\x00\x17\x08\x00\x08\x00\x10\x05\x01\x11\x00\x02\x11\x00\x03\x11\x00\x04\x11\x00\x05\x11\x00" DHT SCAN END), IMAGE_BROKEN },
	{ "a sampling factor of none", B(START DQT "\xff\xc0\x00\x0b\x08\x00\x08\x00\x10\x01\x01\x01\x00" DHT SCAN END), IMAGE_BROKEN },
	{ "no sampling factor downward", B(START DQT "\xff\xc0\x00\x0b\x08\x00\x08\x00\x10\x01\x01\x10\x00" DHT SCAN END), IMAGE_BROKEN },
	{ "a sampling factor of five", B(START DQT "\xff\xc0\x00\x0b\x08\x00\x08\x00\x10\x01\x01\x51\x00" DHT SCAN END), IMAGE_BROKEN },
	{ "a sampling factor of five downward", B(START DQT "\xff\xc0\x00\x0b\x08\x00\x08\x00\x10\x01\x01\x15\x00" DHT SCAN END), IMAGE_BROKEN },
	{ "a scan of another component", B(START DQT SOF DHT "\xff\xda\x00\x08\x01\x02\x00\x00\x3f\x00" DATA END), IMAGE_BROKEN },
	{ "a scan of two where there is one", B(START DQT SOF DHT "\xff\xda\x00\x0a\x02\x01\x00\x01\x00\x00\x3f\x00" DATA END), IMAGE_BROKEN },
	{ "a length of one", B(START "\xff\xfe\x00\x01" TAIL), IMAGE_BROKEN },
	{ "a length beyond the end", B(START "\xff\xfe\xff\xff" TAIL), IMAGE_BROKEN },
	{ "a frame longer than it says", B(START DQT "\xff\xc0\x00\x0c\x08\x00\x08\x00\x10\x01\x01\x11\x00\x00" DHT SCAN END), IMAGE_BROKEN },
	{ "a quantisation table cut short", B(START "\xff\xdb\x00\x42\x00" Q8 Q8 Q8 Q8 Q8 Q8 Q8 "\1\1\1\1\1\1\1" SOF DHT SCAN END), IMAGE_BROKEN },
	{ "a quantisation table of no such number", B(START "\xff\xdb\x00\x43\x04" Q8 Q8 Q8 Q8 Q8 Q8 Q8 Q8 SOF DHT SCAN END), IMAGE_BROKEN },
	{ "a Huffman table with more codes than bytes", B(START DQT SOF "\xff\xc4\x00\x14\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05" SCAN END), IMAGE_BROKEN },
	{ "a Huffman table cut short", B(START DQT SOF "\xff\xc4\x00\x04\x00\x01" SCAN END), IMAGE_BROKEN },
	{ "a picture within the picture", B(START START TAIL), IMAGE_BROKEN },
	{ "something between segments", B(START DQT "x" SOF DHT SCAN END), IMAGE_BROKEN },
	{ "a zero between segments", B(START DQT "\xff\x00" SOF DHT SCAN END), IMAGE_BROKEN },
	{ "a reserved marker", B(START "\xff\x02\x00\x02" TAIL), IMAGE_BROKEN },
	{ "a bomb", B(START DQT SOF_OF("\xc0", "\xff\xff", "\xff\xff") DHT SCAN END), IMAGE_TOO_LARGE },
	{ "a line more than 50 megapixels", B(START DQT SOF_OF("\xc0", "\x13\x89", "\x27\x10") DHT SCAN END), IMAGE_TOO_LARGE },
};

Test(image, jpeg_keeps_the_picture)
{
	for (size_t i = 0; i < sizeof jpegs / sizeof *jpegs; i++)
		expect_good(jpegs[i].name, jpegs[i].in.s, jpegs[i].in.n, jpegs[i].out.s, jpegs[i].out.n);
	cr_assert(no_leaks());
}

Test(image, jpeg_that_is_none)
{
	for (size_t i = 0; i < sizeof bad_jpegs / sizeof *bad_jpegs; i++)
		expect_bad(bad_jpegs[i].name, bad_jpegs[i].in.s, bad_jpegs[i].in.n, bad_jpegs[i].verdict);
	expect_whole("plain", START TAIL, sizeof(START TAIL) - 1);
	expect_whole("turned", START TURN("\6") TAIL, sizeof(START TURN("\6") TAIL) - 1);
}

Test(image, jpeg_with_more_scans_than_a_picture_needs)
{
	for (int scans = 100; scans <= 101; scans++) {
		struct made *m = new_made();
		add(m, (struct bytes)B(START DQT SOF DHT));
		for (int i = 0; i < scans; i++)
			add(m, (struct bytes)B(SCAN));
		add(m, (struct bytes)B(END));
		if (scans == 100)
			expect_good("100 scans", m->s, m->n, m->s, m->n);
		else
			expect_bad("101 scans", m->s, m->n, IMAGE_TOO_LARGE);
		free(m);
	}
}

/* ---- PNG ---- */

#define SIGNATURE "\x89PNG\r\n\x1a\n"
#define IHDR_OF(w, h, depth, colour) { "IHDR", B(w h depth colour "\0\0\0"), true }
#define RGB IHDR_OF("\0\0\0\x10", "\0\0\0\x08", "\x08", "\x02")
#define PALETTE IHDR_OF("\0\0\0\x10", "\0\0\0\x08", "\x08", "\x03")
#define GREY IHDR_OF("\0\0\0\x10", "\0\0\0\x08", "\x01", "\x00")
#define KEPT(type, data) { type, B(data), true }
#define GONE(type, data) { type, B(data), false }
#define IDAT KEPT("IDAT", "x\x9c\x03\0\0\0\0\x01")
#define IEND KEPT("IEND", "")
#define CHROMATICITY "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1"

struct part { const char *type; struct bytes data; bool is_kept; };
#define PARTS_MAX 12
struct png_row { const char *name; struct part parts[PARTS_MAX]; struct bytes tail; };

static const struct png_row pngs[] = {
	{ "plain", { RGB, IDAT, IEND }, NONE },
	{ "a zip behind the end", { RGB, IDAT, IEND }, B("PK\x03\x04") },
	{ "texts, a time, Exif, a profile", { RGB, GONE("tEXt", "Author\0me"), GONE("zTXt", "a\0\0x"), GONE("iTXt", "XML:com.adobe.xmp\0\0\0\0\0<x/>"),
		GONE("tIME", "\x07\xea\1\1\1\1\1"), GONE("eXIf", "MM\0*\0\0\0\x08\0\0"), GONE("iCCP", "p\0\0x"), GONE("pHYs", "\0\0\0\1\0\0\0\1\0"), IDAT, GONE("tEXt", "a\0b"), IEND }, NONE },
	{ "an animation's first picture", { RGB, GONE("acTL", "\0\0\0\1\0\0\0\0"), GONE("fcTL", "\0\0\0\0"), IDAT, GONE("fdAT", "\0\0\0\1x"), IEND }, NONE },
	{ "unknown, with a script", { RGB, GONE("prVt", "<script>alert(1)</script>"), IDAT, IEND }, NONE },
	{ "colours", { RGB, KEPT("gAMA", "\0\0\xb1\x8f"), KEPT("sRGB", "\0"), KEPT("cHRM", CHROMATICITY), KEPT("tRNS", "\0\1\0\2\0\3"), IDAT, IEND }, NONE },
	{ "colours twice, and too late", { RGB, KEPT("gAMA", "\0\0\xb1\x8f"), GONE("gAMA", "\0\0\0\1"), IDAT, GONE("sRGB", "\0"), GONE("tRNS", "\0\1\0\2\0\3"), IEND }, NONE },
	{ "a palette, partly seen through", { PALETTE, KEPT("PLTE", "\1\2\3\4\5\6"), KEPT("tRNS", "\x80\xff"), IDAT, IEND }, NONE },
	{ "a palette, colours behind it", { PALETTE, KEPT("PLTE", "\1\2\3"), GONE("gAMA", "\0\0\xb1\x8f"), IDAT, IEND }, NONE },
	{ "a palette as a hint", { RGB, KEPT("PLTE", "\1\2\3"), IDAT, IEND }, NONE },
	{ "grey, one value seen through", { GREY, KEPT("tRNS", "\0\1"), IDAT, IEND }, NONE },
	{ "pixels in several pieces", { RGB, IDAT, KEPT("IDAT", ""), IDAT, IEND }, NONE },
	{ "interlaced", { KEPT("IHDR", "\0\0\0\x10\0\0\0\x08\x10\x06\0\0\1"), IDAT, IEND }, NONE },
	{ "50 megapixels", { IHDR_OF("\0\0\x27\x10", "\0\0\x13\x88", "\x08", "\x02"), IDAT, IEND }, NONE },
};

static const struct { struct png_row row; enum image_verdict verdict; } bad_pngs[] = {
	{ { "no header", { IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "Apple's own", { KEPT("CgBI", "\x50\0\x20\x02"), RGB, IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "two headers", { RGB, RGB, IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "a short header", { KEPT("IHDR", "\0\0\0\x10\0\0\0\x08\x08\x02\0\0"), IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "no pixels", { RGB, IEND }, NONE }, IMAGE_BROKEN },
	{ { "no end", { RGB, IDAT }, NONE }, IMAGE_BROKEN },
	{ { "an end with something in it", { RGB, IDAT, KEPT("IEND", "x") }, NONE }, IMAGE_BROKEN },
	{ { "no width", { IHDR_OF("\0\0\0\0", "\0\0\0\x08", "\x08", "\x02"), IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "no height", { IHDR_OF("\0\0\0\x10", "\0\0\0\0", "\x08", "\x02"), IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "a width below none", { IHDR_OF("\x80\0\0\0", "\0\0\0\x08", "\x08", "\x02"), IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "no such compression", { KEPT("IHDR", "\0\0\0\x10\0\0\0\x08\x08\x02\1\0\0"), IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "no such interlacing", { KEPT("IHDR", "\0\0\0\x10\0\0\0\x08\x08\x02\0\0\2"), IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "a palette that is missing", { PALETTE, IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "a palette of half a colour", { PALETTE, KEPT("PLTE", "\1\2\3\4"), IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "a palette for grey", { GREY, KEPT("PLTE", "\1\2\3"), IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "a palette twice", { PALETTE, KEPT("PLTE", "\1\2\3"), KEPT("PLTE", "\1\2\3"), IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "a palette too late", { RGB, IDAT, KEPT("PLTE", "\1\2\3"), IEND }, NONE }, IMAGE_BROKEN },
	{ { "seen through more than there are", { PALETTE, KEPT("PLTE", "\1\2\3"), KEPT("tRNS", "\1\2"), IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "a gamma of no length", { RGB, KEPT("gAMA", ""), IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "something needed that is unknown", { RGB, KEPT("EVIL", "x"), IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "pixels with something between", { RGB, IDAT, GONE("tEXt", "a\0b"), IDAT, IEND }, NONE }, IMAGE_BROKEN },
	{ { "a bomb", { IHDR_OF("\x7f\xff\xff\xff", "\x7f\xff\xff\xff", "\x08", "\x02"), IDAT, IEND }, NONE }, IMAGE_TOO_LARGE },
	{ { "a line more than 50 megapixels", { IHDR_OF("\0\0\x27\x10", "\0\0\x13\x89", "\x08", "\x02"), IDAT, IEND }, NONE }, IMAGE_TOO_LARGE },
};

static void add_be32(struct made *m, uint32_t v)
{
	char s[4] = { (char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v };
	add(m, (struct bytes){ s, 4 });
}

/* Another way than the one under test. */
static uint32_t crc_of(const char *s, size_t n)
{
	uint32_t c = UINT32_MAX;
	for (size_t i = 0; i < n; i++) {
		c ^= (unsigned char)s[i];
		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (c & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~c;
}

static void add_chunk(struct made *m, const struct part *p)
{
	add_be32(m, (uint32_t)p->data.n);
	size_t at = m->n;
	add(m, (struct bytes){ p->type, 4 });
	add(m, p->data);
	add_be32(m, crc_of(m->s + at, m->n - at));
}

static void make_png(const struct png_row *row, struct made *in, struct made *out)
{
	in->n = out->n = 0;
	add(in, (struct bytes)B(SIGNATURE));
	add(out, (struct bytes)B(SIGNATURE));
	for (const struct part *p = row->parts; p < row->parts + PARTS_MAX && p->type; p++) {
		add_chunk(in, p);
		if (p->is_kept)
			add_chunk(out, p);
	}
	add(in, row->tail);
}

Test(image, png_keeps_the_picture)
{
	struct made *in = new_made(), *out = new_made();
	for (size_t i = 0; i < sizeof pngs / sizeof *pngs; i++) {
		make_png(&pngs[i], in, out);
		expect_good(pngs[i].name, in->s, in->n, out->s, out->n);
		expect_whole(pngs[i].name, in->s, in->n - pngs[i].tail.n);
	}
	free(in);
	free(out);
	cr_assert(no_leaks());
}

static void expect_png(const struct png_row *row, bool is_good)
{
	struct made *in = new_made(), *out = new_made();
	make_png(row, in, out);
	is_good ? expect_good(row->name, in->s, in->n, out->s, out->n) : expect_bad(row->name, in->s, in->n, IMAGE_BROKEN);
	free(in);
	free(out);
}

/* Which goes with which colours, and how long a palette may be: W3C PNG, tables 9 and 12. */
Test(image, png_depths_and_palettes)
{
	static const char many[257 * 3], *const depths[8] = { "\1\2\4\10\20", "", "\10\20", "\1\2\4\10", "\10\20", "", "\10\20", "" };
	for (int depth = 0; depth <= 17; depth++)
		for (int colour = 0; colour < 8; colour++) {
			const char head[13] = { 0, 0, 0, 16, 0, 0, 0, 8, (char)depth, (char)colour };
			const struct part palette = KEPT("PLTE", "\1\2\3"), pixels = IDAT;
			expect_png(&(struct png_row){ "a depth", { { "IHDR", { head, 13 }, true }, colour == 3 ? palette : pixels, IDAT, IEND }, NONE },
				depth && strchr(depths[colour], depth));
		}
	for (size_t n = 1; n <= 257; n++)
		expect_png(&(struct png_row){ "a palette", { PALETTE, { "PLTE", { many, 3 * n }, true }, { "tRNS", { many, n }, true }, IDAT, IEND }, NONE },
			n <= 256);
	cr_assert(no_leaks());
}

Test(image, png_that_is_none)
{
	struct made *in = new_made(), *out = new_made();
	for (size_t i = 0; i < sizeof bad_pngs / sizeof *bad_pngs; i++) {
		make_png(&bad_pngs[i].row, in, out);
		expect_bad(bad_pngs[i].row.name, in->s, in->n, bad_pngs[i].verdict);
	}
	/* each bit of a file counts: lengths, types, contents, check sums */
	make_png(&pngs[2], in, out);
	for (size_t i = 8 * 8; i < in->n * 8; i++) {
		in->s[i / 8] ^= (char)(1 << i % 8);
		expect_bad("a bit changed", in->s, in->n, IMAGE_BROKEN);
		in->s[i / 8] ^= (char)(1 << i % 8);
	}
	free(in);
	free(out);
}

/* ---- WebP ---- */

/* 16 by 8 pixels */
#define VP8_DATA "\x10\0\0\x9d\x01\x2a\x10\0\x08\0xyz"
#define VP8 "VP8 \x0d\0\0\0" VP8_DATA "\0"
#define VP8L "VP8L\x06\0\0\0\x2f\x0f\xc0\x01\x10x"
#define ALPH "ALPH\x04\0\0\0\1abc"
#define VP8X_OF(flags, w, h) "VP8X\x0a\0\0\0" flags "\0\0\0" w h
#define VP8X(flags) VP8X_OF(flags, "\x0f\0\0", "\x07\0\0")
#define EXIF "EXIF\x0a\0\0\0MM\0*\0\0\0\x08\0\0"
#define XMP "XMP \x05\0\0\0<x/>\n\0"
#define ICCP "ICCP\x04\0\0\0prof"
#define ANIM "ANIM\x06\0\0\0\xff\xff\xff\xff\0\0"
/* length, x / 2 and y / 2, flags, then the frame's chunks */
#define ANMF(len, xy, flags) "ANMF" len "\0\0" xy "\x0f\0\0\x07\0\0\x64\0\0" flags
#define AT_START "\0\0\0\0\0\0"

static const struct { const char *name; struct bytes in, out, tail; } webps[] = {
	{ "lossy", B(VP8), B(VP8), NONE },
	{ "lossless", B(VP8L), B(VP8L), NONE },
	{ "a zip behind the end", B(VP8), B(VP8), B("PK\x03\x04") },
	{ "what pads is not looked at", B("VP8 \x0d\0\0\0" VP8_DATA "!"), B(VP8), NONE },
	{ "extended, place and texts", B(VP8X("\x2c") ICCP VP8 EXIF XMP), B(VP8X("\0") VP8), NONE },
	{ "extended with alpha", B(VP8X("\x1c") ALPH VP8 EXIF), B(VP8X("\x10") ALPH VP8), NONE },
	{ "extended, lossless", B(VP8X("\x10") VP8L), B(VP8X("\x10") VP8L), NONE },
	{ "reserved bits", B("VP8X\x0a\0\0\0\xd1\1\2\3\x0f\0\0\x07\0\0" VP8), B(VP8X("\x10") VP8), NONE },
	{ "unknown, with a script", B(VP8X("\0") "EVIL\x08\0\0\0<script>" VP8 "EVIL\x01\0\0\0x\0"), B(VP8X("\0") VP8), NONE },
	{ "texts without the extended form", B(VP8 EXIF), B(VP8), NONE },
	{ "an animation", B(VP8X("\x1e") ANIM ANMF("\x3c\0", AT_START, "\xff") ALPH VP8 "EVIL\x02\0\0\0xx" ANMF("\x1e\0", AT_START, "\x01") VP8L EXIF),
		B(VP8X("\x12") ANIM ANMF("\x32\0", AT_START, "\x03") ALPH VP8 ANMF("\x1e\0", AT_START, "\x01") VP8L), NONE },
	{ "a frame in the canvas's far corner", B(VP8X_OF("\2", "\x1f\0\0", "\x0f\0\0") ANIM ANMF("\x1e\0", "\x08\0\0\x04\0\0", "\0") VP8L),
		B(VP8X_OF("\2", "\x1f\0\0", "\x0f\0\0") ANIM ANMF("\x1e\0", "\x08\0\0\x04\0\0", "\0") VP8L), NONE },
};

static const struct { const char *name; struct bytes in; enum image_verdict verdict; } bad_webps[] = {
	{ "empty", B(""), IMAGE_BROKEN },
	{ "no picture", B(EXIF), IMAGE_BROKEN },
	{ "two pictures", B(VP8 VP8), IMAGE_BROKEN },
	{ "no key frame", B("VP8 \x0a\0\0\0\x11\0\0\x9d\x01\x2a\x10\0\x08\0"), IMAGE_BROKEN },
	{ "no start code", B("VP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2b\x10\0\x08\0"), IMAGE_BROKEN },
	{ "a partition beyond the end", B("VP8 \x0a\0\0\0\x30\0\0\x9d\x01\x2a\x10\0\x08\0"), IMAGE_BROKEN },
	{ "no width", B("VP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a\0\0\x08\0"), IMAGE_BROKEN },
	{ "lossy, too short", B("VP8 \x04\0\0\0\x10\0\0\x9d"), IMAGE_BROKEN },
	{ "lossless, no such version", B("VP8L\x06\0\0\0\x2f\x0f\xc0\x01\x30x"), IMAGE_BROKEN },
	{ "lossless, another signature", B("VP8L\x06\0\0\0\x2e\x0f\xc0\x01\x10x"), IMAGE_BROKEN },
	{ "lossless, too short", B("VP8L\x04\0\0\0\x2f\x0f\xc0\x01"), IMAGE_BROKEN },
	{ "alpha of a lossless picture", B(VP8X("\x10") ALPH VP8L), IMAGE_BROKEN },
	{ "alpha twice", B(VP8X("\x10") ALPH ALPH VP8), IMAGE_BROKEN },
	{ "alpha too late", B(VP8X("\x10") VP8 ALPH), IMAGE_BROKEN },
	{ "an extended head of another size", B("VP8X\x0c\0\0\0\0\0\0\0\x0f\0\0\x07\0\0\0\0" VP8), IMAGE_BROKEN },
	{ "an extended head twice", B(VP8X("\0") VP8X("\0") VP8), IMAGE_BROKEN },
	{ "an extended head too late", B(VP8 VP8X("\0")), IMAGE_BROKEN },
	{ "another size than the canvas", B(VP8X_OF("\0", "\x10\0\0", "\x07\0\0") VP8), IMAGE_BROKEN },
	{ "frames without an animation", B(VP8X("\0") ANIM ANMF("\x1e\0", AT_START, "\0") VP8L), IMAGE_BROKEN },
	{ "an animation without frames", B(VP8X("\2") ANIM), IMAGE_BROKEN },
	{ "an animation without its head", B(VP8X("\2") ANMF("\x1e\0", AT_START, "\0") VP8L), IMAGE_BROKEN },
	{ "an animation and a picture", B(VP8X("\2") ANIM ANMF("\x1e\0", AT_START, "\0") VP8L VP8), IMAGE_BROKEN },
	{ "a frame beyond the canvas", B(VP8X("\2") ANIM ANMF("\x1e\0", "\1\0\0\0\0\0", "\0") VP8L), IMAGE_BROKEN },
	{ "an animation's head twice", B(VP8X("\2") ANIM ANIM ANMF("\x1e\0", AT_START, "\0") VP8L), IMAGE_BROKEN },
	{ "an animation's head of another size", B(VP8X("\2") "ANIM\x08\0\0\0\xff\xff\xff\xff\0\0\0\0" ANMF("\x1e\0", AT_START, "\0") VP8L), IMAGE_BROKEN },
	{ "a frame below the canvas", B(VP8X("\2") ANIM ANMF("\x1e\0", "\0\0\0\1\0\0", "\0") VP8L), IMAGE_BROKEN },
	{ "a frame half below the canvas", B(VP8X_OF("\2", "\x1f\0\0", "\x0f\0\0") ANIM ANMF("\x1e\0", "\x08\0\0\x05\0\0", "\0") VP8L), IMAGE_BROKEN },
	{ "a frame far beyond the canvas", B(VP8X("\2") ANIM ANMF("\x1e\0", "\0\0\0\xff\xff\xff", "\0") VP8L), IMAGE_BROKEN },
	{ "a frame of another size", B(VP8X_OF("\2", "\xff\0\0", "\xff\0\0") ANIM "ANMF\x1e\0\0\0" AT_START "\x10\0\0\x07\0\0\x64\0\0\0" VP8L), IMAGE_BROKEN },
	{ "a frame cut short", B(VP8X("\2") ANIM "ANMF\x0e\0\0\0" AT_START "\x0f\0\0\x07\0\0\x64\0"), IMAGE_BROKEN },
	{ "a frame within a frame", B(VP8X("\2") ANIM ANMF("\x26\0", AT_START, "\0") VP8L "ANMF\0\0\0\0"), IMAGE_BROKEN },
	{ "a frame whose chunk is longer", B(VP8X("\2") ANIM ANMF("\x1e\0", AT_START, "\0") "VP8L\x08\0\0\0\x2f\x0f\xc0\x01\x10x" VP8L), IMAGE_BROKEN },
	{ "a bomb", B(VP8X_OF("\0", "\xff\xff\xff", "\xff\xff\xff") VP8), IMAGE_TOO_LARGE },
	{ "a lossless bomb", B("VP8L\x06\0\0\0\x2f\xff\xff\xff\x0fx"), IMAGE_TOO_LARGE },
};

static void make_webp(struct made *m, struct bytes body, struct bytes tail)
{
	uint32_t size = (uint32_t)body.n + 4;
	char head[12] = { 'R', 'I', 'F', 'F', (char)size, (char)(size >> 8), (char)(size >> 16), (char)(size >> 24), 'W', 'E', 'B', 'P' };
	m->n = 0;
	add(m, (struct bytes){ head, sizeof head });
	add(m, body);
	add(m, tail);
}

Test(image, webp_keeps_the_picture)
{
	struct made *in = new_made(), *out = new_made();
	for (size_t i = 0; i < sizeof webps / sizeof *webps; i++) {
		make_webp(in, webps[i].in, webps[i].tail);
		make_webp(out, webps[i].out, (struct bytes)NONE);
		expect_good(webps[i].name, in->s, in->n, out->s, out->n);
		expect_whole(webps[i].name, in->s, in->n - webps[i].tail.n);
	}
	free(in);
	free(out);
	cr_assert(no_leaks());
}

Test(image, webp_that_is_none)
{
	struct made *in = new_made();
	for (size_t i = 0; i < sizeof bad_webps / sizeof *bad_webps; i++) {
		make_webp(in, bad_webps[i].in, (struct bytes)NONE);
		expect_bad(bad_webps[i].name, in->s, in->n, bad_webps[i].verdict);
	}
	/* cut short, with a length that does not tell */
	for (size_t n = 0; n < sizeof(VP8X("\x10") ALPH VP8) - 1; n++) {
		make_webp(in, (struct bytes){ VP8X("\x10") ALPH VP8, n }, (struct bytes)NONE);
		expect_bad("cut short", in->s, in->n, IMAGE_BROKEN);
	}
	free(in);
}

/* Each frame is small, and there are more of them than anybody looks at. */
Test(image, webp_animation_of_many_large_frames)
{
	static const struct bytes frame = B("ANMF\x1e\0\0\0" AT_START "\xff\x0f\0\xff\x0f\0\x64\0\0\0" "VP8L\x06\0\0\0\x2f\xff\xcf\xff\x03x");
	struct made *body = new_made(), *in = new_made();
	add(body, (struct bytes)B(VP8X_OF("\2", "\xff\x0f\0", "\xff\x0f\0") ANIM));
	for (int n = 1; n <= 3; n++) {
		add(body, frame);
		make_webp(in, (struct bytes){ body->s, body->n }, (struct bytes)NONE);
		if (n < 3)
			expect_good("frames of 17 megapixels", in->s, in->n, in->s, in->n);
		else
			expect_bad("more than 50 together", in->s, in->n, IMAGE_TOO_LARGE);
	}
	free(body);
	free(in);
}

/* ---- anything else ---- */

Test(image, other_files)
{
	static const struct bytes others[] = {
		B(""), B("\xff"), B("\xff\xd8"), B("\xff\xd8\xfe"), B("\x89PNG\r\n\x1a"), B("\x89PNG\n\x1a\n\0"), B("RIFF\4\0\0\0WEB"), B("RIFF\4\0\0\0WAVE"), B("GIF89a\1\0\1\0"),
		B("BM\0\0\0\0"), B("II*\0\x08\0\0\0"), B("\0\0\0\x18" "ftypheic"), B("\0\0\0\x1c" "ftypavif"), B("%PDF-1.7"), B("<svg xmlns='http://www.w3.org/2000/svg'/>"),
		B("<?xml version='1.0'?>"), B("PK\x03\x04"), B("{\"list\":1}"), B(" \xff\xd8\xff\xd9"),
	};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		expect_bad(others[i].s, others[i].s, others[i].n, IMAGE_UNKNOWN);
}
