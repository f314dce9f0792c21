/* conf_texts.h - loads settings from a text, and looks at what is in force.
 * Owns: struct reports. Used by: test_conf.c, test_conf_file.c. */
#ifndef PICKUP_T_CONF_TEXTS_H
#define PICKUP_T_CONF_TEXTS_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "conf.h"
#include "leaks.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The reports of one conf_load, as "line: why\n" each. */
struct reports { char text[4096]; unsigned n; };

static inline void collect(void *ctx, const char *file, unsigned line, const char *why)
{
	struct reports *r = ctx;
	size_t at = strlen(r->text);

	cr_expect_not_null(file);
	snprintf(r->text + at, sizeof r->text - at, "%u: %s\n", line, why);
	r->n++;
}

/* A scratch file that holds text; gone with drop_file. */
static inline void make_file(char path[64], const char *text)
{
	strcpy(path, "/tmp/pickup-conf-XXXXXX");
	int fd = mkstemp(path);
	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline enum outcome load_text(struct conf_store *s, const char *text, struct reports *r)
{
	char path[64];
	enum outcome oc;

	*r = (struct reports){ .n = 0 };
	make_file(path, text);
	oc = conf_load(s, path, collect, r);
	unlink(path);
	return oc;
}

/* One line of conf_dump, in arena memory. */
static inline const char *dumped(struct conf_store *s, struct arena *a, const char *name)
{
	struct buf b = BUF_IN(a);
	char start[80];

	conf_dump(s, &b);
	snprintf(start, sizeof start, "\n%s=", name);
	char *all = arena_printf(a, "\n%s", b.s), *at = strstr(all, start);
	cr_assert_not_null(at, "%s is not in the dump", name);
	at += strlen(start);
	*strchr(at, '\n') = '\0';
	return at;
}

#endif
