/* push_connect.h - new connections to push instances, made by libcurl: names, several addresses of one, IPv6, time-outs.
 * Owns: libcurl's handles. Does not own: what is said on a connection (push.c).
 * Used by: push.c. */
#ifndef PICKUP_PUSH_CONNECT_H
#define PICKUP_PUSH_CONNECT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All attempts, driven together. Owned by the caller; freed after the attempts. NULL is fine to free. */
struct connector *connector_new(void);
void connector_free(struct connector *c);
/* Moves what can be moved, without waiting. */
void connector_work(struct connector *c);
/* As poll(2) on fds, and ends as well where an attempt calls. */
void connector_wait(struct connector *c, struct pollfd *fds, size_t n, int ms);

/* One connection that is being made. */
struct attempt;
enum attempt_state {
	ATTEMPT_GOES_ON,
	ATTEMPT_MADE,
	ATTEMPT_AWAY,	/* nobody takes connections there, or the name is unknown */
	ATTEMPT_FAILED	/* anything else: time ran out */
};
/* url is http://host:port; where socket_path is not NULL, that socket instead. Both are borrowed until the attempt ends. Freed by the
 * caller. */
struct attempt *attempt_start(struct connector *c, const char *url, const char *socket_path, int64_t timeout_ms);
/* NULL is fine. An attempt that goes on is given up. */
void attempt_free(struct attempt *a);
/* ATTEMPT_MADE, once: *fd is the connected socket, nonblocking, the caller's. Else why (size n) says what is wrong. */
enum attempt_state attempt_take(struct attempt *a, int *fd, char *why, size_t n);

#endif
