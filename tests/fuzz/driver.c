/*
 * Calls a fuzz target without libFuzzer: replays the files and directories
 * named, then mutates them -n times each with a generator of fixed seed, so
 * that every run does the same.  A failure is a crash; the input is then left
 * in the file given with -o.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fd.h"

#define DRIVER_FILE_MAX (1u << 20)

struct driver {
	unsigned long mutations;
	unsigned long inputs;
	uint64_t state;     /* xorshift64* */
	const char *save;   /* last input, or NULL */
};

static uint64_t
driver_random(struct driver *d)
{
	d->state ^= d->state >> 12;
	d->state ^= d->state << 25;
	d->state ^= d->state >> 27;
	return d->state * UINT64_C(2685821657736338717);
}

/* Exactly as long as the input, so that a sanitizer sees a step too far. */
static int
driver_call(struct driver *d, const unsigned char *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct err e;

	if (copy == NULL)
		return -1;
	if (len > 0)
		memcpy(copy, data, len);
	if (d->save != NULL) {
		int fd = open(d->save, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		if (fd < 0 || fd_write_all(fd, copy, len, d->save, &e) != 0 || close(fd) != 0)
			perror(d->save);
	}
	d->inputs++;
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	return 0;
}

/* One to four changes: a bit, a byte, a piece cut out, doubled, or moved. */
static void
driver_mutate(struct driver *d, struct buf *data)
{
	static const char bytes[] = "\"\\{}[],: \n\t0129aez%/.-&*!|>#\xff\x80";

	for (uint64_t n = 1 + driver_random(d) % 4; n > 0 && data->len > 0; n--) {
		size_t at = (size_t)(driver_random(d) % data->len);
		size_t piece = 1 + (size_t)(driver_random(d) % 16);
		size_t to = (size_t)(driver_random(d) % data->len);

		if (piece > data->len - at)
			piece = data->len - at;
		switch (driver_random(d) % 5) {
		case 0:
			data->data[at] ^= (unsigned char)(1u << driver_random(d) % 8);
			break;
		case 1:
			data->data[at] = (unsigned char)bytes[driver_random(d) % (sizeof bytes - 1)];
			break;
		case 2:
			memmove(data->data + at, data->data + at + piece, data->len - at - piece);
			data->len -= piece;
			break;
		case 3:
			if (buf_reserve(data, piece, NULL) != 0)
				return;
			memmove(data->data + at + piece, data->data + at, data->len - at);
			data->len += piece;
			break;
		default:
			memmove(data->data + to, data->data + at, piece < data->len - to ? piece : data->len - to);
			break;
		}
	}
}

static int
driver_file(struct driver *d, const char *path)
{
	CLEANUP(buf_free) struct buf seed = BUF_INIT;
	struct err e;

	if (fd_read_file(AT_FDCWD, path, DRIVER_FILE_MAX, &seed, &e) != 0) {
		fprintf(stderr, "%s\n", e.msg);
		return -1;
	}
	if (driver_call(d, seed.data, seed.len) != 0)
		return -1;
	for (unsigned long i = 0; i < d->mutations; i++) {
		CLEANUP(buf_free) struct buf changed = BUF_INIT;

		buf_add(&changed, seed.data, seed.len);
		driver_mutate(d, &changed);
		if (driver_call(d, changed.data, changed.len) != 0)
			return -1;
	}
	return 0;
}

static int
driver_directory(struct driver *d, const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort), rc = n < 0 ? -1 : 0;

	for (int i = 0; i < n; i++) {
		char file[4096];

		snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && rc == 0)
			rc = driver_file(d, file);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return rc;
}

int
main(int argc, char **argv)
{
	struct driver d = {.state = UINT64_C(0x9e3779b97f4a7c15)};
	int option;

	while ((option = getopt(argc, argv, "n:o:")) != -1) {
		if (option == 'n') {
			d.mutations = strtoul(optarg, NULL, 10);
		} else if (option == 'o') {
			d.save = optarg;
		} else {
			fprintf(stderr, "usage: %s [-n mutations] [-o last-input] file|directory...\n", argv[0]);
			return 2;
		}
	}
	for (int i = optind; i < argc; i++) {
		struct stat st;
		bool directory = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);

		if ((directory ? driver_directory(&d, argv[i]) : driver_file(&d, argv[i])) != 0)
			return 1;
	}
	printf("%lu inputs\n", d.inputs);
	return d.inputs > 0 ? 0 : 1;
}
