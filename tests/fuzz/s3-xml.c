#include "fuzz.h"

#include "remote/s3-xml.h"

/* A list of parts, as s3-multipart.c reads it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct s3_xml x = {(const char *)data, len}, part;
	char text[64];
	uint64_t n;
	size_t parts = 0;

	if (s3_xml_text(x, "Code", text, sizeof text) && strlen(text) >= sizeof text)
		abort();
	while (s3_xml_next(&x, "Part", &part)) {
		if (part.len > len || ++parts > len || x.len >= len)
			abort();
		(void)s3_xml_number(part, "PartNumber", &n);
		(void)s3_xml_text(part, "ETag", text, 8);
	}
	return 0;
}
