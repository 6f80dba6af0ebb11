#!/bin/sh
# A running daemon, fed through a FIFO: every command as text and as JSON, recording, learning
# and loading, an injected departure becoming an event, and the tool when the daemon has died.
set -u
: "${BUILD:?}"
for t in jq perl; do command -v $t >/dev/null || { echo "there is no $t"; exit 77; }; done
sonde=$BUILD/sonde
dir=$(mktemp -d)
daemon= feed= follow= deaf=
clean() {
	kill $feed $follow $deaf 2>/dev/null
	[ -z "$daemon" ] || { kill "$daemon" 2>/dev/null; wait "$daemon" 2>/dev/null; }
	pin=$(readlink "$dir/run/stats")
	case $pin in /sys/fs/bpf/sonde-*/stats) rm -rf "${pin%/stats}" ;; esac
	rm -rf "$dir"
}
trap clean EXIT
trap 'exit 1' INT TERM
fail() {
	echo "$*"
	echo "the daemon:"
	tail -n 5 "$dir/log"
	exit 1
}
# until_true TENTHS COMMAND...
until_true() {
	n=$1
	shift
	until "$@" >/dev/null 2>&1; do
		n=$((n - 1))
		[ $n -gt 0 ] || return 1
		sleep 0.1
	done
}
is() { # JQ ARGS...: what `sonde -j ARGS` prints is such, and -p prints the same shape
	q=$1
	shift
	"$sonde" -j "$@" >"$dir/out" 2>"$dir/err" || fail "sonde -j $*: exit $?, $(cat "$dir/out")"
	[ ! -s "$dir/err" ] || fail "sonde -j $* said: $(cat "$dir/err")"
	jq -e "$q" "$dir/out" >/dev/null || fail "sonde -j $*: not so: $q: $(cut -c1-1500 "$dir/out")"
	"$sonde" -p "$@" >"$dir/out2" 2>/dev/null || fail "sonde -p $*: exit $?"
	# What is there may change between the two: a bucket is filled, an event ends.
	case $1 in latency | event) return ;; esac
	[ "$(jq -c '[paths | map(select(type == "string"))] | unique' "$dir/out2")" = \
		"$(jq -c '[paths | map(select(type == "string"))] | unique' "$dir/out")" ] ||
		fail "sonde $*: -p and -j differ"
}
says() { # TEXT ARGS...
	text=$1
	shift
	"$sonde" "$@" >"$dir/out" 2>"$dir/err" || fail "sonde $*: exit $?, $(cat "$dir/err")"
	grep -qF -- "$text" "$dir/out" || fail "sonde $*: no \"$text\" in: $(cat "$dir/out")"
}
refuses() { # TEXT ARGS...
	text=$1
	shift
	"$sonde" -j "$@" >"$dir/out" 2>"$dir/err"
	[ $? = 1 ] || fail "sonde -j $*: not refused"
	jq -e --arg t "$text" '.error | contains($t)' "$dir/out" >/dev/null ||
		fail "sonde -j $*: $(cat "$dir/out")"
}

cat >"$dir/sonde.conf" <<CONF
[agent]
run_dir = $dir/run
state_dir = $dir/state
[pipeline machine]
rate = 100 Hz
core = none
false_alarms = 1/day
clear = 0.5 s
[sensor s]
kind = stream
path = $dir/fifo
pipeline = machine
channel.a = le:s16/16>>0, unit = mg
channel.b = le:s16/16>>0, unit = mg
channel.c = le:s16/16>>0
CONF
mkfifo "$dir/fifo"
test/cli/feed.pl "$dir/fifo" "$dir/departed" &
feed=$!
start() {
	"$BUILD/sonded" --config "$dir/sonde.conf" >>"$dir/log" 2>&1 &
	daemon=$!
	until_true 100 test -S "$dir/run/io.sonde.Agent" || fail "no daemon"
	until_true 100 sh -c "'$sonde' -j sensor show | jq -e '.daemon.pid == $daemon and all((.sensors, .channels)[]; .state == \"live\")'" ||
		fail "no live sensors"
}
export SONDE_RUN_DIR="$dir/run"
start

# ---- looking -------------------------------------------------------------------------
is '.daemon.state == "running" and (.channels | length) == 3 and
	(.channels[] | select(.name == "s.a") | .unit == "mg" and (.value | fabs) < 1000 and
	 .sensor == "s" and .fault == "none")' sensor show
is '.sensors | length == 1 and (.[0] | .name == "s" and .kind == "stream" and .fault == "none" and
	.reads > 0 and .path == "poll" and .errors == 0)' sensor show
is '(.channels | map(.name)) == ["s.b"] and .sensors == []' sensor show s.b
is '(.channels | length) == 3' sensor show 's.*' pipeline machine
says s.c sensor show
says "stream   live" sensor show
refuses 'nothing' sensor show pipeline nothing
"$sonde" sensor show x.y >/dev/null 2>&1 && fail "a sensor x.y"
is '.pipelines[0] | .name == "machine" and .rate_hz == 100 and .channels == 3 and .core == -1 and
	.ticks > 0 and .model == "" and .rss_bytes > 100000' pipeline show
says "100 Hz, 3 channels" pipeline
is '.models[0].model == ""' model show
says "no model yet" score show
is '.scores[0].scored == 0' score show
is '.latencies[0] | .latency.count > 0 and .latency.p50_ns <= .latency.p99_ns and
	.latency.p99_ns <= .latency.max_ns * 1.3 and
	.latency.count == ([.latency.buckets[].count] | add)' latency show
is '.latencies[0] | has("step") and (has("latency") | not)' latency show step
says "lateness" latency
is '.stats[0] | .ticks > 0 and .samples > 0 and has("missed") and .page_faults > 0' stat show
says "cq_overflow" stat
is '.daemon.pipelines[0].name == "machine"' feature show
is '.ok' conf check "$dir/sonde.conf"
is '.pipelines[0].sensors[0].channels | length == 3' conf show "$dir/sonde.conf"
is '.events | type == "array"' event list
# The page moves without the daemon being asked.
a=$("$sonde" -j stat | jq '.stats[0].ticks')
sleep 0.5
b=$("$sonde" -j stat | jq '.stats[0].ticks')
[ "$b" -gt "$a" ] || fail "ticks stand at $a"

# ---- recording and learning -----------------------------------------------------------------
(cd "$dir" && "$(cd "$OLDPWD" && realpath "$sonde")" record start normal.csv) >"$dir/out" 2>&1 ||
	fail "record start: $(cat "$dir/out")"
refuses already record start "$dir/other.csv"
sleep 12
"$sonde" -j record stop >"$dir/out" || fail "record stop: $(cat "$dir/out")"
jq -e '.rows > 800 and (.path | endswith("/normal.csv"))' "$dir/out" >/dev/null || fail "$(cat "$dir/out")"
is '.sensors[0].rate_hz | . > 100 and . < 300' sensor show
[ -s "$dir/normal.csv" ] || fail "no recording"
refuses '' record stop
"$sonde" -j model fit --train "$dir/normal.csv" -o "$dir/f32" --hidden 8 --lags 4 --epochs 5 2>/dev/null |
	jq -e . >/dev/null || fail "model fit"
"$sonde" model quantize "$dir/f32" -o "$dir/int8" --calibrate "$dir/normal.csv" >/dev/null || fail "quantize"
is '.precision == "int8"' model show "$dir/int8"
is '(.scores | length) > 800' model score "$dir/int8" "$dir/normal.csv"
is '.pipeline == "machine" and .precision == "int8"' model load "$dir/int8"
head -c 1000 "$dir/int8" >"$dir/bad"
refuses bad model load "$dir/bad"
until_true 50 sh -c "'$sonde' -j score | jq -e '.scores[0].scored > 100'" || fail "nothing is scored"
# The daemon's own part of the page is written once a second.
until_true 50 sh -c "'$sonde' -j model | jq -e '.models[0].model != \"\"'" || fail "no model on the page"
is '.models[0] | .channels == 3 and .precision == "int8" and .limit > 0' model show
is '.daemon.state == "running"' model show
says "normal" score show
kill -0 "$daemon" || fail "the daemon is another one"

# ---- a departure ----------------------------------------------------------------------------
"$sonde" -j event follow >"$dir/follow" 2>&1 &
follow=$!
"$sonde" -j event follow pipeline other >"$dir/deaf" 2>&1 &
deaf=$!
until_true 50 grep -q ready "$dir/follow" || fail "event follow: $(cat "$dir/follow")"
since=$(date +%s.%N)
touch "$dir/departed"
alarm() { "$sonde" -j event list 5 kind alarm since "$since" | jq -e "[.events[] | select(.channels[0].name == \"s.b\")][0] | $1"; }
until_true 100 alarm '.id' || fail "no alarm for s.b: $("$sonde" event list)"
is '.scores[0].alarms >= 1' score show
sleep 1
rm "$dir/departed"
until_true 150 alarm '.end' || fail "the alarm does not end: $("$sonde" event list)"
id=$(alarm .id)
says "s.b" event list kind alarm
is '(.events | length) == 0' event list until 1000
is '(.events | length) == 0' event list since 9000000000
is '(.events | length) == 1' event list 1
is '(.events | length) == 0' event list pipeline other
until_true 30 jq -es "[.[] | select(.event.id == $id) | .phase] == [\"begin\", \"end\"]" "$dir/follow" ||
	fail "event follow: $(cat "$dir/follow")"
kill $follow $deaf
wait $follow || fail "event follow: exit $?"
follow= deaf=
jq -es 'all(.phase == "ready")' "$dir/deaf" >/dev/null || fail "event follow pipeline other: $(cat "$dir/deaf")"
# The window around it, through the same step again, is an alarm of the same channel.
until_true 100 sh -c "[ \$('$sonde' event window $id | wc -l) -gt 300 ]" || fail "no window"
sleep 6
"$sonde" event window "$id" >"$dir/window.csv" || fail "event window"
"$sonde" replay "$dir/window.csv" -m "$dir/int8" --alarms --config "$dir/sonde.conf" >"$dir/replayed" ||
	fail "replay: $(cat "$dir/replayed")"
grep -q '^# alarm .*: s.b' "$dir/replayed" || fail "replay of the window: $(cat "$dir/replayed")"
is ".event == $id and (.rows | length) > 300" event window "$id"
refuses '' event window 999999

"$sonde" top --seconds 1.5 >"$dir/out" || fail "top"
grep -q "score [0-9.]*/[0-9.]* " "$dir/out" || fail "top: $(cat "$dir/out")"
"$sonde" -j top --seconds 1.5 | jq -es 'length == 2 and all(.daemon.state == "running")' >/dev/null || fail "top -j"

is 'has("applied")' conf reload
kill -0 "$daemon" || fail "a reload ended the daemon"

# ---- it dies ------------------------------------------------------------------------------
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
ticks=$("$sonde" -j stat show | jq '.stats[0].ticks')
"$sonde" stat show >"$dir/out" 2>"$dir/err" || fail "stat after its death: exit $?"
grep -q "not running: pid $daemon died" "$dir/err" || fail "nobody said that it died: $(cat "$dir/err")"
grep -q " $ticks\$" "$dir/out" && [ "$ticks" -gt "$b" ] || fail "the last figures are gone"
is '.daemon.state == "dead" and (.channels | length) == 3' sensor show
says machine latency show
refuses "not running" record stop
refuses "not running" event follow
export SONDE_STATE_DIR="$dir/state"
says "s.b" event list kind alarm
"$sonde" top --seconds 2 >/dev/null 2>&1 && fail "top of a dead daemon is a success"

# ---- comes back, leaves in good order ------------------------------------------------------------
unset SONDE_STATE_DIR
start
is '.daemon.state == "running"' stat show
kill "$daemon"
wait "$daemon" || fail "it did not leave in good order"
daemon=
is '.daemon.state == "stopped"' stat show
exit 0
