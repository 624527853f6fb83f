/* How a value of canonical JSON lies in memory: for the jcs files only. */
#ifndef CODEC_JCS_NODE_H
#define CODEC_JCS_NODE_H

#include "codec/jcs.h"

struct jcs_slot {
	char *name;         /* member of an object; NULL in an array */
	struct jcs *value;
};

struct jcs {
	enum jcs_type type;
	bool failed;        /* a call that built this value or a child failed */
	bool truth;
	int64_t number;
	char *text;
	struct jcs_slot *slots; /* of an object: sorted by name */
	size_t count;
	size_t cap;
};

#endif
