/* upload.c - see upload.h. */
#include "upload.h"

#include <stdio.h>

static const struct { const char *suffix, *media_type; } kinds[IMAGE_KIND__MAX] = {
	[IMAGE_JPEG] = { ".jpg", "image/jpeg" }, [IMAGE_PNG] = { ".png", "image/png" }, [IMAGE_WEBP] = { ".webp", "image/webp" },
};

struct upload_name upload_name_make(const uint8_t random[UPLOAD_RANDOM_BYTES], enum image_kind kind)
{
	struct upload_name name;
	for (size_t i = 0; i < UPLOAD_RANDOM_BYTES; i++)
		snprintf(name.s + 2 * i, 3, "%02x", random[i]);
	snprintf(name.s + 2 * UPLOAD_RANDOM_BYTES, sizeof name.s - 2 * UPLOAD_RANDOM_BYTES, "%s", kinds[kind].suffix);
	return name;
}

bool upload_name_parse(struct str s, struct upload_name *name, enum image_kind *kind)
{
	const size_t digits = 2 * UPLOAD_RANDOM_BYTES;
	if (s.len < digits || s.len >= sizeof name->s)
		return false;
	for (size_t i = 0; i < digits; i++)
		if (!((s.s[i] >= '0' && s.s[i] <= '9') || (s.s[i] >= 'a' && s.s[i] <= 'f')))
			return false;
	for (int k = 0; k < IMAGE_KIND__MAX; k++) {
		if (!str_is((struct str){ s.s + digits, s.len - digits }, kinds[k].suffix))
			continue;
		*kind = (enum image_kind)k;
		memcpy(name->s, s.s, s.len);
		name->s[s.len] = '\0';
		return true;
	}
	return false;
}

bool upload_url_parse(struct str url, struct upload_name *name)
{
	const size_t len = sizeof UPLOAD_URL - 1;
	enum image_kind kind;
	return url.len > len && memcmp(url.s, UPLOAD_URL, len) == 0 &&
		upload_name_parse((struct str){ url.s + len, url.len - len }, name, &kind);
}

const char *upload_media_type(enum image_kind kind)
{
	return kinds[kind].media_type;
}
