#!/bin/sh
# The README's tour does what it says: its indented commands run in order.
. "${top_srcdir:-.}/tests/cli/lib.sh"
checks=1
sed -n '/<!-- tour/,/<!-- end of tour/p' "$source_dir/README.md" | sed -n 's/^    //p' >tour.sh
[ "$(grep -c . tour.sh)" -ge 15 ] || die "the tour was not found"
# "! command" does not stop a shell with -e: say it with if
sed 's/^! \(.*\)$/if \1; then exit 1; fi/' tour.sh >checked.sh
ok sh -eux checked.sh
done_testing
