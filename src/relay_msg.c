/* relay_msg.c - one numbered message in memory.
 * Owns: its body. Does not own: where it comes from and goes to.
 * Used by: relay_number.c, relay_lane.c. */
#include "relay.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

void relay_msg_set(struct relay_msg *m, const struct pub_row *row)
{
	m->pub_no = row->pub_no;
	m->channel = row->channel;
	m->seq = row->seq;
	m->len = row->body.len;
	if (m->cap < m->len + 1) {
		size_t cap = (m->len + 1 + 255) / 256 * 256;
		char *bigger = realloc(m->body, cap);
		if (!bigger)
			log_die("no memory for a message");
		m->body = bigger;
		m->cap = cap;
	}
	if (m->len)
		memcpy(m->body, row->body.s, m->len);
	m->body[m->len] = '\0';
}

void relay_msg_clear(struct relay_msg *m)
{
	free(m->body);
	*m = (struct relay_msg){ 0 };
}
