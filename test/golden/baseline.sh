#!/bin/sh
# The golden vectors on lesser x86-64 processors, emulated: the baseline (SSE2, where XNNPACK may
# differ and the reference may not) and AVX2. The native run covers this machine's own.
set -u
binary=${BUILD:-build/x86_64}/test/golden/steps

[ "$(uname -m)" = x86_64 ] || { echo "not an x86-64 machine"; exit 77; }
command -v qemu-x86_64 >/dev/null || { echo "no qemu-x86_64 here"; exit 77; }
[ -x "$binary" ] || { echo "$binary was not built"; exit 77; }

status=0
for cpu in qemu64 Nehalem Haswell; do
	qemu-x86_64 -cpu "$cpu" "$binary" ||
		{ echo "x86-64, $cpu: the bits differ (exit $?)"; status=1; }
done
exit $status
