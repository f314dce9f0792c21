/* push_answer.h - the head of an HTTP/1.1 answer, as the one who asked reads it (RFC 9112). Pure.
 * Owns: status, where the body begins and how long it is. Does not own: the socket, the body.
 * Used by: push.c. */
#ifndef PICKUP_PUSH_ANSWER_H
#define PICKUP_PUSH_ANSWER_H

#include <stdbool.h>
#include <stdint.h>
#include "outcome.h"
#include "str.h"

enum answer_state {
	ANSWER_MORE,	/* so far it may be one */
	ANSWER_WHOLE,	/* the head is there */
	ANSWER_BAD	/* no HTTP/1.x, or two readers could read it differently */
};

#define ANSWER_TO_THE_END UINT64_MAX
struct answer_head {
	uint64_t length;	/* bytes of the body; ANSWER_TO_THE_END: as many as come before the connection ends */
	size_t size;		/* bytes of the head, with what came before it (1xx) and its empty line */
	int status;		/* 200 to 599 */
	bool is_kept;		/* the connection outlives this answer, and we can tell where that ends */
};

/* text: all that has come since the request was sent, of an answer to GET or POST. Interim answers (section 15.2 of RFC 9110) are passed
 * over. A body with a transfer coding (chunked) is not read: its length is given as 0, and the connection is not kept. *head is set where
 * ANSWER_WHOLE is given. */
must_check enum answer_state answer_read(struct str text, struct answer_head *head);

#endif
