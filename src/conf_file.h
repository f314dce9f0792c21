/* conf_file.h - reads nginx's syntax of "fastcgi_param NAME value;" lines, as nginx itself does.
 * Owns: words, comments, quotes, escapes, line numbers. Does not own: what names and values mean (conf.c). */
#ifndef PICKUP_CONF_FILE_H
#define PICKUP_CONF_FILE_H

#include "outcome.h"
#include "str.h"

struct arena;

struct conf_events {
	/* One PICKUP_ parameter; name and value are arena memory. value is none where if_not_empty drops an empty one. */
	void (*take)(void *ctx, unsigned line, struct str name, struct str value);
	/* One fault; parsing goes on. why is borrowed. */
	void (*fault)(void *ctx, unsigned line, const char *why);
	void *ctx;
};

/* The whole file (at most 1 MiB), in the arena. OC_OK, or OC_NOT_FOUND with why. */
must_check enum outcome conf_file_read(struct arena *a, const char *file, struct str *text, char *why, size_t n);
/* Walks the text; everything that is not a well-formed fastcgi_param line is a fault. */
void conf_file_parse(struct arena *a, struct str text, const struct conf_events *ev);

#endif
