# The base image is built by image/build, which needs nothing of this Makefile.
EXTRA_DIST += image/README.md image/applets image/build image/check image/chroot.py image/cmdline \
	image/compare image/cpio.py image/debs.py image/dhcp image/elf.py image/firewall \
	image/firmware.json image/init image/modules image/nodes.py image/os-release \
	image/packages.lock image/records.py image/scratch-disk image/start image/uki.py image/verity.py

check-image:
	$(srcdir)/image/check '$(abs_builddir)'
.PHONY: check-image
