#include "git/lfs-pointer.h"

#include <string.h>
#include "base/hex.h"

#define LFS_POINTER_VERSION "version https://git-lfs.github.com/spec/v1\n"
#define LFS_POINTER_OID "oid sha256:"
#define LFS_POINTER_SIZE "size "

/* Behind the beginning of the line that begins so; the text ends with a NUL. */
static const char *
lfs_pointer_line(const char *text, const char *begin)
{
	for (const char *p = text; p != NULL; p = strchr(p, '\n'), p = p != NULL ? p + 1 : NULL)
		if (strncmp(p, begin, strlen(begin)) == 0)
			return p + strlen(begin);
	return NULL;
}

bool
lfs_pointer_decode(const void *data, size_t len, char *ret_hex, uint64_t *ret_size)
{
	char text[LFS_POINTER_MAX + 1];
	const char *oid, *size;
	uint64_t n = 0;

	if (len > LFS_POINTER_MAX || len < strlen(LFS_POINTER_VERSION) ||
	    memcmp(data, LFS_POINTER_VERSION, strlen(LFS_POINTER_VERSION)) != 0 ||
	    memchr(data, 0, len) != NULL)
		return false;
	memcpy(text, data, len);
	text[len] = '\0';
	oid = lfs_pointer_line(text, LFS_POINTER_OID);
	size = lfs_pointer_line(text, LFS_POINTER_SIZE);
	if (oid == NULL || size == NULL || strcspn(oid, "\n") != 64 || oid[64] != '\n')
		return false;
	memcpy(ret_hex, oid, 64);
	ret_hex[64] = '\0';
	if (!hex_is(ret_hex, 64) || *size < '0' || *size > '9')
		return false;
	for (; *size >= '0' && *size <= '9'; size++) {
		if (n > UINT64_C(9007199254740991) / 10)
			return false;
		n = n * 10 + (uint64_t)(*size - '0');
	}
	*ret_size = n;
	return *size == '\n' || *size == '\0';
}
