#!/bin/sh
# The daemon from outside: a stream sensor on a FIFO, the varlink interface, a model learnt from a
# recording and put in without a restart, an alarm with its channels, reload, and every way to
# end. Once on the ring that this machine allows, once on epoll.
set -eu
: "${BUILD:=build/$(uname -m)}"
for t in varlinkctl jq mkfifo; do
	command -v $t >/dev/null || { echo "there is no $t"; exit 77; }
done
dir=$(mktemp -d)
daemon= feed= follow= notify= hold=
cleanup() {
	for p in $follow $hold $daemon $feed $notify; do kill -KILL "$p" 2>/dev/null || true; done
	case $(readlink "$dir/run/stats" 2>/dev/null) in
	/sys/fs/bpf/sonde-*/stats) rm -rf "$(dirname "$(readlink "$dir/run/stats")")" ;;
	esac
	rm -rf "$dir"
}
trap cleanup EXIT
fail() {
	echo "$*"
	echo "--- what the daemon said"
	cat "$dir/log"
	exit 1
}
# within SECONDS COMMAND...: does it come true in time?
within() {
	tries=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "never came true: $*"
		sleep 0.1
	done
}
socket=$dir/run/io.sonde.Agent
call() { varlinkctl call -j "unix:$socket" "io.sonde.Agent.$1" "${2:-{\}}" 2>"$dir/call.err"; }
# refused METHOD PARAMETERS ERROR: is the call refused with this error, and a reason?
refused() {
	if call "$1" "$2" >"$dir/reply"; then fail "$1 $2 was not refused"; fi
	grep -q "io.sonde.Agent.$3" "$dir/call.err" || fail "$1: not $3: $(cat "$dir/call.err")"
	[ -n "$(jq -r .reason "$dir/reply")" ] || fail "$1: $3 without a reason"
}
logged() { grep -q -- "$1" "$dir/log"; }
shown() { "$BUILD/sonde" --run-dir "$dir/run" -j pipeline show; }
is() { [ "$(shown | jq -r "$1")" = "$2" ]; }
ticks() { shown | jq .pipelines[0].ticks; }
start() {
	"$BUILD/sonded" --config "$dir/sonde.conf" 2>>"$dir/log" &
	daemon=$!
	within 30 test -S "$socket"
	within 30 call Describe
}
ended() {
	status=0
	wait "$daemon" || status=$?
	daemon=
	[ $status = "$1" ] || fail "the daemon ended with $status, not $1"
}
configure() {	# RING FALSE_ALARMS
	cat >"$dir/sonde.conf" <<-EOF
		[agent]
		run_dir = $dir/run
		state_dir = $dir/state
		ring = $1
		[pipeline motor]
		rate = 100 Hz
		false_alarms = $2
		before = 1 s
		after = 500 ms
		clear = 500 ms
		[sensor shaft]
		pipeline = motor
		kind = stream
		path = $dir/fifo
		unit = V
		scale = 0.001
		channel.a = le:s16/16>>0
		channel.b = le:s16/16>>0
		channel.follower = le:s16/16>>0
		channel.level = le:s16/16>>0
	EOF
}

: >"$dir/log"
mkfifo "$dir/fifo"
"$BUILD/test/system/feed" "$dir/fifo" 100 &
feed=$!

# The command line.
"$BUILD/sonded" --help | grep -q -- --check-config || fail "--help"
"$BUILD/sonded" --version | grep -q '^sonded [0-9]' || fail "--version"
for bad in --nonsense extra; do
	status=0
	"$BUILD/sonded" $bad >"$dir/out" 2>"$dir/err" || status=$?
	[ $status = 2 ] && [ ! -s "$dir/out" ] || fail "$bad: exit $status"
done

# Nothing to run with: told, with the place, and an exit status.
configure auto 1/day
sed -i 's/100 Hz/100 Herz/' "$dir/sonde.conf"
status=0
"$BUILD/sonded" --config "$dir/sonde.conf" 2>"$dir/err" || status=$?
[ $status = 1 ] || fail "a bad configuration: exit $status"
grep -q "^sonded: error: $dir/sonde.conf:6: rate = 100 Herz: " "$dir/err" || fail "$(cat "$dir/err")"
"$BUILD/sonded" --check-config --config "$dir/sonde.conf" 2>"$dir/err" && fail "found nothing"
[ "$(wc -l <"$dir/err")" = 1 ] || fail "$(cat "$dir/err")"
# Directories that can not be: a file in the way, and a name too long for a socket.
configure auto 1/day
long=$dir/$(printf %0120d 0)
for option in "--state-dir $dir/sonde.conf/x" "--run-dir $long"; do
	status=0
	timeout 30 "$BUILD/sonded" --config "$dir/sonde.conf" $option 2>"$dir/err" || status=$?
	[ $status = 1 ] && grep -q 'error: /' "$dir/err" || fail "$option: exit $status: $(cat "$dir/err")"
done
case $(readlink "$long/stats") in
/sys/fs/bpf/sonde-*/stats) rm -rf "$(dirname "$(readlink "$long/stats")")" ;;
esac
rm -rf "$dir/run" "$dir/state"
good=$("$BUILD/sonded" --check-config --config "$dir/sonde.conf")
[ "$good" = "$dir/sonde.conf: 1 pipeline, 1 sensor, 4 channels: good" ] || fail "$good"

start
call Describe >"$dir/describe"
[ "$(jq -r '.pipelines[0] | .name, .rate + 0, (.channels | length), .channels[2].name, .channels[2].unit, .model' \
	"$dir/describe" | paste -sd' ')" = "motor 100 4 shaft.follower V null" ] || fail "$(cat "$dir/describe")"
[ "$(jq .pid "$dir/describe")" = "$daemon" ] || fail "Describe: another pid"
[ "$(stat -c %a "$socket")" = 600 ] || fail "the socket is open to others"
varlinkctl introspect "unix:$socket" io.sonde.Agent | grep -q '^method LoadModel(' || fail "no introspection"
varlinkctl info "unix:$socket" | grep -q 'io.sonde.Agent' || fail "not in the info"

# One daemon a run directory.
status=0
timeout 20 "$BUILD/sonded" --config "$dir/sonde.conf" 2>"$dir/err" || status=$?
[ $status = 1 ] || fail "a second daemon: exit $status"
grep -q "another sonded is running here (process $daemon)" "$dir/err" || fail "$(cat "$dir/err")"
call Describe >/dev/null || fail "the second one took the socket away"

# Record, learn, load.
refused RecordStop '{}' NotRecording
refused RecordStart '{"pipeline":"pump"}' NoSuchPipeline
refused RecordStart '{"path":"capture.csv"}' RecordFailed
refused RecordStart "{\"path\":\"$dir/nowhere/capture.csv\"}" RecordFailed
call RecordStart "{\"path\":\"$dir/capture.csv\"}" >/dev/null || fail "$(cat "$dir/call.err")"
refused RecordStart '{}' RecordingActive
[ "$(call Describe | jq -r .pipelines[0].recording)" = "$dir/capture.csv" ] || fail "Describe: no recording"
sleep 15
[ -e "$dir/capture.csv.part" ] && [ ! -e "$dir/capture.csv" ] || fail "a capture under its name too early"
rows=$(call RecordStop '{"pipeline":"motor"}' | jq .rows)
[ "$rows" -gt 1000 ] || fail "$rows rows in 15 s at 100 Hz"
[ "$(wc -l <"$dir/capture.csv")" = $((rows + 1)) ] || fail "not the rows that were promised"
[ "$(head -n 1 "$dir/capture.csv")" = time,shaft.a,shaft.b,shaft.follower,shaft.level ] || fail "header"
model=$dir/model.safetensors
{
	"$BUILD/sonde-model" fit --train "$dir/capture.csv" -o "$dir/float.safetensors" --hidden 16 --epochs 3 -q
	"$BUILD/sonde-model" quantize "$dir/float.safetensors" -o "$model" --calibrate "$dir/capture.csv"
} >"$dir/fit.log" 2>&1 || fail "$(cat "$dir/fit.log")"
refused LoadModel '{"path":"/nowhere/model.safetensors"}' ModelRefused
head -c 3000 "$model" >"$dir/broken.safetensors"
refused LoadModel "{\"path\":\"$dir/broken.safetensors\"}" ModelRefused
refused LoadModel "{\"pipeline\":\"pump\",\"path\":\"$model\"}" NoSuchPipeline
is .pipelines[0].model "" || fail "a model that was refused runs"

varlinkctl call -j --more "unix:$socket" io.sonde.Agent.Events '{}' >"$dir/events" 2>/dev/null &
follow=$!
within 10 grep -q ready "$dir/events"
call LoadModel "{\"path\":\"$model\"}" >"$dir/reply" || fail "$(cat "$dir/call.err" "$dir/reply")"
[ "$(jq -r '.generation, .precision' "$dir/reply" | paste -sd' ')" = "1 int8" ] || fail "$(cat "$dir/reply")"
within 10 is .pipelines[0].model_path "$model"
# events QUERY: what jq finds in the stream so far
events() { jq -r --seq "select(.event != null) | $1" "$dir/events" | tr -d '\036'; }
[ "$(events 'select(.event.kind == "model") | .phase')" = begin ] || fail "no event for the model"

# A bad model leaves the good one running.
refused LoadModel "{\"path\":\"$dir/broken.safetensors\"}" ModelRefused
[ "$(call Describe | jq -r .pipelines[0].model.path)" = "$model" ] || fail "the model has gone"

kill -USR1 $feed
alarms() { [ "$(events 'select(.event.kind == "alarm" and .phase == "'"$1"'") | .event.id' | wc -l)" -ge "$2" ]; }
named() {
	events 'select(.event.kind == "alarm") | .event.channels[].name' |
		grep -q '^shaft\.\(follower\|level\)$'
}
within 30 alarms begin 1
within 30 named
sleep 1
kill -USR2 $feed
within 30 alarms end 1
logged 'motor: ALARM: score .*; departed: shaft\.' || fail "the alarm was not logged"
logged 'motor: clear after ' || fail "its end was not logged"
id=$(events 'select(.event.kind == "alarm" and .phase == "end") | .event.id' | head -n 1)
sleep 1.5
window=$("$BUILD/sonde" --run-dir "$dir/run" --state-dir "$dir/state" event window "$id" | wc -l)
# Rows from a second before it to half a second after it, of a header and an alarm of a second.
[ "$window" -gt 150 ] || fail "$window rows around the alarm"

# The configuration, live: what can be changed, what can not, and one that is bad.
configure auto 1/week
limit() { "$BUILD/sonde" -j --run-dir "$dir/run" score show | jq '[.. | .limit? // empty][0]'; }
before=$(limit)
sed -i 's/rate = .*/rate = 200 Hz/' "$dir/sonde.conf"
kill -HUP "$daemon"
within 10 logged 'in force now: pipeline motor: false_alarms'
within 10 logged 'needs a restart: pipeline motor: rate'
within 10 is .pipelines[0].rate_hz 100
# The limit is another one, the model that it is for is not.
raised() { [ "$(jq -n "$(limit) > $before + 1")" = true ]; }
within 10 raised
[ "$(call Describe | jq .pipelines[0].model.generation)" = 1 ] || fail "a new limit made a new model"
sed -i 's/kind = stream/kind = steam/' "$dir/sonde.conf"
kill -HUP "$daemon"
within 10 logged "$dir/sonde.conf:13: kind = steam: must be board, sysfs, stream, i2c"
refused Reload '{}' ConfigInvalid
[ "$(jq -r '.problems | length' "$dir/reply")" = 1 ] || fail "$(cat "$dir/reply")"
before=$(ticks)
sleep 0.5
[ "$(ticks)" -gt "$before" ] || fail "it ticks no more"
configure auto 1/day
call Reload >"$dir/reply" || fail "$(cat "$dir/reply")"
[ "$(jq -r '.applied[0], (.restart | length)' "$dir/reply" | paste -sd' ')" = \
	"pipeline motor: false_alarms 0" ] || fail "$(cat "$dir/reply")"

# An orderly end: the page says so, subscribers were told, a recording is whole.
call RecordStart '{}' >"$dir/reply" || fail "$(cat "$dir/reply")"
capture=$(jq -r .path "$dir/reply")
sleep 1
kill -TERM "$daemon"
ended 0
wait $follow || true
follow=
[ "$(tail -n 1 "$dir/events" | tr -d '\036' | jq -r .phase)" = stopped ] || fail "$(tail -n 2 "$dir/events")"
[ "$(shown | jq -r .daemon.state)" = stopped ] || fail "the page does not say that it stopped"
[ ! -e "$socket" ] || fail "the socket is still there"
[ "$(wc -l <"$capture")" -gt 10 ] || fail "the recording was lost"

# A crash: the page does not claim an orderly end, and the next start works, on epoll this time.
cp "$model" "$dir/state/motor.safetensors"
configure epoll 1/day
start
[ "$(call Describe | jq -r .pipelines[0].ring)" = epoll ] || fail "not on epoll"
within 10 is .pipelines[0].model_path "$dir/state/motor.safetensors"
before=$(ticks)
sleep 1
[ "$(ticks)" -gt "$((before + 20))" ] || fail "epoll ticks too seldom"
kill -USR1 $feed
last_alarm() {
	"$BUILD/sonde" --run-dir "$dir/run" --state-dir "$dir/state" -j event list 1 kind alarm
}
within 30 is .pipelines[0].alarm true
sleep 0.5
kill -KILL "$daemon"
ended 137
[ "$(shown | jq -r .daemon.state)" != stopped ] || fail "a crash looks like an orderly end"
kill -USR2 $feed
start
call Describe >/dev/null || fail "no start after a crash"
last_alarm >"$dir/last"
[ "$(jq '.events[0] | .end > .start and .window_rows > 50' "$dir/last")" = true ] ||
	fail "the alarm that the crash cut off: $(cat "$dir/last")"
kill -INT "$daemon"
ended 0

# Under a supervisor: told when it is up, reloads and stops. The watchdog is fed as long as the
# pipeline ticks, and not when its thread is held although the main loop runs on.
"$BUILD/test/system/notify" "$dir/notify" >"$dir/notified" &
notify=$!
within 10 test -S "$dir/notify"
NOTIFY_SOCKET=$dir/notify WATCHDOG_USEC=900000 start
within 20 grep -q READY=1 "$dir/notified"
fed() { [ "$(grep -c WATCHDOG=1 "$dir/notified")" -ge "$1" ]; }
within 20 fed 5
kill -HUP "$daemon"
within 10 grep -q RELOADING=1 "$dir/notified"
"$BUILD/test/system/hold" "$(call Describe | jq .pipelines[0].tid)" >"$dir/held" &
hold=$!
sleep 0.5
if kill -0 $hold 2>/dev/null; then	# ptrace is forbidden in some places
	within 10 grep -q held "$dir/held"
	within 10 logged 'pipeline motor does not tick'
	before=$(grep -c WATCHDOG=1 "$dir/notified")
	sleep 2
	call Describe >/dev/null || fail "the main loop hangs with the pipeline"
	[ "$(grep -c WATCHDOG=1 "$dir/notified")" = "$before" ] ||
		fail "the watchdog was fed for a dead pipeline"
	kill $hold
	within 20 fed $((before + 2))
fi
kill -TERM "$daemon"
ended 0
within 10 grep -q STOPPING=1 "$dir/notified"
