#include "remote/s3-xml.h"

#include <string.h>
#include "unit.h"

static struct s3_xml
xml(const char *text)
{
	return (struct s3_xml){text, strlen(text)};
}

START_TEST(s3_xml_elements)
{
	struct s3_xml x = xml("<?xml?><A><Part x='1'><N>1</N></Part><Part/><Parts>no</Parts>"
	    "<Part><N>2</N></Part></A>"), one;
	char text[8];

	ck_assert(s3_xml_next(&x, "Part", &one));
	ck_assert(s3_xml_text(one, "N", text, sizeof text));
	ck_assert_str_eq(text, "1");
	ck_assert(s3_xml_next(&x, "Part", &one));
	ck_assert_uint_eq(one.len, 0);
	ck_assert(s3_xml_next(&x, "Part", &one));
	ck_assert(s3_xml_text(one, "N", text, sizeof text));
	ck_assert_str_eq(text, "2");
	ck_assert(!s3_xml_next(&x, "Part", &one));
}
END_TEST

START_TEST(s3_xml_texts)
{
	char text[8];

	ck_assert(s3_xml_text(xml("<E>&quot;a&amp;b&quot;</E>"), "E", text, sizeof text));
	ck_assert_str_eq(text, "\"a&b\"");
	ck_assert(s3_xml_text(xml("<E></E>"), "E", text, sizeof text));
	ck_assert_str_eq(text, "");
	ck_assert(s3_xml_text(xml("<E>1234567</E>"), "E", text, sizeof text));
	ck_assert(!s3_xml_text(xml("<E>12345678</E>"), "E", text, sizeof text));
	ck_assert(!s3_xml_text(xml("<E>a<b>c</E>"), "E", text, sizeof text));
	ck_assert(!s3_xml_text(xml("<E>a\nb</E>"), "E", text, sizeof text));
	ck_assert(!s3_xml_text(xml("<E>&x;</E>"), "E", text, sizeof text));
	ck_assert(!s3_xml_text(xml("<E>&#10;</E>"), "E", text, sizeof text));
	ck_assert(!s3_xml_text(xml("<E>a"), "E", text, sizeof text));
	ck_assert(!s3_xml_text(xml("<E"), "E", text, sizeof text));
	ck_assert(!s3_xml_text(xml(""), "E", text, sizeof text));
	ck_assert(!s3_xml_text((struct s3_xml){NULL, 0}, "E", text, sizeof text));
}
END_TEST

START_TEST(s3_xml_numbers)
{
	uint64_t n;

	ck_assert(s3_xml_number(xml("<N>9007199254740991</N>"), "N", &n));
	ck_assert_uint_eq(n, UINT64_C(9007199254740991));
	ck_assert(s3_xml_number(xml("<N>0</N>"), "N", &n));
	ck_assert(!s3_xml_number(xml("<N>9007199254740992</N>"), "N", &n));
	ck_assert(!s3_xml_number(xml("<N>-1</N>"), "N", &n));
	ck_assert(!s3_xml_number(xml("<N></N>"), "N", &n));
	ck_assert(!s3_xml_number(xml("<N>99999999999999999</N>"), "N", &n));
}
END_TEST

START_TEST(s3_xml_written)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	char text[32];

	buf_adds(&b, "<E>");
	s3_xml_escape("\"<&>'x\"", &b);
	buf_adds(&b, "</E>");
	ck_assert(s3_xml_text((struct s3_xml){(const char *)b.data, b.len}, "E", text, sizeof text));
	ck_assert_str_eq(text, "\"<&>'x\"");
}
END_TEST

UNIT_SUITE(remote_s3_xml)
{
	tcase_add_test(tc, s3_xml_elements);
	tcase_add_test(tc, s3_xml_texts);
	tcase_add_test(tc, s3_xml_numbers);
	tcase_add_test(tc, s3_xml_written);
}
