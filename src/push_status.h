/* push_status.h - what a push instance says of itself: GET /status (nchan_stub_status).
 * Owns: asking, reading the figures. Does not own: publishing (push.c). Used by: ep_metrics.c, tool_check_push.c. */
#ifndef PICKUP_PUSH_STATUS_H
#define PICKUP_PUSH_STATUS_H

#include <stdint.h>
#include "str.h"

enum push_figure {
	PUSH_PUBLISHED, PUSH_STORED, PUSH_MEMORY_USED, PUSH_MEMORY_LIMIT, PUSH_CHANNELS, PUSH_SUBSCRIBERS, PUSH_FIGURES
};

struct push_status {
	int status;			/* HTTP's; 0: no answer, and why says so */
	char why[128];
	bool has[PUSH_FIGURES];		/* which figures it told */
	uint64_t figure[PUSH_FIGURES];	/* memory in bytes */
};

/* Asks the instance at "unix:/path" or "http://host:port", and waits for at most so long. */
void push_status_get(struct str url, int64_t timeout_ms, struct push_status *out);
/* Reads the text of nchan_stub_status; what it does not know it leaves out. */
void push_status_parse(struct str text, struct push_status *out);

#endif
