#include "codec/zstd.h"

#include <archive.h>
#include <archive_entry.h>

#define ZSTD_LEVEL "3"
#define ZSTD_BLOCK (256 * 1024)

static la_ssize_t
zstd_take(struct archive *a, void *arg, const void *data, size_t len)
{
	struct buf *b = arg;

	(void)a;
	buf_add(b, data, len);
	return b->failed ? -1 : (la_ssize_t)len;
}

static int
zstd_error(struct archive *a, const char *what, struct err *e)
{
	const char *why = archive_error_string(a);

	return err_set(e, ERR_FORMAT, "%s: %s", what, why != NULL ? why : "unknown error");
}

static int
zstd_write(struct archive *a, struct archive_entry *entry, const void *data, size_t len,
    struct buf *ret, struct err *e)
{
	if (archive_write_set_format_raw(a) != ARCHIVE_OK ||
	    archive_write_add_filter_zstd(a) != ARCHIVE_OK ||
	    archive_write_set_filter_option(a, "zstd", "compression-level", ZSTD_LEVEL) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(a, 0) != ARCHIVE_OK ||
	    archive_write_open(a, ret, NULL, zstd_take, NULL) != ARCHIVE_OK)
		return zstd_error(a, "cannot compress", e);
	archive_entry_set_filetype(entry, AE_IFREG);
	if (archive_write_header(a, entry) != ARCHIVE_OK ||
	    archive_write_data(a, data, len) != (la_ssize_t)len || archive_write_close(a) != ARCHIVE_OK)
		return zstd_error(a, "cannot compress", e);
	return buf_check(ret, e);
}

int
zstd_compress(const void *data, size_t len, struct buf *ret, struct err *e)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	int rc = a == NULL || entry == NULL ? err_nomem(e) : zstd_write(a, entry, data, len, ret, e);

	archive_entry_free(entry);
	archive_write_free(a);
	return rc;
}

static int
zstd_read(struct archive *a, const void *data, size_t len, size_t want, struct buf *ret,
    struct err *e)
{
	struct archive_entry *entry;
	size_t before = ret->len;
	la_ssize_t n;

	if (archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
	    archive_read_support_format_raw(a) != ARCHIVE_OK ||
	    archive_read_open_memory(a, data, len) != ARCHIVE_OK ||
	    archive_read_next_header(a, &entry) != ARCHIVE_OK)
		return zstd_error(a, "not compressed as it must be", e);
	if (archive_filter_code(a, 0) != ARCHIVE_FILTER_ZSTD)
		return err_set(e, ERR_FORMAT, "not compressed as it must be");
	do {
		size_t left = want - (ret->len - before), block = left < ZSTD_BLOCK ? left + 1 : ZSTD_BLOCK;

		if (buf_reserve(ret, block, e) != 0)
			return -1;
		n = archive_read_data(a, ret->data + ret->len, block);
		if (n < 0)
			return zstd_error(a, "not compressed as it must be", e);
		if ((size_t)n > left)
			return err_set(e, ERR_FORMAT, "expands to more than the %zu bytes it should have", want);
		ret->len += (size_t)n;
	} while (n > 0);
	return ret->len - before == want ? 0 :
	    err_set(e, ERR_FORMAT, "expands to less than the %zu bytes it should have", want);
}

int
zstd_expand(const void *data, size_t len, size_t want, struct buf *ret, struct err *e)
{
	struct archive *a = archive_read_new();
	int rc = a == NULL ? err_nomem(e) : zstd_read(a, data, len, want, ret, e);

	archive_read_free(a);
	return rc;
}
