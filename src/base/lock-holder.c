#include "base/lock-holder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/timestamp.h"

#define LOCK_HOLDER_HOST 128
#define LOCK_HOLDER_WORD 32

static void
lock_holder_host(char ret[LOCK_HOLDER_HOST])
{
	if (gethostname(ret, LOCK_HOLDER_HOST) != 0)
		snprintf(ret, LOCK_HOLDER_HOST, "?");
	ret[LOCK_HOLDER_HOST - 1] = '\0';
	for (char *p = ret; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			*p = '_';
	if (*ret == '\0')
		snprintf(ret, LOCK_HOLDER_HOST, "?");
}

/* A command's name has only these; anything else could be a secret. */
static bool
lock_holder_is_command(const char *word)
{
	size_t len = strlen(word);

	return len > 0 && len < LOCK_HOLDER_WORD && strspn(word, "abcdefghijklmnopqrstuvwxyz-") == len &&
	    word[0] != '-';
}

/* The words of /proc/self/cmdline end with a NUL each, and the buffer with another. */
static const char *
lock_holder_verb(const char *p, const char *end)
{
	for (p += strlen(p) + 1; p < end; p += strlen(p) + 1) {
		if (strcmp(p, "-C") == 0) {
			p += strlen(p) + 1;
			if (p >= end)
				break;
		} else {
			return lock_holder_is_command(p) ? p : "";
		}
	}
	return "";
}

static void
lock_holder_command(char *ret, size_t cap)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT;
	const char *program, *slash, *verb;
	struct err ignored;

	if (fd_read_file(AT_FDCWD, "/proc/self/cmdline", 4 * 1024 * 1024, &line, &ignored) != 0 ||
	    line.len == 0) {
		snprintf(ret, cap, "?");
		return;
	}
	program = buf_str(&line);
	verb = lock_holder_verb(program, program + line.len);
	slash = strrchr(program, '/');
	snprintf(ret, cap, "%.*s%s%s", LOCK_HOLDER_WORD, slash != NULL ? slash + 1 : program,
	    *verb != '\0' ? " " : "", verb);
}

void
lock_holder_self(char ret[LOCK_HOLDER_SIZE])
{
	char host[LOCK_HOLDER_HOST], since[TIMESTAMP_SIZE], command[2 * LOCK_HOLDER_WORD + 2];

	lock_holder_host(host);
	lock_holder_command(command, sizeof command);
	if (timestamp_format(since, timestamp_now(), NULL) != 0)
		snprintf(since, sizeof since, "?");
	snprintf(ret, LOCK_HOLDER_SIZE, "%ld %.100s %s %.70s", (long)getpid(), host, since, command);
}

/* The four parts; false when there are not four. */
static bool
lock_holder_split(char *line, char *ret[4])
{
	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < 4; i++) {
		ret[i] = line;
		if (i == 3)
			break;
		line = strchr(line, ' ');
		if (line == NULL)
			return false;
		*line++ = '\0';
	}
	return ret[0][0] != '\0' && strspn(ret[0], "0123456789") == strlen(ret[0]) &&
	    ret[1][0] != '\0' && ret[2][0] != '\0' && ret[3][0] != '\0';
}

void
lock_holder_say(const char *line, char *ret, size_t cap)
{
	char copy[LOCK_HOLDER_SIZE], *part[4];

	snprintf(copy, sizeof copy, "%s", line);
	if (lock_holder_split(copy, part))
		snprintf(ret, cap, "process %s on %s (%s) since %s", part[0], part[1], part[3], part[2]);
	else
		snprintf(ret, cap, "process %.*s", (int)strcspn(line, "\n"), line);
}

bool
lock_holder_here(const char *line)
{
	char copy[LOCK_HOLDER_SIZE], host[LOCK_HOLDER_HOST], *part[4];

	snprintf(copy, sizeof copy, "%s", line);
	lock_holder_host(host);
	host[100] = '\0';
	return lock_holder_split(copy, part) && strcmp(part[1], host) == 0;
}
