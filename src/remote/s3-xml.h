/*
 * What an S3 server answers: the few elements that are needed, found in the text.
 * Not a reader of XML: elements of one name are never nested in these answers.
 * Pure, without memory of its own.
 */
#ifndef REMOTE_S3_XML_H
#define REMOTE_S3_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

struct s3_xml {
	const char *data;
	size_t len;
};

/* The content of the next element of that name; *x then begins behind it. */
bool s3_xml_next(struct s3_xml *x, const char *name, struct s3_xml *ret);
/* The text of the first element of that name: no elements in it, the five entities
 * replaced, no control characters, shorter than cap. */
bool s3_xml_text(struct s3_xml x, const char *name, char *ret, size_t cap);
/* A decimal number, at most 2^53-1. */
bool s3_xml_number(struct s3_xml x, const char *name, uint64_t *ret);
/* Text as it has to be written. */
void s3_xml_escape(const char *text, struct buf *ret);

#endif
