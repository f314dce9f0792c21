/* test_push_answer.c - the heads of HTTP answers: those of nginx, those of others, and what is none.
 * Owns: tests of push_answer.c. Used by: make check. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "leaks.h"
#include "push_answer.h"

/* What comes, and of it: status, where the body begins, its length, whether the connection is kept. */
static const struct { const char *text, *body; int status; uint64_t length; bool is_kept; } whole[] = {
	{ "HTTP/1.1 202 Accepted\r\nServer: nginx\r\nContent-Type: text/plain\r\nContent-Length: 100\r\nConnection: keep-alive\r\n\r\nqueued",
		"queued", 202, 100, true },
	{ "HTTP/1.1 200 OK\r\ncontent-LENGTH:5\r\n\r\n12345", "12345", 200, 5, true },
	{ "HTTP/1.1 200 OK\r\nContent-Length: \t5 \t\r\n\r\n", "", 200, 5, true },
	{ "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", 200, 0, true },
	{ "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "", 200, 0, true },
	{ "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", "", 200, 0, true },
	{ "HTTP/1.1 599 Odd\r\nContent-Length: 9223372036854775807\r\n\r\n", "", 599, INT64_MAX, true },
	/* who sends no length says by the connection's end, or in pieces, where it ends */
	{ "HTTP/1.1 500 Internal Server Error\r\n\r\nsorry", "sorry", 500, ANSWER_TO_THE_END, false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "1\r\nx\r\n0\r\n\r\n", 200, 0, false },
	{ "HTTP/1.1 204 No Content\r\n\r\n", "", 204, 0, true },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", "", 304, 0, true },
	/* who ends the connection */
	{ "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", 200, 2, false },
	{ "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "ok", 200, 2, false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x-y ,\t CLOSE, te\r\n\r\nok", "ok", 200, 2, false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: closed\r\n\r\nok", "ok", 200, 2, true },
	/* interim answers */
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx", "x", 201, 1, true },
	{ "HTTP/1.1 103 Early Hints\r\nLink: a\r\nConnection: close\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", "",
		413, 0, true },
};

static const char *const bad[] = {
	"HTTP/2 200 OK\r\n", "HTTP/1.1  200 OK\r\n", "HTTP/1.1 20 OK\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 099 OK\r\n", "HTTP/1.1 600 OK\r\n",
	"HTTP/1.1 2x0 OK\r\n", "HTTP/1.x 200 OK\r\n", "http/1.1 200 OK\r\n", "ICY 200 OK\r\n", "\r\n", "<html>\r\n", "HTTP/1.1 101 Switching\r\n\r\n",
	"HTTP/1.1 200 OK\n", "HTTP/1.1 200 OK\r\r\n", "HTTP/1.1 200\rOK\r\n",
	"HTTP/1.1 200 OK\r\nno colon\r\n", "HTTP/1.1 200 OK\r\n: no name\r\n", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n",
	"HTTP/1.1 200 OK\r\nA: b\r\n folded: c\r\n", "HTTP/1.1 200 OK\r\nA: b\n", "HTTP/1.1 200 OK\r\n\n",
	"HTTP/1.1 200 OK\r\nContent-Length: \r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 No\r\n",
};

Test(push_answer, whole_heads)
{
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		struct answer_head head;
		struct str text = str_from(whole[i].text);
		cr_assert_eq(answer_read(text, &head), ANSWER_WHOLE, "%s", whole[i].text);
		cr_expect_eq(head.status, whole[i].status, "%s: %d", whole[i].text, head.status);
		cr_expect_str_eq(text.s + head.size, whole[i].body, "%s: %zu", whole[i].text, head.size);
		cr_expect_eq(head.length, whole[i].length, "%s", whole[i].text);
		cr_expect_eq(head.is_kept, whole[i].is_kept, "%s", whole[i].text);
	}
}

Test(push_answer, a_head_that_comes_byte_by_byte)
{
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		struct answer_head head;
		size_t size = strlen(whole[i].text) - strlen(whole[i].body);
		for (size_t len = 0; len < size; len++)
			cr_expect_eq(answer_read((struct str){ whole[i].text, len }, &head), ANSWER_MORE, "%s: %zu", whole[i].text, len);
		cr_expect_eq(answer_read((struct str){ whole[i].text, size }, &head), ANSWER_WHOLE, "%s", whole[i].text);
	}
}

Test(push_answer, what_is_no_head)
{
	struct answer_head head;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect_eq(answer_read(str_from(bad[i]), &head), ANSWER_BAD, "%s", bad[i]);
}
