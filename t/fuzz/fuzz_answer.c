/* fuzz_answer.c - any bytes as the answer of a push instance: its parts lie within what came, and more bytes never unsay a head.
 * Owns: what must hold whatever comes in. Built with libFuzzer (README). */
#include <stdlib.h>
#include "push_answer.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_whole(struct str text, const struct answer_head *head)
{
	struct answer_head again;

	must(head->size >= 16 && head->size <= text.len);
	must(head->status >= 200 && head->status <= 599);
	must(head->length <= INT64_MAX || (head->length == ANSWER_TO_THE_END && !head->is_kept));
	must(answer_read((struct str){ text.s, head->size }, &again) == ANSWER_WHOLE);
	must(again.status == head->status && again.size == head->size);
	must(answer_read((struct str){ text.s, head->size - 1 }, &again) == ANSWER_MORE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct answer_head head, part;
	enum answer_state state = answer_read(text, &head);

	if (state == ANSWER_WHOLE)
		check_whole(text, &head);
	/* What is bad stays bad; what was not stays open in all that came before. */
	for (size_t n = 0; n < size; n++) {
		enum answer_state before = answer_read((struct str){ text.s, n }, &part);

		if (state == ANSWER_MORE)
			must(before == ANSWER_MORE);
		if (before == ANSWER_BAD)
			must(state == ANSWER_BAD);
	}
	return 0;
}
