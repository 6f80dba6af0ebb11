#!/bin/sh
# `sonde sensor show` of a page that test/system/page.c wrote: every state, fault and path as text
# and as JSON, patterns, and a page full of nonsense.
set -u
: "${BUILD:?}"
command -v jq >/dev/null || { echo "there is no jq"; exit 77; }
sonde=$BUILD/sonde
dir=$(mktemp -d)
page=
clean() {
	[ -z "$page" ] || { kill "$page" 2>/dev/null; wait "$page" 2>/dev/null; }
	pin=$(readlink "$dir/stats")
	case $pin in /sys/fs/bpf/sonde-*/stats) rm -rf "${pin%/stats}" ;; esac
	rm -rf "$dir"
}
trap clean EXIT
trap 'exit 1' INT TERM
export SONDE_RUN_DIR="$dir"
failed=0
fail() {
	echo "$*"
	failed=1
}
is() { # JQ ARGS...
	q=$1
	shift
	"$sonde" -j "$@" >"$dir/out" 2>"$dir/err" || fail "sonde -j $*: exit $?, $(cat "$dir/out" "$dir/err")"
	[ ! -s "$dir/err" ] || fail "sonde -j $* said: $(cat "$dir/err")"
	jq -e "$q" "$dir/out" >/dev/null || fail "not so: $q: $(cat "$dir/out")"
}
line() { # REGEX: a line of what was printed last
	grep -Eq -- "$1" "$dir/out" || { fail "no line $1:"; cat "$dir/out"; }
}
none() { # REGEX
	! grep -Eq -- "$1" "$dir/out" || { fail "a line $1:"; cat "$dir/out"; }
}
show() {
	"$sonde" sensor show "$@" >"$dir/out" 2>"$dir/err" || fail "sensor show $*: $(cat "$dir/err")"
}

"$BUILD/test/system/page" "$dir" >"$dir/ready" &
page=$!
i=0
until grep -q ready "$dir/ready" 2>/dev/null; do
	i=$((i + 1))
	[ $i -lt 100 ] && kill -0 $page 2>/dev/null || { fail "no page"; exit 1; }
	sleep 0.1
done

# ---- text
show pipeline well
line '^well:$'
line '^  sensor +kind +state +fault +rate Hz +age +reads +errors  path$'
line '^  room +i2c +live +- +12\.50* +2(\.0+)? ms +1000 +3  bus$'
none 'old story'
line '^  mag +iio +live +- .* 5000 +0  poll$'
line '^  board +hwmon +stale +- .*  worker$'
line '^    nothing for 12 s$'
line '^  odd +sysfs .*  worker, not inline$'
line '^  swift +sysfs .*  inline, not worker$'
line '^  unwatched +sysfs +probing .*  \(worker\)$'
line '^  door +gpio +absent +absent .* never +0 +9  \(poll\)$'
line '^    no line is called "DOOR"$'
line '^  channel +value +unit +state +fault +age +samples +errors$'
line '^  room +21\.50* +degC +live +- +3(\.0+)? ms +1000 +3$'
line '^  mag\.x +-40(\.0*)? +uT +faulty +stuck .* 10 +7$'
line '^  door +.* absent +absent +never +0 +0$'
none '.{106}'
show mag pipeline well
line '^  mag +iio'
line '^  mag\.x'
none 'room|door'
show 'm*.x'
line '^well:$'
line '^  mag\.x'
none 'sensor|iio'
show odd
none 'channel'
"$sonde" sensor show nowhere >"$dir/out" 2>&1 && fail "a sensor nowhere"
line 'no sensor or channel is called "nowhere"'

# ---- JSON
is '.daemon.state == "running" and (.sensors | length) == 7 and (.channels | length) == 3' \
	sensor show pipeline well
is '.sensors[0] == {pipeline: "well", name: "room", kind: "i2c", state: "live", fault: "none",
	rate_hz: 12.5, age_ns: 2000000, reads: 1000, errors: 3, opened: 2, recovered: 1,
	faults: {bus: 1, timeout: 0, short: 0, crc: 2, format: 0, range: 0, rate: 0, stuck: 0,
		nan: 0, lost: 0, absent: 0, busy: 0},
	error: -121, path: "bus", path_seen: "bus", queued: 0, edge_to_value_ns: 77000,
	why: "an old story"}' sensor show room
is '.channels == [{pipeline: "well", sensor: "room", name: "room", unit: "degC", state: "live",
	fault: "none", value: 21.5, contribution: 0, age_ns: 3000000, samples: 1000, errors: 3}]' \
	sensor show room
is '.sensors | map([.path, .path_seen]) == [["bus", "bus"], ["poll", "poll"],
	["worker", "worker"], ["inline", "worker"], ["worker", "inline"], ["worker", null],
	["poll", null]]' sensor show pipeline well
is '.sensors[0] | .age_ns == null and .error == -2 and .fault == "absent"' sensor show door
is '.channels[0] | .sensor == "mag" and .fault == "stuck" and .value == -40' sensor show mag.x
is '.sensors == [] and .channels == []' sensor show nowhere

# ---- nonsense
show
line '^i{31}:$'
is '(.sensors | length) > 7 and (.channels | length) == 4' sensor show
is 'all(.sensors[64:][]; .state == "?" and .fault == "unknown" and .path == "?")' sensor show
is '.channels[3] | .sensor == "" and .state == "?"' sensor show

# ---- its writer died
kill -9 $page
wait $page 2>/dev/null
page=
show door
line 'DOOR'
grep -q "not running" "$dir/err" || fail "nobody said that it died"
exit $failed
