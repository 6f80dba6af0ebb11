#!/bin/sh
# The golden vectors on arm64: the cross-built program under qemu-user, as the
# smallest board has it (Cortex-A72, no int8 dot product) and with all that qemu knows.
# The loader is named, for a tree of unpacked packages may lack the link from /lib.
set -u
binary=${ARM:-build/aarch64}/test/golden/steps
tree=build/aarch64-sysroot

command -v qemu-aarch64 >/dev/null || { echo "no qemu-aarch64 here"; exit 77; }
[ -x "$binary" ] || { echo "$binary was not built"; exit 77; }

status=0
for cpu in cortex-a72 max; do
	qemu-aarch64 -L "$tree" -cpu "$cpu" "$tree/usr/lib/ld-linux-aarch64.so.1" \
		--library-path "$tree/usr/lib/aarch64-linux-gnu" "$binary" ||
		{ echo "arm64, $cpu: the bits differ (exit $?)"; status=1; }
done
exit $status
