/* fcgi_out.h - an answer as FastCGI records (FastCGI 1.0, sections 3.3, 5.3, 5.5), straight from where it lies.
 * Owns: the records' form, writing all of it. Does not own: the connection. Used by: worker.c.
 * libfcgi would copy it to pieces of 8 KiB and write each of them, and the end of the request once more. */
#ifndef PICKUP_FCGI_OUT_H
#define PICKUP_FCGI_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* The most that one record holds of it, a multiple of 8. */
#define FCGI_OUT_MAX 65528

/* Writes the parts one after another as standard output of the request, and, where is_end, its end: complete, status 0. Waits where the other
 * side is slow, as long as the socket does. False with errno: it is gone. */
bool fcgi_out_write(int fd, unsigned request_id, const struct iovec *parts, int n, bool is_end);

#endif
