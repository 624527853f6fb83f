/* aicert image measure --check: the log of a boot beside what was predicted. */
#include "cmd/image-measure.h"

#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "cmd/cmd.h"

/* The boot and bank with the fewest differences; among banks, the one with the most. */
struct image_nearest {
	const struct image_boot *boot;
	size_t bank;
	struct uki_comparison comparison;
};

static void
image_nearest_free(struct image_nearest *n)
{
	uki_comparison_free(&n->comparison);
}

/* Both banks have to agree: the one that differs more speaks for the boot. */
static int
image_compare_boot(const struct image_boot *b, const struct event_log *l, struct image_nearest *n,
    bool *ret_any, struct err *e)
{
	*ret_any = false;
	for (size_t bank = 0; bank < UKI_BANKS; bank++) {
		struct uki_comparison c;
		size_t at;

		if (!event_log_bank(l, uki_banks[bank], &at))
			continue;
		if (uki_compare(&b->prediction, bank, l, at, &c, e) != 0)
			return -1;
		if (*ret_any && c.differ <= n->comparison.differ) {
			uki_comparison_free(&c);
			continue;
		}
		uki_comparison_free(&n->comparison);
		*n = (struct image_nearest){.boot = b, .bank = bank, .comparison = c};
		*ret_any = true;
	}
	return 0;
}

static int
image_find_nearest(const struct image *m, const struct event_log *l, struct image_nearest *n,
    struct err *e)
{
	for (size_t i = 0; i < m->count; i++) {
		CLEANUP(image_nearest_free) struct image_nearest one = {0};
		struct image_nearest last = *n;
		bool any;

		if (image_compare_boot(&m->boots[i], l, &one, &any, e) != 0)
			return -1;
		if (!any)
			return err_set(e, ERR_REFUSED, "the log has neither a sha256 nor a sha384 bank");
		if (n->boot != NULL && one.comparison.differ >= n->comparison.differ)
			continue;
		*n = one;
		one = last;
	}
	return 0;
}

static void
image_print_finding(const struct event_log *l, const struct uki_finding *f)
{
	static const char *const words[] = {
		[UKI_SAME] = "as predicted", [UKI_CHANGED] = "DIFFERS", [UKI_ADDED] = "NOT PREDICTED",
		[UKI_MISSING] = "MISSING",
	};
	char type[EVENT_LOG_NAME_SIZE] = "-", text[EVENT_LOG_TEXT_MAX] = "";

	printf("%4u  ", f->pcr);
	if (f->kind != UKI_MISSING) {
		event_log_type_name(l->events[f->logged].type, type);
		event_log_text(&l->events[f->logged], text);
		printf("%5zu  ", f->logged);
	} else {
		printf("    -  ");
	}
	printf("%-34s  %-13s  %s", type, words[f->kind],
	    f->predicted != NULL ? f->predicted->what : "");
	if (f->kind != UKI_SAME && text[0] != '\0')
		printf("%s\"%s\"", f->predicted != NULL ? ": " : "", text);
	putchar('\n');
}

/* What a stray event in these PCRs comes from, in words. */
static void
image_print_hints(const struct uki_comparison *c)
{
	static const struct {
		unsigned pcr;
		const char *hint;
	} hints[] = {
		{8, "PCR 8: a boot loader (GRUB) ran, or commands of one"},
		{12, "PCR 12: load options, or credentials beside the image"},
		{13, "PCR 13: system extensions beside the image"},
	};

	for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
		for (size_t k = 0; k < c->count; k++) {
			if (c->findings[k].pcr == hints[i].pcr && c->findings[k].kind == UKI_ADDED) {
				puts(hints[i].hint);
				break;
			}
		}
	}
}

static int
image_print_comparison(const struct image *m, const struct event_log *l,
    const struct image_nearest *n, struct err *e)
{
	const struct uki_comparison *c = &n->comparison;

	printf(" PCR  EVENT  TYPE                                RESULT         WHAT\n");
	for (size_t i = 0; i < c->count; i++)
		image_print_finding(l, &c->findings[i]);
	image_print_hints(c);
	printf("%s, bank %s: %zu of %zu events differ\n", n->boot->platform,
	    hash_name(uki_banks[n->bank]), c->differ, c->count);
	if (c->differ == 0)
		return 0;
	return err_set(e, ERR_REFUSED, "the boot is not one of %s: %zu event%s", m->path, c->differ,
	    c->differ == 1 ? " differs" : "s differ");
}

int
image_check(const struct image *m, const char *log, struct err *e)
{
	CLEANUP(image_nearest_free) struct image_nearest n = {0};
	CLEANUP(event_log_free) struct event_log l = {0};
	CLEANUP(buf_free) struct buf data = BUF_INIT;

	if (fd_read_named(log, EVENT_LOG_BYTES_MAX, &data, e) != 0)
		return -1;
	if (event_log_decode(data.data, data.len, &l, e) != 0) {
		if (e->code == ERR_FORMAT || e->code == ERR_UNSUPPORTED)
			e->code = ERR_REFUSED;
		return err_prefix(e, "%s", log);
	}
	if (image_find_nearest(m, &l, &n, e) != 0)
		return err_prefix(e, "%s", log);
	return image_print_comparison(m, &l, &n, e);
}
