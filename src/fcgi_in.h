/* fcgi_in.h - requests from a FastCGI connection (FastCGI 1.0, responder): variables and body.
 * Owns: reading records, what is answered to those that are no request. Does not own: the connection, answers (fcgi_out.c), deadlines.
 * Used by: worker.c. libfcgi takes memory for each variable by itself and hands on what it reads byte by byte: half of all that a worker
 * does for a small request. It also reads beyond a request's end and forgets that. */
#ifndef PICKUP_FCGI_IN_H
#define PICKUP_FCGI_IN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

/* All variables of a request together; a web server's own limits are below. */
#define FCGI_IN_PARAMS_MAX ((size_t)1 << 20)

struct fcgi_in {
	/* Of the request in hand. */
	unsigned request_id;
	bool is_kept;				/* its client wants the connection kept */
	char **params;				/* "NAME=value", NULL-terminated; until the next request is read */
	volatile sig_atomic_t has_begun;	/* its first record was read; a signal's handler may look */
	/* fcgi_in.c's */
	int fd;
	struct arena *arena;			/* holds the variables */
	size_t content, padding;		/* left of the record in hand */
	bool is_ended;				/* the record in hand is the empty one that ends a stream */
	bool is_broken;				/* what comes is no FastCGI, or comes no more */
	size_t at, end;				/* what lies in buf unread */
	unsigned char buf[8192];
};

void fcgi_in_init(struct fcgi_in *in);
void fcgi_in_free(struct fcgi_in *in);
/* A connection that was just accepted, which stays the caller's; -1 forgets the one of before, and gives back what its requests took. */
void fcgi_in_connect(struct fcgi_in *in, int fd);
/* Waits for the next request and reads its variables; the body of the one before was read to its end. False: none comes, or it was
 * aborted, or what comes is not FastCGI: the connection is of no more use. */
bool fcgi_in_next(struct fcgi_in *in);
/* At most n (from 1) bytes of the body; 0 at its end, -1 where that will never come. */
int fcgi_in_read(struct fcgi_in *in, void *to, int n);
/* Whether more has come already than was read: as a rule the beginning of the next request. */
bool fcgi_in_has_more(const struct fcgi_in *in);

#endif
