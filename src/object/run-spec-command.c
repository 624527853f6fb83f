#include "object/run-spec.h"

#include <string.h>

static void
run_spec_quoted(const char *word, struct buf *ret)
{
	buf_addc(ret, '\'');
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			buf_adds(ret, "'\\''");
		else
			buf_addc(ret, *word);
	}
	buf_addc(ret, '\'');
}

void
run_spec_command(const struct run_spec *s, struct buf *ret)
{
	for (size_t i = 0; i < s->command_count; i++) {
		const char *word = s->command[i];

		buf_adds(ret, i > 0 ? " " : "");
		if (*word != '\0' && strpbrk(word, " \t\n\"'\\$`;&|<>()*?[]#~") == NULL)
			buf_adds(ret, word);
		else
			run_spec_quoted(word, ret);
	}
}
