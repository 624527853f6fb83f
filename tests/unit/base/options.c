#include "unit.h"

#include <inttypes.h>
#include <string.h>
#include "base/options.h"

struct options_values {
	bool all, verbose, help;
	const char *file, *key;
	struct option_list names;
	int64_t number;
};

#define OPTIONS_TABLE(v) { \
	{OPTION_FLAG, 'a', "all", &(v)->all, NULL, "every one"}, \
	{OPTION_FLAG, 'v', NULL, &(v)->verbose, NULL, "say more"}, \
	{OPTION_STRING, 'f', "file", &(v)->file, "FILE", "read FILE"}, \
	{OPTION_ONCE, 'k', "key", &(v)->key, "KEY", "one"}, \
	{OPTION_STRINGS, 0, "name", &(v)->names, "NAME", "may be repeated"}, \
	{OPTION_INT, 'n', "number", &(v)->number, "N", "how many"}, \
	{OPTION_HELP, 'h', "help", &(v)->help, NULL, "this text"}, \
	{OPTION_END, 0, NULL, NULL, NULL, NULL}}

#define OPTIONS_ARGV_MAX 12

/* Splits line at '|' into argv[1..]; the copy in text keeps the words. */
static int
options_split(const char *line, char *text, size_t cap, char **argv)
{
	int argc = 0;

	argv[argc++] = (char *)"command";
	snprintf(text, cap, "%s", line);
	for (char *p = text; *line != '\0';) {
		char *bar = strchr(p, '|');

		ck_assert_int_lt(argc, OPTIONS_ARGV_MAX);
		argv[argc++] = p;
		if (bar == NULL)
			break;
		*bar = '\0';
		p = bar + 1;
	}
	argv[argc] = NULL;
	return argc;
}

static int
options_run(const char *line, struct options_values *v, char *text, size_t cap, char **argv,
    struct err *e)
{
	const struct option table[] = OPTIONS_TABLE(v);
	int argc = options_split(line, text, cap, argv);
	int left = -1;

	if (options_parse(table, argc, argv, &left, e) != 0) {
		ck_assert_int_eq(left, -1);
		return -1;
	}
	return left;
}

static const struct {
	const char *line;
	const char *expected; /* all verbose help file number names / arguments */
} options_good[] = {
	{"", "0 0 0 - -1 [] /"},
	{"-a", "1 0 0 - -1 [] /"},
	{"--all", "1 0 0 - -1 [] /"},
	{"-av", "1 1 0 - -1 [] /"},
	{"-h", "0 0 1 - -1 [] /"},
	{"--help", "0 0 1 - -1 [] /"},
	{"-f|x", "0 0 0 x -1 [] /"},
	{"-fx", "0 0 0 x -1 [] /"},
	{"-avfx", "1 1 0 x -1 [] /"},
	{"-avf|x", "1 1 0 x -1 [] /"},
	{"--file=x", "0 0 0 x -1 [] /"},
	{"--file=", "0 0 0  -1 [] /"},
	{"--file=a=b", "0 0 0 a=b -1 [] /"},
	{"--file|x", "0 0 0 x -1 [] /"},
	{"-f|-a", "0 0 0 -a -1 [] /"}, /* a value is taken as it is */
	{"-f|x|-f|y", "0 0 0 y -1 [] /"}, /* the last one wins */
	{"-n5", "0 0 0 - 5 [] /"},
	{"-n|0", "0 0 0 - 0 [] /"},
	{"--number=9223372036854775807", "0 0 0 - 9223372036854775807 [] /"},
	{"--name|a|--name=b|--name|", "0 0 0 - -1 [a,b,,] /"},
	{"one|-a|two", "1 0 0 - -1 [] /one/two"}, /* options and arguments mix */
	{"--|-a|--all", "0 0 0 - -1 [] /-a/--all"},
	{"-a|--|--|x", "1 0 0 - -1 [] /--/x"},
	{"-", "0 0 0 - -1 [] /-"},
	{"|", "0 0 0 - -1 [] //"},
};

START_TEST(test_options_parse)
{
	struct options_values v = {.number = -1};
	char *argv[OPTIONS_ARGV_MAX + 1], text[256], got[256];
	struct err e = {0};
	int left = options_run(options_good[_i].line, &v, text, sizeof text, argv, &e);
	size_t n;

	ck_assert_msg(left >= 0, "%s: %s", options_good[_i].line, e.msg);
	n = (size_t)snprintf(got, sizeof got, "%d %d %d %s %" PRId64 " [", v.all, v.verbose, v.help,
	    v.file != NULL ? v.file : "-", v.number);
	for (size_t i = 0; i < v.names.count; i++)
		n += (size_t)snprintf(got + n, sizeof got - n, "%s%s",
		    v.names.items[i], i + 1 < v.names.count || *v.names.items[i] == '\0' ? "," : "");
	n += (size_t)snprintf(got + n, sizeof got - n, "] %s", left == 0 ? "/" : "");
	for (int i = 0; i < left; i++)
		n += (size_t)snprintf(got + n, sizeof got - n, "/%s", argv[i]);
	ck_assert_str_eq(got, options_good[_i].expected);
	options_list_free(&v.names);
	ck_assert_uint_eq(v.names.count, 0);
}
END_TEST

static const struct {
	const char *line;
	const char *named; /* the option the message names */
} options_bad[] = {
	{"-x", "-x"}, {"--nothing", "--nothing"}, {"--al", "--al"}, {"--allx", "--allx"},
	{"--all=1", "--all"}, {"--help=", "--help"}, {"--nothing=1", "--nothing"},
	{"-ax", "-x"}, {"-f", "-f"}, {"-af", "-f"}, {"--file", "--file"}, {"---all", "---all"},
	{"--=x", "--"}, {"-a-", "--"}, {"-n", "-n"}, {"-n|", "-n"}, {"-n|x", "-n"},
	{"-n|-1", "-n"}, {"-n|+1", "-n"}, {"-n| 1", "-n"}, {"-n|1 ", "-n"}, {"-n|1x", "-n"},
	{"-n|0x10", "-n"}, {"-n|1.5", "-n"}, {"--number=9223372036854775808", "--number"},
	{"--number=", "--number"}, {"--key=x|--key|x", "--key is given twice"},
	{"--key|x|--key=y", "--key is given twice"}, {"-k|x|--key=y", "--key is given twice"},
	{"-kx|-ky", "-k is given twice"},
};

START_TEST(test_options_refuse)
{
	struct options_values v = {.number = -1};
	char *argv[OPTIONS_ARGV_MAX + 1], text[256];
	struct err e;

	UNIT_FAILS(options_run(options_bad[_i].line, &v, text, sizeof text, argv, &e), &e, ERR_USAGE);
	ck_assert_msg(strstr(e.msg, options_bad[_i].named) != NULL, "%s", e.msg);
	ck_assert_int_eq(v.number, -1);
	options_list_free(&v.names);
}
END_TEST

/* A default is no first time; others may come again. */
START_TEST(test_options_once)
{
	struct options_values v = {.key = "default"};
	char *argv[OPTIONS_ARGV_MAX + 1], text[256];
	struct err e;

	ck_assert_int_eq(options_run("-k|x|-a|-a|--name|a|--name|a", &v, text, sizeof text, argv, &e), 0);
	ck_assert_str_eq(v.key, "x");
	ck_assert_uint_eq(v.names.count, 2);
	options_list_free(&v.names);
}
END_TEST

START_TEST(test_options_usage)
{
	struct options_values v = {0};
	const struct option table[] = OPTIONS_TABLE(&v);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	options_usage(out, "aicert test", "[-a] FILE", table);
	fclose(out);
	ck_assert_str_eq(text,
	    "usage: aicert test [-a] FILE\n"
	    "  -a, --all                 every one\n"
	    "  -v                        say more\n"
	    "  -f, --file FILE           read FILE\n"
	    "  -k, --key KEY             one\n"
	    "      --name NAME           may be repeated\n"
	    "  -n, --number N            how many\n"
	    "  -h, --help                this text\n");
	free(text);
	out = open_memstream(&text, &len);
	options_usage(out, "aicert x", "", table + 7);
	fclose(out);
	ck_assert_str_eq(text, "usage: aicert x\n");
	free(text);
	out = open_memstream(&text, &len);
	options_usage(out, "aicert x", "[-a | -b] [--one FILE --two FILE] --three A|B [--four FILE ...]"
	    " --five FILE NAME | --six | list", table + 7);
	fclose(out);
	ck_assert_str_eq(text,
	    "usage: aicert x [-a | -b] [--one FILE --two FILE] --three A|B [--four FILE ...]\n"
	    "           --five FILE NAME\n"
	    "       aicert x --six\n"
	    "       aicert x list\n");
	free(text);
}
END_TEST

UNIT_SUITE(options)
{
	tcase_add_loop_test(tc, test_options_parse, 0, sizeof options_good / sizeof options_good[0]);
	tcase_add_loop_test(tc, test_options_refuse, 0, sizeof options_bad / sizeof options_bad[0]);
	tcase_add_test(tc, test_options_once);
	tcase_add_test(tc, test_options_usage);
}
