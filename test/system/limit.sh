#!/bin/sh
# A limit that follows, in the daemon: what it has learned is shown, outlives an orderly restart and
# a model that came and went, is not another model's, and begins anew when its file is damaged.
set -eu
: "${BUILD:=build/$(uname -m)}"
for t in jq mkfifo perl; do command -v $t >/dev/null || { echo "there is no $t"; exit 77; }; done
dir=$(mktemp -d)
daemon= feed=
cleanup() {
	for p in $daemon $feed; do kill -KILL "$p" 2>/dev/null || true; done
	case $(readlink "$dir/run/stats" 2>/dev/null) in
	/sys/fs/bpf/sonde-*/stats) rm -rf "$(dirname "$(readlink "$dir/run/stats")")" ;;
	esac
	rm -rf "$dir"
}
trap cleanup EXIT
fail() {
	echo "$*"
	cat "$dir/log"
	exit 1
}
within() {
	tries=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "never came true: $*: $(score)"
		sleep 0.1
	done
}
sonde() { "$BUILD/sonde" --run-dir "$dir/run" "$@"; }
score() { sonde -j score show | jq -c '.scores[0]'; }
is() { score | jq -e "$1" >"$dir/is"; }
shows() { sonde score show | grep -q -- "$1"; }
logged() { grep -q -- "$1" "$dir/log"; }
start() {
	"$BUILD/sonded" --config "$dir/sonde.conf" 2>>"$dir/log" &
	daemon=$!
	within 30 test -S "$dir/run/io.sonde.Agent"
}
stop() {
	kill -TERM "$daemon"
	wait "$daemon" || fail "the daemon ended with $?"
	daemon=
}

: >"$dir/log"
mkfifo "$dir/fifo"
"$BUILD/test/system/feed" "$dir/fifo" 100 &
feed=$!
cat >"$dir/sonde.conf" <<CONF
[agent]
run_dir = $dir/run
state_dir = $dir/state
[pipeline motor]
rate = 100 Hz
false_alarms = 100/hour
clear = 500 ms
[sensor shaft]
pipeline = motor
kind = stream
path = $dir/fifo
scale = 0.001
channel.a = le:s16/16>>0
channel.b = le:s16/16>>0
channel.follower = le:s16/16>>0
channel.level = le:s16/16>>0
CONF

start
sonde record start "$dir/normal.csv" >/dev/null || fail "no recording"
sleep 8
sonde record stop >/dev/null || fail "no recording"
for m in a b; do
	"$BUILD/sonde" model fit --train "$dir/normal.csv" -o "$dir/$m" --hidden 0 -q \
		--seed $([ $m = a ] && echo 1 || echo 2) >/dev/null || fail "no model"
	sleep 1.1		# models are told apart by when they were made, too
done
[ ! -e "$dir/state/motor.limit" ] || fail "a limit that has learned nothing is kept"
sonde model load "$dir/a" >/dev/null || fail "model load"
# 100 an hour at 100 Hz: 3600 ticks each; a block is of 32.
within 20 is '.following | .follows and .promise_ticks == 3600 and .ticks > 300 and
	(.rungs | length) >= 4 and .promised > 0.08'
is '.following as $f | .limit != $f.start and ($f.rungs | map(.limit) | . == sort)' || fail "$(score)"
is '.following.rungs[-1].limit == .limit' || fail "$(score)"
within 5 shows 'alarms in .* ticks, promised'

# An orderly restart loses nothing; the model is the configured one's now.
cp "$dir/a" "$dir/state/motor.safetensors"
before=$(score | jq .following.ticks)
stop
[ -s "$dir/state/motor.limit" ] || fail "nothing was kept"
ls -A "$dir/state" | grep -q part && fail "half a file: $(ls -A "$dir/state")"
start
within 10 is ".following.ticks >= $before"

# Another model has another scale; the first one comes back to what it knew.
sonde model load "$dir/b" >/dev/null || fail "model load"
within 10 is ".following | .follows and .ticks < $before"
within 10 is ".following.ticks > 50"
sonde model load "$dir/a" >/dev/null || fail "model load"
within 10 is ".following.ticks >= $before"

# Another promise, without a restart: from what is known, but counted anew.
sed -i 's,100/hour,10/hour,' "$dir/sonde.conf"
kill -HUP "$daemon"
within 10 is ".following | .promise_ticks == 36000 and .ticks < $before"
within 5 logged 'in force now: pipeline motor: false_alarms'
sed -i 's,^clear,follow = no\nclear,' "$dir/sonde.conf"
kill -HUP "$daemon"
within 10 is '.following.follows == false'
within 5 shows 'stays where training put it'	# main tells the model's name once a second
sed -i '/^follow/d; s,10/hour,100/hour,' "$dir/sonde.conf"
stop

# Damage is told, and no reason not to run.
head -c 50 "$dir/state/motor.limit" >"$dir/half"
cp "$dir/half" "$dir/state/motor.limit"
start
within 10 is '.following | .follows and .ticks > 10'
logged 'the limit begins anew: .*motor.limit' || fail "the damage was not told"
stop
start
within 10 is '.following | .follows and .ticks > 20'
[ "$(grep -c 'the limit begins anew' "$dir/log")" = 1 ] || fail "the damage stays"
stop
exit 0
