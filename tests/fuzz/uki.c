/* UKIs: whatever is accepted is predicted, and the prediction has its own events. */
#include "fuzz.h"

#include "evidence/uki.h"

static void
fuzz_predict(const struct uki *u, const struct uki_boot *b)
{
	struct uki_prediction p;
	size_t sections = 0;
	struct err e;

	if (uki_predict(u, b, &p, &e) != 0)
		abort();
	for (size_t i = 0; i < UKI_SECTIONS; i++)
		sections += u->sections[i].data != NULL;
	if (p.count != (b->secure_boot ? 5u : 6u) + 2 * sections)
		abort();
	for (size_t i = 0; i < p.count; i++) {
		if (p.events[i].pcr != 4 && p.events[i].pcr != 9 && p.events[i].pcr != 11)
			abort();
	}
}

static void
fuzz_inside(const uint8_t *data, size_t len, const unsigned char *p, size_t n)
{
	if (p != NULL && (p < data || n > len || p > data + (len - n)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[UKI_TEXT_MAX];
	struct uki u;
	struct err e;

	if (uki_decode(data, len, &u, &e) != 0)
		return 0;
	for (size_t i = 0; i < UKI_SECTIONS; i++)
		fuzz_inside(data, len, u.sections[i].data, u.sections[i].len);
	fuzz_predict(&u, &(struct uki_boot){false, false});
	fuzz_predict(&u, &(struct uki_boot){true, true});
	uki_osrel(&u, "IMAGE_ID", text);
	return 0;
}
