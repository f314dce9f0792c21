/* fuzz_fcgi.c - any bytes as what a web server sends: each variable is a text, each body ends or is broken, and stays so.
 * Owns: what must hold whatever comes in. Built with libFuzzer (README). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "fcgi_in.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_request(struct fcgi_in *in)
{
	char body[100];
	int n;

	must(in->has_begun && in->request_id > 0 && in->request_id <= 0xffff);
	for (char **p = in->params; *p; p++)
		must(strlen(*p) <= FCGI_IN_PARAMS_MAX);
	do
		n = fcgi_in_read(in, body, sizeof(body));
	while (n > 0);
	must(fcgi_in_read(in, body, sizeof(body)) == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fcgi_in in;
	int fd[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	must(size <= 4096 && write(fd[1], data, size) == (ssize_t)size && shutdown(fd[1], SHUT_WR) == 0);
	fcgi_in_init(&in);
	fcgi_in_connect(&in, fd[0]);
	while (fcgi_in_next(&in))
		check_request(&in);
	must(!fcgi_in_has_more(&in) || in.is_broken);
	fcgi_in_free(&in);
	close(fd[0]);
	close(fd[1]);
	return 0;
}
