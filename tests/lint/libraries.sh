#!/bin/sh
# One library, one folder, over #include <...>:  libraries.sh [SOURCE-DIR]
# A header of neither the C library nor the table is refused: a new library
# has to be given its folder here.
set -eu
cd "${1:-${top_srcdir:-.}}"

find src store -name '*.[ch]' | LC_ALL=C sort | xargs awk '
BEGIN {
	# header or prefix ending in "/": the folders that may include it
	home["git2.h"] = home["git2/"] = "src/git"
	home["sqlite3.h"] = "src/db"
	home["jansson.h"] = "src/codec"
	home["yaml.h"] = "src/codec"
	home["archive.h"] = home["archive_entry.h"] = "src/codec"
	home["openssl/"] = "src/crypto"
	home["curl/"] = "src/net"
	home["microhttpd.h"] = home["gnutls/"] = "src/serve"
	home["libtpms/"] = "src/tpm"
	home["tss2/"] = "src/tpm"
	home["tss2/tss2_mu.h"] = home["tss2/tss2_tpm2_types.h"] = "src/tpm src/evidence"
	home["tss2/tss2_common.h"] = "src/tpm src/evidence"
	home["check.h"] = "tests"
	split("arpa/ linux/ net/ netinet/ sys/", prefixes, " ")
	for (i in prefixes)
		system_prefix[prefixes[i]] = 1
	split("assert.h ctype.h dirent.h dlfcn.h errno.h fcntl.h ftw.h getopt.h glob.h grp.h" \
	    " inttypes.h limits.h locale.h malloc.h mntent.h netdb.h poll.h pthread.h pty.h pwd.h sched.h" \
	    " semaphore.h setjmp.h signal.h spawn.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h" \
	    " stdio.h stdlib.h string.h strings.h termios.h time.h ucontext.h unistd.h utime.h" \
	    " endian.h byteswap.h libgen.h regex.h syslog.h stdnoreturn.h threads.h wchar.h", plain, " ")
	for (i in plain)
		system_header[plain[i]] = 1
}
function is_in(file, folders,    list, n, i) {
	n = split(folders, list, " ")
	for (i = 1; i <= n; i++)
		if (index(file, list[i] "/") == 1)
			return 1
	return 0
}
/^[ \t]*#[ \t]*include[ \t]*</ {
	header = $0
	sub(/^[^<]*</, "", header)
	sub(/>.*$/, "", header)
	slash = index(header, "/")
	prefix = slash > 0 ? substr(header, 1, slash) : ""
	if (header in home)
		folders = home[header]
	else if (prefix != "" && prefix in home)
		folders = home[prefix]
	else if (header in system_header || prefix in system_prefix)
		next
	else {
		printf "%s:%d: <%s> is in no table of tests/lint/libraries.sh\n", FILENAME, FNR, header
		bad = 1
		next
	}
	if (!is_in(FILENAME, folders)) {
		printf "%s:%d: <%s> belongs to %s\n", FILENAME, FNR, header, folders
		bad = 1
	}
}
END { exit bad }
'
