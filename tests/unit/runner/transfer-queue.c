#include "runner/transfer-internal.h"

#include <sched.h>
#include <string.h>
#include "fixture.h"
#include "unit.h"

static void
list_of(struct transfer_list *l, size_t n)
{
	struct err e;

	*l = (struct transfer_list){0};
	for (size_t i = 0; i < n; i++) {
		struct transfer_item item = {.size = i, .exact = true};

		memcpy(item.id.b, &i, sizeof i);
		UNIT_OK(transfer_list_add(l, &item, &e), &e);
	}
}

/* What the workers of one run do; their functions have no argument of the caller's. */
struct tally {
	struct link link;
	pthread_mutex_t lock;
	unsigned items, ends, failed_ends, threads;
	size_t bad;             /* the item of this size fails */
	bool wait;              /* until the others run too */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct tally tally;

static void
tally_init(void)
{
	pthread_mutex_init(&tally.lock, NULL);
}

static struct tally *
shared_tally(void)
{
	pthread_once(&once, tally_init);
	return &tally;
}

static int
count_item(struct transfer_worker *w, const struct transfer_item *item, struct err *e)
{
	struct tally *t = shared_tally();

	pthread_mutex_lock(&t->lock);
	t->items++;
	if (w->state == NULL)
		t->threads++;
	w->state = t;
	pthread_mutex_unlock(&t->lock);
	while (t->wait && __atomic_load_n(&t->threads, __ATOMIC_ACQUIRE) < TRANSFER_THREADS)
		sched_yield();
	transfer_queue_moved(w, item->size);
	if (item->size == t->bad)
		return err_set(e, ERR_REFUSED, "item %zu", (size_t)item->size);
	return 0;
}

static int
count_end(struct transfer_worker *w, bool failed, struct err *e)
{
	struct tally *t = shared_tally();

	(void)w;
	(void)e;
	pthread_mutex_lock(&t->lock);
	t->ends++;
	t->failed_ends += failed;
	pthread_mutex_unlock(&t->lock);
	return 0;
}

static int
run(struct store *s, size_t items, size_t bad, bool wait, struct err *e)
{
	CLEANUP(transfer_list_free) struct transfer_list l;
	struct tally *t = shared_tally();
	struct transfer_work w = {.link = &t->link, .store = s, .list = &l, .label = "x",
		.item = count_item, .end = count_end};
	int rc;

	t->items = t->ends = t->failed_ends = t->threads = 0;
	t->bad = bad;
	t->wait = wait;
	fixture_link(&t->link, "/nowhere");
	list_of(&l, items);
	rc = transfer_queue_run(&w, e);
	http_free(t->link.http);
	return rc;
}

START_TEST(every_item_once)
{
	struct store *s = fixture_store("every");
	struct tally *t = shared_tally();
	struct err e;

	UNIT_OK(run(s, 0, SIZE_MAX, false, &e), &e);
	ck_assert_uint_eq(t->items, 0);
	UNIT_OK(run(s, 1, SIZE_MAX, false, &e), &e);
	ck_assert_uint_eq(t->items, 1);
	ck_assert_uint_eq(t->threads, 1);
	UNIT_OK(run(s, 1000, SIZE_MAX, true, &e), &e);
	ck_assert_uint_eq(t->items, 1000);
	ck_assert_uint_eq(t->threads, TRANSFER_THREADS);
	ck_assert_uint_eq(t->ends, TRANSFER_THREADS);
	store_close(s);
}
END_TEST

START_TEST(the_first_failure_ends_it)
{
	struct store *s = fixture_store("failure");
	struct tally *t = shared_tally();
	struct err e;

	UNIT_FAILS(run(s, 100000, 5, false, &e), &e, ERR_REFUSED);
	ck_assert_str_eq(e.msg, "item 5");
	ck_assert_uint_lt(t->items, 100000);
	ck_assert_uint_ge(t->failed_ends, 1);
	store_close(s);
}
END_TEST

START_TEST(lists)
{
	CLEANUP(transfer_list_free) struct transfer_list l, more = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	list_of(&l, 300);
	for (size_t i = 0; i < 300; i++) {
		struct transfer_item item = l.items[i];

		UNIT_OK(transfer_list_add(&l, &item, &e), &e);
	}
	transfer_list_unique(&l);
	ck_assert_uint_eq(l.count, 300);
	UNIT_OK(transfer_list_encode(&l, &text, &e), &e);
	UNIT_OK(transfer_list_decode(text.data, text.len, &l, &more, &e), &e);
	ck_assert_uint_eq(more.count, 300);
	ck_assert_mem_eq(more.items, l.items, 300 * sizeof *l.items);
	ck_assert(transfer_list_has(&l, &more.items[299].id));
	/* more than was asked about */
	l.count = 299;
	UNIT_FAILS(transfer_list_decode(text.data, text.len, &l, &more, &e), &e, ERR_REFUSED);
}
END_TEST

UNIT_SUITE(runner_transfer_queue)
{
	tcase_add_test(tc, every_item_once);
	tcase_add_test(tc, the_first_failure_ends_it);
	tcase_add_test(tc, lists);
}
