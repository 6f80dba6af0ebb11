#!/bin/sh
# Does bpftool print the stats page with its field names? The page is left behind by the unit test's
# "create": there is no process any more when it is read.
set -eu
: "${BUILD:=build/$(uname -m)}"
PATH=$PATH:/usr/sbin:/sbin
for t in bpftool jq; do
	command -v $t >/dev/null || { echo "there is no $t"; exit 77; }
done
dir=$(mktemp -d)
pins=
clean() {
	[ -z "$pins" ] || rm -rf "$pins"
	rm -rf "$dir"
}
trap clean EXIT
"$BUILD/test/unit/stats" create "$dir"

pin=$(readlink "$dir/stats")
case $pin in
/sys/fs/bpf/sonde-*/stats) pins=${pin%/stats} ;;
*) echo "$dir/stats leads to $pin"; exit 1 ;;
esac

bpftool -j map dump pinned "$pin" >"$dir/dump.json"
is() {
	got=$(jq -r "$1" "$dir/dump.json")
	[ "$got" = "$2" ] || { echo "$1 is $got, not $2"; exit 1; }
}
is 'length' 2
is '.[1].formatted.key' 1
is '.[1].formatted.value.version' "$(sed -n 's/^#define SONDE_STATS_VERSION //p' bpf/stats.h)"
is '.[1].formatted.value.host.name' main
is '.[1].formatted.value.host.worst_pid' 4321
is '.[1].formatted.value.tick.ticks' 12345
is '.[0].formatted.value.tick.ticks' 0
is '.[1].formatted.value.tick.latency.bucket[7]' 77
is '.[1].formatted.value.tick.latency.bucket | length' 128
is '.[1].formatted.value.tick.channel | length' 64
is '.[1].formatted.value.tick.channel[0].name' cpu0.busy
is '.[1].formatted.value.tick.channel[0].unit' %
is '.[1].formatted.value.tick.channel[0].samples' 99
# Floats are words of IEEE bits to bpftool: 1.5 and 1.
is '.[1].formatted.value.tick.score_ieee754' $((0x3fc00000))
is '.[1].formatted.value.tick.channel[0].value_ieee754' $((0x3f800000))

# Every field of bpf/stats.h has its name in the dump, in the plain one as well.
bpftool map dump pinned "$pin" >"$dir/dump"
fields=$(sed -n '/^struct /,/^};/p' bpf/stats.h | sed 's|/\*.*||' |
	sed 's/SONDE_F32(\([a-z_]*\))/sonde_u32 \1_ieee754/' |
	sed -n 's/^\t\(char\|sonde_[uf][0-9]*\|struct [a-z_]*\) \([^;]*\);.*/\2/p' |
	tr ',' '\n' | sed 's/\[.*//; s/ //g')
[ "$(echo "$fields" | wc -l)" -gt 60 ]
for f in $fields; do
	grep -q "\"$f\": " "$dir/dump" || { echo "$f is not in what bpftool prints"; exit 1; }
done
if grep -q unsupported "$dir/dump"; then
	echo "bpftool can not print:"
	grep unsupported "$dir/dump"
	exit 1
fi
echo "$(echo "$fields" | wc -l) fields by name"
