/* push_ask.c - see push_ask.h. */
#include "push_ask.h"

bool ask_is_base(const char *url)
{
	if (strncmp(url, "http://", 7) != 0 || !url[7] || url[7] == ':')
		return false;
	for (const char *s = url + 7; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f || strchr("/?#@", *s))
			return false;
	return true;
}

void ask_worker(struct buf *b, const char *host)
{
	buf_addf(b, "GET /pub/worker HTTP/1.1\r\nHost: %s\r\n\r\n", host);
}

void ask_publish(struct buf *b, const char *host, struct channel ch, uint64_t seq, struct str body)
{
	buf_addf(b, "POST /pub/%s/%llu HTTP/1.1\r\nHost: %s\r\n"
		"Content-Type: application/json; seq=%llu\r\nContent-Length: %zu\r\n\r\n", channel_kind_name(ch.kind),
		(unsigned long long)ch.id, host, (unsigned long long)seq, body.len);
	buf_addstr(b, body);
}

void ask_close(struct buf *b, const char *host, struct channel ch)
{
	buf_addf(b, "DELETE /pub/%s/%llu HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", channel_kind_name(ch.kind),
		(unsigned long long)ch.id, host);
}
