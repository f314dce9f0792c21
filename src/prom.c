/* prom.c - see prom.h. */
#include "prom.h"

void prom_family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void prom_sample(struct buf *b, const char *name, const char *suffix)
{
	buf_adds(b, name);
	buf_adds(b, suffix);
}

void prom_label(struct buf *b, const char *name, struct str value)
{
	/* Labels stand behind one another: the brace that ended the last one is taken back. */
	if (b->len && b->s[b->len - 1] == '}')
		b->s[b->len - 1] = ',';
	else
		buf_addc(b, '{');
	buf_adds(b, name);
	buf_adds(b, "=\"");
	for (size_t i = 0; i < value.len; i++) {
		char c = value.s[i];
		if (c == '\\' || c == '"')
			buf_addc(b, '\\');
		if (c == '\n')
			buf_adds(b, "\\n");
		else
			buf_addc(b, c);
	}
	buf_adds(b, "\"}");
}

void prom_count(struct buf *b, uint64_t value)
{
	buf_addc(b, ' ');
	buf_adduint(b, value);
	buf_addc(b, '\n');
}

void prom_seconds(struct buf *b, uint64_t us)
{
	buf_addf(b, " %llu.%06llu\n", (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
}

void prom_one(struct buf *b, const char *name, const char *type, const char *help, uint64_t value)
{
	prom_family(b, name, type, help);
	prom_sample(b, name, "");
	prom_count(b, value);
}
