#include "base/options.h"

#include <errno.h>
#include <string.h>

#define OPTIONS_WIDTH 80
#define OPTIONS_INDENT 10   /* of what does not fit into the usage's line; a blank follows */

static const struct option *
options_find_long(const struct option *table, const char *name, size_t len)
{
	for (; table->kind != OPTION_END; table++)
		if (table->name != NULL && strlen(table->name) == len &&
		    memcmp(table->name, name, len) == 0)
			return table;
	return NULL;
}

static const struct option *
options_find_letter(const struct option *table, char letter)
{
	for (; table->kind != OPTION_END; table++)
		if (table->letter == letter)
			return table;
	return NULL;
}

static bool
options_takes_value(const struct option *o)
{
	return o->kind == OPTION_STRING || o->kind == OPTION_ONCE || o->kind == OPTION_STRINGS ||
	    o->kind == OPTION_INT;
}

static int
options_set_int(const struct option *o, const char *text, const char *shown, struct err *e)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9')
		return err_set(e, ERR_USAGE, "%s: expected a number, not \"%s\"", shown, text);
	*(int64_t *)o->value = n;
	return 0;
}

static int
options_add_string(struct option_list *l, const char *text, struct err *e)
{
	const char **items = reallocarray(l->items, l->count + 1, sizeof *items);

	if (items == NULL)
		return err_nomem(e);
	l->items = items;
	l->items[l->count++] = text;
	return 0;
}

/* Of one value given twice nobody can know which was meant. */
static int
options_once(const struct option *table, const struct option *o, uint64_t *seen, const char *shown,
    struct err *e)
{
	uint64_t bit = (uint64_t)1 << (o - table) % 64;

	if (o->kind != OPTION_ONCE)
		return 0;
	if ((*seen & bit) != 0)
		return err_set(e, ERR_USAGE, "%.*s is given twice", (int)strcspn(shown, "="), shown);
	*seen |= bit;
	return 0;
}

static int
options_set(const struct option *o, const char *text, const char *shown, struct err *e)
{
	switch (o->kind) {
	case OPTION_FLAG:
	case OPTION_HELP:
		*(bool *)o->value = true;
		return 0;
	case OPTION_STRING:
	case OPTION_ONCE:
		*(const char **)o->value = text;
		return 0;
	case OPTION_OPTIONAL:
		*(const char **)o->value = text != NULL ? text : "";
		return 0;
	case OPTION_STRINGS:
		return options_add_string(o->value, text, e);
	case OPTION_INT:
		return options_set_int(o, text, shown, e);
	case OPTION_END:
		break;
	}
	return err_set(e, ERR_INTERNAL, "%s: bad option table", shown);
}

/* argv[*i] is "--name" or "--name=value". */
static int
options_long(const struct option *table, int argc, char **argv, int *i, uint64_t *seen,
    struct err *e)
{
	const char *arg = argv[*i];
	size_t len = strcspn(arg + 2, "=");
	const struct option *o = options_find_long(table, arg + 2, len);
	const char *value = arg[2 + len] == '=' ? arg + 2 + len + 1 : NULL;

	if (o == NULL)
		return err_set(e, ERR_USAGE, "unknown option %.*s", (int)len + 2, arg);
	if (!options_takes_value(o) && o->kind != OPTION_OPTIONAL && value != NULL)
		return err_set(e, ERR_USAGE, "--%s takes no value", o->name);
	if (options_takes_value(o) && value == NULL) {
		if (*i + 1 >= argc)
			return err_set(e, ERR_USAGE, "--%s needs a value", o->name);
		value = argv[++*i];
	}
	return options_once(table, o, seen, arg, e) != 0 ? -1 : options_set(o, value, arg, e);
}

/* argv[*i] is "-abc", "-xvalue" or "-x". */
static int
options_short(const struct option *table, int argc, char **argv, int *i, uint64_t *seen,
    struct err *e)
{
	for (const char *p = argv[*i] + 1; *p != '\0'; p++) {
		const struct option *o = options_find_letter(table, *p);
		char shown[3] = {'-', *p, '\0'};
		const char *value = p + 1;

		if (o == NULL)
			return err_set(e, ERR_USAGE, "unknown option -%c", *p);
		if (!options_takes_value(o)) {
			if (options_set(o, NULL, shown, e) != 0)
				return -1;
			continue;
		}
		if (*value == '\0' && *i + 1 >= argc)
			return err_set(e, ERR_USAGE, "-%c needs a value", *p);
		if (options_once(table, o, seen, shown, e) != 0)
			return -1;
		return options_set(o, *value != '\0' ? value : argv[++*i], shown, e);
	}
	return 0;
}

int
options_parse(const struct option *table, int argc, char **argv, int *ret_argc, struct err *e)
{
	bool only_arguments = false;
	uint64_t seen = 0;              /* bit n: the table's option n */
	int kept = 0;

	for (int i = 1; i < argc; i++) {
		char *arg = argv[i];
		int rc = 0;

		if (only_arguments || arg[0] != '-' || arg[1] == '\0')
			argv[kept++] = arg;
		else if (strcmp(arg, "--") == 0)
			only_arguments = true;
		else if (arg[1] == '-')
			rc = options_long(table, argc, argv, &i, &seen, e);
		else
			rc = options_short(table, argc, argv, &i, &seen, e);
		if (rc != 0)
			return -1;
	}
	*ret_argc = kept;
	return 0;
}

/* The length of what is not broken: brackets, an option with its value, else a word. */
static size_t
options_piece(const char *text)
{
	size_t len = 0;
	int depth = 0;

	for (; text[len] != '\0'; len++) {
		depth += (text[len] == '[') - (text[len] == ']');
		if (text[len] == ' ' && depth == 0 && (text[0] != '-' || strchr("[-|", text[len + 1]) != NULL))
			break;
	}
	return len;
}

static void
options_synopsis(FILE *out, const char *command, const char *synopsis)
{
	size_t start = strlen("usage: ") + strlen(command), column = start, len;

	fprintf(out, "usage: %s", command);
	for (; *synopsis != '\0'; synopsis += len + (synopsis[len] == ' ')) {
		len = options_piece(synopsis);
		if (len == 1 && *synopsis == '|') {
			fprintf(out, "\n%*s%s", (int)strlen("usage: "), "", command);
			column = start;
			continue;
		}
		if (column + 1 + len > OPTIONS_WIDTH && column > OPTIONS_INDENT) {
			fprintf(out, "\n%*s", OPTIONS_INDENT, "");
			column = OPTIONS_INDENT;
		}
		fprintf(out, " %.*s", (int)len, synopsis);
		column += 1 + len;
	}
	fputc('\n', out);
}

void
options_usage(FILE *out, const char *command, const char *synopsis, const struct option *table)
{
	options_synopsis(out, command, synopsis);
	for (; table->kind != OPTION_END; table++) {
		char left[64] = "    ";
		size_t n;

		if (table->letter != 0)
			snprintf(left, sizeof left, "-%c%s", table->letter, table->name != NULL ? ", " : "");
		n = strlen(left);
		if (table->name != NULL)
			snprintf(left + n, sizeof left - n, "--%s", table->name);
		n = strlen(left);
		if (table->arg != NULL)
			snprintf(left + n, sizeof left - n, " %s", table->arg);
		fprintf(out, "  %-24s  %s\n", left, table->help);
	}
}

void
options_list_free(struct option_list *l)
{
	free(l->items);
	*l = (struct option_list){0};
}
