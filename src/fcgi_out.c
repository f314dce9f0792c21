/* fcgi_out.c - see fcgi_out.h. */
#include "fcgi_out.h"

#include <errno.h>
#include <string.h>

#define HEAD 8
#define STDOUT 6
#define END_REQUEST 3
/* Pieces for one system call: about 60 records. */
#define PIECES_MAX 128

struct output {
	int fd;
	unsigned request_id;
	struct iovec pieces[PIECES_MAX];
	int n;
	unsigned char heads[PIECES_MAX][HEAD];	/* that of pieces[i], where it is one */
};

/* Writes what was collected. */
static bool flush(struct output *o)
{
	struct iovec *v = o->pieces;

	while (o->n > 0) {
		ssize_t done = writev(o->fd, v, o->n);

		if (done < 0 && errno != EINTR)
			return false;
		for (; done > 0 && o->n > 0; v++, o->n--) {
			if ((size_t)done < v->iov_len) {
				v->iov_base = (char *)v->iov_base + done;
				v->iov_len -= (size_t)done;
				break;
			}
			done -= (ssize_t)v->iov_len;
		}
	}
	return true;
}

static bool add(struct output *o, const void *s, size_t len)
{
	if (o->n == PIECES_MAX && !flush(o))
		return false;
	o->pieces[o->n++] = (struct iovec){ (void *)s, len };
	return true;
}

static bool add_head(struct output *o, unsigned char type, size_t len)
{
	if (o->n == PIECES_MAX && !flush(o))
		return false;
	unsigned char *head = o->heads[o->n];
	memcpy(head, (unsigned char[HEAD]){ 1, type, (unsigned char)(o->request_id >> 8), (unsigned char)o->request_id,
		(unsigned char)(len >> 8), (unsigned char)len }, HEAD);
	return add(o, head, HEAD);
}

static bool add_end(struct output *o)
{
	static const unsigned char complete[8];

	return add_head(o, STDOUT, 0) && add_head(o, END_REQUEST, sizeof complete) && add(o, complete, sizeof complete) && flush(o);
}

bool fcgi_out_write(int fd, unsigned request_id, const struct iovec *parts, int n, bool is_end)
{
	struct output o;	/* not cleared: most of it is never used */
	size_t left = 0, room = 0;	/* of all parts; of the record begun */

	o.fd = fd;
	o.request_id = request_id;
	o.n = 0;
	for (int i = 0; i < n; i++)
		left += parts[i].iov_len;
	for (int i = 0; i < n; i++) {
		const char *s = parts[i].iov_base;

		for (size_t len = parts[i].iov_len, take; len > 0; s += take, len -= take, left -= take, room -= take) {
			if (room == 0) {
				room = left < FCGI_OUT_MAX ? left : FCGI_OUT_MAX;
				if (!add_head(&o, STDOUT, room))
					return false;
			}
			take = len < room ? len : room;
			if (!add(&o, s, take))
				return false;
		}
	}
	return is_end ? add_end(&o) : flush(&o);
}
