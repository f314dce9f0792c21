/* image.c - see image.h. Each kind's parts: image_jpeg.c, image_png.c, image_webp.c. */
#include "image.h"

#include "image_part.h"

static bool is_jpeg(const uint8_t *s, size_t n)
{
	return n >= 3 && memcmp(s, "\xff\xd8\xff", 3) == 0;
}

static bool is_png(const uint8_t *s, size_t n)
{
	return n >= 8 && memcmp(s, "\x89PNG\r\n\x1a\n", 8) == 0;
}

static bool is_webp(const uint8_t *s, size_t n)
{
	return n >= 12 && memcmp(s, "RIFF", 4) == 0 && memcmp(s + 8, "WEBP", 4) == 0;
}

static const struct {
	bool (*is_it)(const uint8_t *s, size_t n);
	enum image_verdict (*clean)(struct image_writer *w, const uint8_t *s, size_t n, struct image *im);
} kinds[IMAGE_KIND__MAX] = {
	[IMAGE_JPEG] = { is_jpeg, image_clean_jpeg }, [IMAGE_PNG] = { is_png, image_clean_png }, [IMAGE_WEBP] = { is_webp, image_clean_webp },
};

enum image_verdict image_clean(const uint8_t *s, size_t n, const struct image_out *out, struct image *im)
{
	struct image_writer w = { .out = out };
	for (int k = 0; k < IMAGE_KIND__MAX; k++) {
		if (!kinds[k].is_it(s, n))
			continue;
		*im = (struct image){ .kind = (enum image_kind)k };
		enum image_verdict v = kinds[k].clean(&w, s, n, im);
		return v == IMAGE_GOOD && w.has_failed ? IMAGE_UNWRITTEN : v;
	}
	return IMAGE_UNKNOWN;
}
