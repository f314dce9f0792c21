/* push.h - requests to push instances (nginx with nchan): POSTs over connections that are kept, and DELETEs.
 * Owns: requests, connections, the verdict on an answer. Does not own: what is sent when, and what follows (relay_lane.c, relay_close.c).
 * Used by: relay*.c. */
#ifndef PICKUP_PUSH_H
#define PICKUP_PUSH_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include "db_outbox.h"
#include "event.h"
#include "outcome.h"

/* What became of a request. */
enum push_verdict {
	PUSH_NONE,	/* nothing is in flight, or no answer yet */
	PUSH_ACCEPTED,	/* 2xx, with subscribers or without */
	PUSH_REFUSED,	/* 4xx: would be refused each time again */
	PUSH_RETRY,	/* anything else; perhaps it was taken, perhaps not */
	PUSH_AWAY,	/* nobody listens there: an instance that is being restarted */
	PUSH_CUT,	/* the connection of before is gone, perhaps with the message; nothing was sent on a new one */
	PUSH__MAX
};
/* 408 and 429 are no refusals for good. */
enum push_verdict push_verdict_of(long status);

/* Every instance's transfers, driven together. Owned by the caller; freed after the instances. NULL is fine to free. */
struct push_pool *push_pool_new(void);
void push_pool_free(struct push_pool *pool);
/* Moves what can be moved, without waiting. */
void push_pool_work(struct push_pool *pool);
/* Waits until a request, one of the descriptors (as for poll(2), which sets revents) or the time calls. */
void push_pool_wait(struct push_pool *pool, struct pollfd *fds, size_t n, int64_t us);

struct push;

/* url: "unix:/path" or "http://host:port", copied. NULL: it is neither; why (size n) says so. Owned by the caller. */
must_check struct push *push_new(struct push_pool *pool, const char *url, char *why, size_t n);
/* Drops what is in flight. NULL is fine. */
void push_free(struct push *p);
/* Opens a connection, or takes the open one, and asks the worker behind it who it is (GET /pub/worker). Nothing may be in flight.
 * Where push_status is not 0, somebody is there, and push_worker tells who. */
void push_hello(struct push *p, int64_t timeout_ms);
/* The answer to push_hello, a number; "" for none. */
const char *push_worker(const struct push *p);
/* Starts one POST; nothing may be in flight. timeout_ms is for an answer. Without may_connect it goes over the connection that is open
 * already, or ends as PUSH_CUT. */
void push_send(struct push *p, struct channel ch, uint64_t seq, struct str body, int64_t timeout_ms, bool may_connect);
/* One more, right behind that: goes out with it, without waiting for its answer. Each has its verdict, in order; those behind one that
 * costs the connection have none, and may have been taken. False: not now, and so neither those after it. */
#define PUSH_AT_ONCE 16
must_check bool push_add(struct push *p, struct channel ch, uint64_t seq, struct str body);
/* Starts one DELETE, which ends every subscription of the channel and forgets what nchan kept of it; on a connection of its own, so that it
 * reaches the nginx worker that accepts now. Nothing may be in flight. Where nobody has used the channel lately the answer is 404. */
void push_close(struct push *p, struct channel ch, int64_t timeout_ms);
/* Some verdict is still to come, or to be taken. */
bool push_in_flight(const struct push *p);
/* push_take has something to give. */
bool push_has_ended(const struct push *p);
/* The verdict on the request that has ended since, once. PUSH_NONE: it has not. What is told of it below holds until push_pool_work. */
enum push_verdict push_take(struct push *p);
/* Forgets the requests in flight and their connection. */
void push_drop(struct push *p);
/* The request that has ended went over a connection that was open before. */
bool push_was_kept(const struct push *p);
/* The last verdict's status (0: no answer) and reason, for people. */
long push_status(const struct push *p);
const char *push_reason(const struct push *p);

#endif
