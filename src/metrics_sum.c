/* metrics_sum.c - see metrics.h: all slots added up.
 * Owns: who is alive. Does not own: counting (metrics.c). Used by: ep_metrics.c, tool_check*.c. */
#include "metrics_file.h"

#include <fcntl.h>
#include <string.h>

static void add(metrics_count *sum, const metrics_count *c)
{
	metrics_add(sum, metrics_get(c));
}

static void add_row(struct metrics_row *sum, const struct metrics_row *r)
{
	for (size_t c = 0; c < METRICS_CLASSES; c++) {
		for (size_t b = 0; b < METRICS_BUCKETS; b++)
			add(&sum->bucket[c][b], &r->bucket[c][b]);
		add(&sum->us[c], &r->us[c]);
	}
	add(&sum->db_us, &r->db_us);
	add(&sum->statements, &r->statements);
}

static void add_slot(struct metrics_slot *sum, const struct metrics_slot *s)
{
	for (size_t i = 0; i <= METRICS_RELAY; i++)
		add(&sum->starts[i], &s->starts[i]);
	add(&sum->connections, &s->connections);
	add(&sum->replays, &s->replays);
	add(&sum->published, &s->published);
	add(&sum->failures, &s->failures);
	add(&sum->refused, &s->refused);
	add(&sum->expired, &s->expired);
	for (size_t i = 0; i < METRICS_ROWS; i++)
		add_row(&sum->rows[i], &s->rows[i]);
}

/* Our own lock is none to us. */
static bool is_alive(const struct metrics *m, size_t slot)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)(METRICS_HEAD + 1 + slot), .l_len = 1 };
	if (m->own == &m->file->slots[slot])
		return true;
	return fcntl(m->fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

static void count_alive(const struct metrics_slot *s, struct metrics_sum *out)
{
	if (metrics_get(&s->role) == METRICS_RELAY) {
		out->relays++;
		return;
	}
	out->workers++;
	out->busy += metrics_get(&s->in_hand);
}

enum outcome metrics_read(struct metrics *m, struct metrics_sum *out)
{
	memset(out, 0, sizeof *out);
	if (!m->file)
		return m->state == OC_OK ? OC_NOT_FOUND : m->state;
	uint64_t used = metrics_get(&m->file->used);
	for (size_t i = 0; i < used && i < METRICS_SLOTS; i++) {
		add_slot(&out->all, &m->file->slots[i]);
		if (is_alive(m, i))
			count_alive(&m->file->slots[i], out);
	}
	return OC_OK;
}
