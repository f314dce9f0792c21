/* fuzz_params.c - any bytes as the params file: every setting stays within its bounds, and every refusal has a reason.
 * Owns: what must hold whatever comes in. Built with libFuzzer (README). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "arena.h"
#include "conf.h"
#include "log.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void report(void *ctx, const char *file, unsigned line, const char *why)
{
	(void)line;
	must(file && why && why[0]);
	(*(unsigned *)ctx)++;
}

static int file_of(const uint8_t *data, size_t size)
{
	int fd = memfd_create("params", MFD_CLOEXEC);

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	return fd;
}

static bool within(const struct setting *s, const struct conf *c)
{
	const char *at = (const char *)c + s->offset;
	const char *text;
	int64_t n;
	size_t words = 0;

	switch (s->type) {
	case SETTING_INT:
		memcpy(&n, at, sizeof(n));
		return n >= s->min && n <= s->max;
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_URLS:
		memcpy(&text, at, sizeof(text));
		return text != NULL;
	case SETTING_BOOL:
		return *(const unsigned char *)at <= 1;
	case SETTING_WORD:
		memcpy(&n, at, sizeof(n));
		while (s->words[words])
			words++;
		return n >= 0 && (size_t)n < words;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_store *store = conf_new();
	int fd = file_of(data, size);
	unsigned faults = 0;
	size_t n;
	const struct setting *table = conf_table(&n);
	char path[64];
	enum outcome oc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	oc = conf_load(store, path, report, &faults);
	must(oc == OC_OK ? faults == 0 : faults > 0);
	for (size_t i = 0; i < n; i++)
		must(within(&table[i], conf_get(store)));
	close(fd);
	conf_free(store);
	return 0;
}
