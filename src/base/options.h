/*
 * Command line options as a table that also prints the usage.  Values are
 * written through the pointers of the table: a command fills a struct on its
 * own stack, so nothing is kept at file scope.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/err.h"

enum option_kind {
	OPTION_END = 0,
	OPTION_FLAG,    /* bool *: set true */
	OPTION_STRING,  /* const char **: the last one wins, so that a wrapper can be overruled */
	OPTION_ONCE,    /* const char **: given twice it is refused, since one would not be judged */
	OPTION_STRINGS, /* struct option_list *: may be repeated */
	OPTION_OPTIONAL,/* const char **: "" without a value; only --name=value gives one */
	OPTION_INT,     /* int64_t *: decimal, >= 0 */
	OPTION_HELP     /* -h, --help: bool * */
};

struct option_list {
	const char **items; /* borrowed from argv */
	size_t count;
};

struct option {
	enum option_kind kind;
	char letter;            /* 0: none */
	const char *name;       /* without the dashes; NULL: none */
	void *value;
	const char *arg;        /* name of the argument in the usage, or NULL */
	const char *help;       /* one line */
};

/*
 * Parses argv[1..]; options and arguments may be mixed, "--" ends options,
 * "--name=value", "--name value", "-xvalue", "-x value", bundled flags.
 * The arguments are moved to the front of argv and counted in *ret_argc.
 * ERR_USAGE names the option.
 */
int options_parse(const struct option *table, int argc, char **argv, int *ret_argc,
    struct err *e) MUST_CHECK;
/* synopsis: the arguments part, e.g. "[-n N] [FILE|REV]"; " | " outside of brackets is between
 * forms, each of which gets a line of its own. */
void options_usage(FILE *out, const char *command, const char *synopsis,
    const struct option *table);
void options_list_free(struct option_list *l);

#endif
