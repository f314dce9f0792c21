/* image_jpeg.c - the segments of a JPEG file (ITU-T T.81 annex B): tables, frame and scans are kept; JFIF and Adobe say how the colours are
 * meant and are written anew without what else they can hold; of Exif the orientation alone is. See image.h. */
#include "image_part.h"

/* Markers, behind 0xff. */
enum {
	TEM = 0x01, DHT = 0xc4, DAC = 0xcc, RST0 = 0xd0, RST7 = 0xd7, SOI = 0xd8, EOI = 0xd9, SOS = 0xda, DQT = 0xdb, DNL = 0xdc, DRI = 0xdd,
	APP0 = 0xe0, APP1 = 0xe1, APP14 = 0xee, APP15 = 0xef, COM = 0xfe
};

#define COMPONENTS_MAX 4
/* A picture has one for each component, and a progressive one about ten; each costs a decoder a walk over all pixels. */
#define SCANS_MAX 100

struct jpeg {
	const uint8_t *s;
	size_t n, at;
	struct image_writer *w;
	struct image *im;
	uint8_t components[COMPONENTS_MAX];	/* their ids */
	unsigned component_n;			/* 0: the frame has not come yet */
	unsigned scans;
	bool has_jfif, has_exif;
};

/* The next marker's code; at is then behind it. -1: there is none. */
static int next_marker(struct jpeg *j)
{
	if (j->at >= j->n || j->s[j->at] != 0xff)
		return -1;
	while (j->at < j->n && j->s[j->at] == 0xff)
		j->at++;
	return j->at < j->n && j->s[j->at] != 0 ? j->s[j->at++] : -1;
}

static void put_segment(struct jpeg *j, int code, const uint8_t *p, size_t len)
{
	uint8_t head[] = { 0xff, (uint8_t)code, (uint8_t)((len + 2) >> 8), (uint8_t)(len + 2) };
	image_put(j->w, head, sizeof head);
	image_put(j->w, p, len);
}

/* ---- what may be in a segment: p has len bytes, without the length itself ---- */

static bool is_dqt(const uint8_t *p, size_t len)
{
	while (len) {
		size_t size = *p >> 4 ? 129 : 65;
		if (*p >> 4 > 1 || (*p & 15) > 3 || size > len)
			return false;
		p += size;
		len -= size;
	}
	return true;
}

static bool is_dht(const uint8_t *p, size_t len)
{
	while (len) {
		size_t size = 17;
		if (*p >> 4 > 1 || (*p & 15) > 3 || len < size)
			return false;
		for (int i = 1; i <= 16; i++)
			size += p[i];
		if (size > 17 + 256 || size > len)
			return false;
		p += size;
		len -= size;
	}
	return true;
}

static bool is_dac(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i += 2)
		if (p[i] >> 4 > 1 || (p[i] & 15) > 3)
			return false;
	return len % 2 == 0;
}

/* Baseline, extended and progressive, by Huffman or arithmetic coding; lossless and hierarchical ones hardly anything decodes. */
static bool is_frame(int code)
{
	return code == 0xc0 || code == 0xc1 || code == 0xc2 || code == 0xc9 || code == 0xca;
}

static enum image_verdict take_frame(struct jpeg *j, const uint8_t *p, size_t len)
{
	if (j->component_n || len < 6 || (p[0] != 8 && p[0] != 12))
		return IMAGE_BROKEN;
	j->im->height = be16(p + 1);
	j->im->width = be16(p + 3);
	j->component_n = p[5];
	if (!j->im->height || !j->im->width || !p[5] || p[5] > COMPONENTS_MAX || len != 6 + 3 * (size_t)p[5])
		return IMAGE_BROKEN;
	for (unsigned i = 0; i < j->component_n; i++) {
		const uint8_t *c = p + 6 + 3 * (size_t)i;
		if (c[1] >> 4 < 1 || c[1] >> 4 > 4 || (c[1] & 15) < 1 || (c[1] & 15) > 4 || c[2] > 3)
			return IMAGE_BROKEN;
		j->components[i] = c[0];
	}
	return image_fits(j->im->width, j->im->height) ? IMAGE_GOOD : IMAGE_TOO_LARGE;
}

static bool is_scan_head(const struct jpeg *j, const uint8_t *p, size_t len)
{
	if (len < 1 || p[0] < 1 || p[0] > j->component_n || len != 4 + 2 * (size_t)p[0])
		return false;
	for (unsigned i = 0; i < p[0]; i++)
		if (!memchr(j->components, p[1 + 2 * i], j->component_n))
			return false;
	return true;
}

/* Where the data behind a scan's head ends: at a marker that is neither a restart nor a stuffed 0xff; n where there is none. */
static size_t scan_end(const struct jpeg *j, size_t at)
{
	while (at < j->n) {
		const uint8_t *ff = memchr(j->s + at, 0xff, j->n - at);
		size_t start = ff ? (size_t)(ff - j->s) : j->n;
		for (at = start; at < j->n && j->s[at] == 0xff; at++)
			continue;
		if (at == j->n || (j->s[at] != 0 && (j->s[at] < RST0 || j->s[at] > RST7)))
			return at == j->n ? j->n : start;
	}
	return j->n;
}

static enum image_verdict take_scan(struct jpeg *j, const uint8_t *p, size_t len)
{
	if (!is_scan_head(j, p, len))
		return IMAGE_BROKEN;
	if (++j->scans > SCANS_MAX)
		return IMAGE_TOO_LARGE;
	size_t end = scan_end(j, j->at);
	put_segment(j, SOS, p, len);
	image_put(j->w, j->s + j->at, end - j->at);
	j->at = end;
	return IMAGE_GOOD;
}

/* ---- what is written anew ---- */

/* Version, unit and densities, without the thumbnail. */
static void take_jfif(struct jpeg *j, const uint8_t *p, size_t len)
{
	uint8_t fresh[14] = { 0 };
	if (j->has_jfif || len < 14 || memcmp(p, "JFIF", 5) != 0)
		return;
	j->has_jfif = true;
	memcpy(fresh, p, 12);
	put_segment(j, APP0, fresh, sizeof fresh);
}

/* Which colour transform was used; without it some pictures come out in wrong colours. */
static void take_adobe(struct jpeg *j, const uint8_t *p, size_t len)
{
	uint8_t fresh[12] = { 'A', 'd', 'o', 'b', 'e', 0, 100 };
	if (len < 12 || memcmp(p, "Adobe", 5) != 0)
		return;
	fresh[11] = p[11];
	put_segment(j, APP14, fresh, sizeof fresh);
}

/* Of the TIFF structure that Exif is: tag 274, one SHORT, in the first directory. 0: it does not say. */
static unsigned orientation_of(const uint8_t *t, size_t n)
{
	if (n < 8 || (memcmp(t, "II*\0", 4) != 0 && memcmp(t, "MM\0*", 4) != 0))
		return 0;
	bool is_little = *t == 'I';
	size_t at = is_little ? le32(t + 4) : be32(t + 4);
	if (at > n - 2)
		return 0;
	unsigned count = is_little ? le16(t + at) : be16(t + at);
	for (at += 2; count > 0 && n - at >= 12; at += 12, count--) {
		const uint8_t *e = t + at;
		unsigned tag = is_little ? le16(e) : be16(e), type = is_little ? le16(e + 2) : be16(e + 2);
		uint32_t values = is_little ? le32(e + 4) : be32(e + 4);
		if (tag == 274 && type == 3 && values == 1)
			return is_little ? le16(e + 8) : be16(e + 8);
	}
	return 0;
}

static void take_exif(struct jpeg *j, const uint8_t *p, size_t len)
{
	uint8_t fresh[] = { 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 274 >> 8, 274 & 255, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
	if (j->has_exif || len < 6 || memcmp(p, "Exif\0", 6) != 0)
		return;
	j->has_exif = true;
	unsigned orientation = orientation_of(p + 6, len - 6);
	if (orientation < 2 || orientation > 8)
		return;		/* upright, or no such turn */
	fresh[25] = (uint8_t)orientation;
	put_segment(j, APP1, fresh, sizeof fresh);
}

/* They say how what follows is meant, so none counts behind the first scan. */
static void take_application(struct jpeg *j, int code, const uint8_t *p, size_t len)
{
	if (j->scans)
		return;
	if (code == APP0)
		take_jfif(j, p, len);
	else if (code == APP1)
		take_exif(j, p, len);
	else if (code == APP14)
		take_adobe(j, p, len);
}

/* ---- the file ---- */

static bool is_table(const struct jpeg *j, int code, const uint8_t *p, size_t len)
{
	switch (code) {
	case DQT: return is_dqt(p, len);
	case DHT: return is_dht(p, len);
	case DAC: return is_dac(p, len);
	case DRI: return len == 2;
	/* Another height than the frame's would be one that was not looked at. */
	case DNL: return len == 2 && j->scans && be16(p) == j->im->height;
	default: return false;
	}
}

static enum image_verdict take_segment(struct jpeg *j, int code)
{
	if (code == TEM || (code >= RST0 && code <= RST7))
		return IMAGE_GOOD;	/* they stand alone and say nothing here */
	size_t len = j->n - j->at >= 2 ? be16(j->s + j->at) : 0;
	if (len < 2 || len > j->n - j->at)
		return IMAGE_BROKEN;
	const uint8_t *p = j->s + j->at + 2;
	j->at += len;
	len -= 2;
	if (code == COM)
		return IMAGE_GOOD;
	if (code >= APP0 && code <= APP15) {
		take_application(j, code, p, len);
		return IMAGE_GOOD;
	}
	if (code == SOS)
		return take_scan(j, p, len);
	enum image_verdict v = is_frame(code) ? take_frame(j, p, len) : is_table(j, code, p, len) ? IMAGE_GOOD : IMAGE_BROKEN;
	put_segment(j, code, p, len);
	return v;
}

enum image_verdict image_clean_jpeg(struct image_writer *w, const uint8_t *s, size_t n, struct image *im)
{
	struct jpeg j = { .s = s, .n = n, .at = 2, .w = w, .im = im };
	image_put(w, s, 2);
	for (int code; (code = next_marker(&j)) != EOI; ) {
		enum image_verdict v = code < 0 || code == SOI ? IMAGE_BROKEN : take_segment(&j, code);
		if (v != IMAGE_GOOD)
			return v;
	}
	image_put(w, "\xff\xd9", 2);
	return j.scans ? IMAGE_GOOD : IMAGE_BROKEN;
}
