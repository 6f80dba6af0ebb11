#!/bin/sh
# The installation: where files go, that a configuration is never overwritten, that the unit is a
# good one, and that its capabilities and system calls are enough for the daemon it starts.
set -eu
: "${BUILD:=build/$(uname -m)}"
for t in systemd-analyze systemd-sysusers udevadm strace setpriv jq; do
	command -v $t >/dev/null || { echo "there is no $t"; exit 77; }
done
dir=$(mktemp -d)
daemon=
cleanup() {
	[ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null || true
	for d in "$dir"/run*; do
		case $(readlink "$d/stats" 2>/dev/null) in
		/sys/fs/bpf/sonde-*/stats) rm -rf "$(dirname "$(readlink "$d/stats")")" ;;
		esac
	done
	rm -rf "$dir"
}
trap cleanup EXIT
fail() {
	echo "$*"
	exit 1
}

root=$dir/root
put() { DESTDIR=$root PREFIX=/usr SYSCONFDIR=/etc UNITDIR=/usr/lib/systemd/system scripts/install "$@"; }
put "$BUILD" >"$dir/out"
[ ! -s "$dir/out" ] || fail "a first installation has something to say: $(cat "$dir/out")"
for f in usr/sbin/sonded usr/bin/sonde usr/lib/sonde/sonde-model etc/sonde/sonde.conf \
	usr/lib/systemd/system/sonded.service usr/share/doc/sonde/LICENSE \
	usr/lib/udev/rules.d/60-sonde.rules usr/lib/sysusers.d/sonde.conf \
	usr/lib/tmpfiles.d/sonde.conf usr/lib/modules-load.d/sonde.conf \
	usr/share/sonde/sensors/tmp105.conf usr/share/sonde/general.safetensors; do
	[ -f "$root/$f" ] || fail "/$f was not installed"
done
[ -d "$root/etc/sonde/conf.d" ] || fail "no conf.d"
"$root/usr/bin/sonde" model help >/dev/null || fail "the installed tool does not find its trainer"
"$root/usr/sbin/sonded" --check-config --config "$root/etc/sonde/sonde.conf" >"$dir/out" 2>&1 ||
	fail "the configuration that is shipped: $(cat "$dir/out")"
# With what is commented out switched on it is a good one, too: the comments can be believed.
sed 's/^# \([a-z_]* = \)/\1/' agent/sonde.conf >"$dir/all.conf"
grep -q '^stale = ' "$dir/all.conf" || fail "no keys in comments"
"$root/usr/sbin/sonded" --check-config --config "$dir/all.conf" >"$dir/out" 2>&1 ||
	fail "what is commented out: $(cat "$dir/out")"
echo '# mine' >"$root/etc/sonde/sonde.conf"
put "$BUILD" | grep -q '^left as it is' || fail "nothing said about a configuration that differs"
[ "$(cat "$root/etc/sonde/sonde.conf")" = '# mine' ] || fail "the configuration was overwritten"

# ExecStart must exist for systemd: the copy that is checked has the DESTDIR in it.
unit=$root/usr/lib/systemd/system/sonded.service
grep -q '^ExecStart=/usr/sbin/sonded$' "$unit" || fail "$(grep ExecStart "$unit")"
sed "s|^ExecStart=/|ExecStart=$root/|" "$unit" >"$dir/sonded.service"
systemd-analyze verify --man=no "$dir/sonded.service" >"$dir/out" 2>&1 || fail "$(cat "$dir/out")"
if grep -q sonded.service "$dir/out"; then fail "$(cat "$dir/out")"; fi

udevadm verify --resolve-names=never "$root/usr/lib/udev/rules.d/60-sonde.rules" >"$dir/out" 2>&1 ||
	fail "the udev rules: $(cat "$dir/out")"
mkdir -p "$dir/made/etc"
systemd-sysusers --root="$dir/made" "$PWD/udev/sonde.sysusers" >"$dir/out" 2>&1 ||
	fail "sysusers: $(cat "$dir/out")"
for group in $(sed -n 's/.*GROUP="\([a-z]*\)".*/\1/p' udev/60-sonde.rules); do
	grep -q "^g $group " udev/sonde.sysusers || fail "nobody makes the group $group"
done
systemd-tmpfiles --root="$dir/made" --create "$PWD/udev/sonde.tmpfiles" >"$dir/out" 2>&1 ||
	fail "tmpfiles: $(cat "$dir/out")"
[ "$(stat -c %a "$dir/made/var/lib/sonde")" = 750 ] || fail "tmpfiles made no state directory"

put --remove >/dev/null
left=$(cd "$root" && find . -type f)
[ "$left" = ./etc/sonde/sonde.conf ] || fail "left behind: $left"
DESTDIR=$root PREFIX=/opt/sonde SYSCONFDIR=/opt/etc UNITDIR=/opt/units scripts/install "$BUILD"
grep -q '^ExecStart=/opt/sonde/sbin/sonded --config /opt/etc/sonde/sonde.conf$' \
	"$root/opt/units/sonded.service" || fail "another prefix: $(grep ExecStart "$root/opt/units/sonded.service")"

# run NAME COMMAND...: the daemon for some seconds, with a recording; its state to NAME.
run() {
	name=$1
	shift
	"$@" "$BUILD/sonded" --config agent/sonde.conf --run-dir "$dir/run-$name" \
		--state-dir "$dir/state-$name" 2>"$dir/$name.log" &
	daemon=$!
	tries=300
	until "$BUILD/sonde" --run-dir "$dir/run-$name" -j record start "$dir/$name.csv" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "$name: does not start: $(cat "$dir/$name.log")"
		sleep 0.1
	done
	sleep 1
	"$BUILD/sonde" --run-dir "$dir/run-$name" -j record stop >/dev/null || fail "$name: record"
	varlinkctl call -j "unix:$dir/run-$name/io.sonde.Agent" io.sonde.Agent.Describe '{}' |
		jq '{stats, profiler, p: [.pipelines[] | [.ring, .core, .priority, .lost]]}' >"$dir/$name"
	# strace hands the signal on to the daemon only when it is the daemon that gets it.
	kill -TERM "$(cat "$dir/run-$name/sonded.lock")"
	wait "$daemon" || fail "$name: $(cat "$dir/$name.log")"
	daemon=
}
[ "$(id -u)" = 0 ] || { echo "the unit is for root"; exit 77; }
run free env
bound=$(sed -n 's/^CapabilityBoundingSet=//p' udev/sonded.service | tr '[:upper:] ' '[:lower:],' |
	sed 's/cap_/+/g')
run bound setpriv --bounding-set "-all,$bound" --no-new-privs
cmp "$dir/free" "$dir/bound" || fail "the unit's capabilities lose something:
$(diff "$dir/free" "$dir/bound")"

run traced strace -f -qq -o "$dir/trace"
filter=$(sed -n 's/^SystemCallFilter=//p' udev/sonded.service)
expand() {	# a set names calls and other sets
	systemd-analyze syscall-filter "$1" | sed -n 's/^ *\([-@a-z_0-9]*\)$/\1/p' | while read -r c; do
		case $c in
		"$1") ;;
		@*) expand "$c" ;;
		*) echo "$c" ;;
		esac
	done
}
for f in $filter; do
	case $f in
	@*) expand "$f" ;;
	*) echo "$f" ;;
	esac
done | sort -u >"$dir/allowed"
[ "$(wc -l <"$dir/allowed")" -gt 100 ] || fail "the filter was not understood"
sed -n 's/^[0-9]* *\([a-z_0-9]*\)(.*/\1/p' "$dir/trace" | sort -u >"$dir/used"
grep -q io_uring_enter "$dir/used" || grep -q epoll_wait "$dir/used" || fail "the trace was not understood"
denied=$(comm -23 "$dir/used" "$dir/allowed")
[ -z "$denied" ] || fail "the unit forbids what the daemon calls:" $denied
