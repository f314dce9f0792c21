/* push_answer.c - see push_answer.h. */
#include "push_answer.h"

#define VERSION "HTTP/1."
/* "HTTP/1.1 200" */
#define STATUS_LINE_MIN 12
#define SWITCHING_PROTOCOLS 101

/* The line at text.s[at], without its CR LF, and where the next one begins. A line that has a CR or LF elsewhere is none. */
static enum answer_state next_line(struct str text, size_t *at, struct str *line)
{
	const char *begin = text.s + *at, *end = memchr(begin, '\n', text.len - *at);
	if (!end)
		return ANSWER_MORE;
	*line = (struct str){ begin, (size_t)(end - begin) };
	*at += line->len + 1;
	if (line->len == 0 || line->s[--line->len] != '\r' || memchr(line->s, '\r', line->len))
		return ANSWER_BAD;
	return ANSWER_WHOLE;
}

/* "HTTP/1.1 202 Accepted"; the reason may be absent, and before it the space too. */
static bool read_status_line(struct str line, struct answer_head *head)
{
	uint64_t status;
	const char *s = line.s;
	if (line.len < STATUS_LINE_MIN || memcmp(s, VERSION, sizeof VERSION - 1) || s[7] < '0' || s[7] > '9' || s[8] != ' ' ||
			(line.len > STATUS_LINE_MIN && s[STATUS_LINE_MIN] != ' ') || !str_to_uint((struct str){ s + 9, 3 }, 599, &status) ||
			status < 100 || status == SWITCHING_PROTOCOLS)
		return false;
	*head = (struct answer_head){ .status = (int)status, .length = ANSWER_TO_THE_END, .is_kept = s[7] != '0' };
	return true;
}

/* Lists of the same number are allowed; who sends more than one is not worth the trouble. */
static bool read_length(struct str value, struct answer_head *head)
{
	return head->length == ANSWER_TO_THE_END && str_to_uint(value, INT64_MAX, &head->length);
}

static void read_connection(struct str list, struct answer_head *head)
{
	while (list.len) {
		struct str option = str_trim(str_cut(list, ',', &list));
		if (str_is_nocase(option, "close"))
			head->is_kept = false;
	}
}

static bool read_field(struct str line, struct answer_head *head, bool *is_coded)
{
	struct str value, name = str_cut(line, ':', &value);
	/* No colon, no name, a line that goes on with the one before, or white space where a name ends (section 5.1). */
	if (name.len == 0 || name.len == line.len || memchr(name.s, ' ', name.len) || memchr(name.s, '\t', name.len))
		return false;
	value = str_trim(value);
	if (str_is_nocase(name, "content-length"))
		return read_length(value, head);
	if (str_is_nocase(name, "transfer-encoding"))
		*is_coded = true;
	else if (str_is_nocase(name, "connection"))
		read_connection(value, head);
	return true;
}

/* Section 6.3. What is sent in pieces is not put together, since nchan never does so. */
static bool find_length(struct answer_head *head, bool is_coded)
{
	bool has_length = head->length != ANSWER_TO_THE_END;
	if (is_coded && has_length)
		return false;
	if (is_coded || head->status == 204 || head->status == 304 || head->status < 200)
		head->length = 0;
	head->is_kept = head->is_kept && !is_coded && head->length != ANSWER_TO_THE_END;
	return true;
}

static enum answer_state read_head(struct str text, size_t *at, struct answer_head *head)
{
	struct str line;
	bool is_coded = false;
	enum answer_state state = next_line(text, at, &line);
	if (state != ANSWER_WHOLE)
		return state;
	if (!read_status_line(line, head))
		return ANSWER_BAD;
	while ((state = next_line(text, at, &line)) == ANSWER_WHOLE && line.len)
		if (!read_field(line, head, &is_coded))
			return ANSWER_BAD;
	if (state == ANSWER_WHOLE && !find_length(head, is_coded))
		return ANSWER_BAD;
	return state;
}

enum answer_state answer_read(struct str text, struct answer_head *head)
{
	enum answer_state state;
	size_t at = 0;
	do
		state = read_head(text, &at, head);
	while (state == ANSWER_WHOLE && head->status < 200);
	head->size = at;
	return state;
}
