#!/bin/sh
# The live screen in a pseudo-terminal of 24 x 80: it comes, stays within the screen, says what
# it must, and gives the terminal back, however it ends. No daemon is needed for long: a
# screen over a page that somebody left is a screen, too.
set -u
: "${BUILD:?}"
# script(1) runs this one; where it is dash, Ctrl-C would end it before it can say how top did.
export SHELL=/bin/sh
for t in perl script stty; do command -v $t >/dev/null || { echo "there is no $t"; exit 77; }; done
sonde=$BUILD/sonde
dir=$(mktemp -d)
daemon=
clean() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null
	pin=$(readlink "$dir/run/stats")
	case $pin in /sys/fs/bpf/sonde-*/stats) rm -rf "${pin%/stats}" ;; esac
	rm -rf "$dir"
}
trap clean EXIT
fail() { echo "$*"; exit 1; }

cat >"$dir/conf" <<CONF
[agent]
run_dir = $dir/run
state_dir = $dir/state
profiler = off
[pipeline one]
rate = 20 Hz
core = none
[sensor load]
kind = sysfs
path = /proc/loadavg
pipeline = one
channel.now = 0
channel.later = 1, unit = µm
CONF
start() {
	"$BUILD/sonded" --config "$dir/conf" >"$dir/log" 2>&1 &
	daemon=$!
}
start
export SONDE_RUN_DIR="$dir/run"
i=0
until "$sonde" -j sensor show 2>/dev/null | grep -q '"live"'; do
	i=$((i + 1))
	[ $i -lt 100 ] || fail "no live sensor: $(cat "$dir/log")"
	sleep 0.1
done
echo "doing something" >"$dir/status"

# screen ROWS COLUMNS LOCALE KEYS ARGS...: what the terminal was sent, in $dir/raw. The keys
# come when there is a picture, and their end is never seen: script(1) makes an end of its
# input the end of what it copies.
mkfifo "$dir/keys"
exec 3<>"$dir/keys"
screen() {
	rows=$1 columns=$2 locale=$3 keys=$4
	shift 4
	rm -f "$dir/raw"
	LC_ALL=$locale timeout 60 script -qec \
		"trap : INT; stty rows $rows cols $columns; $sonde top $* ; echo exit=\$?; stty -a" \
		/dev/null <"$dir/keys" >"$dir/raw" 2>&1 &
	script=$!
	i=0
	until [ "$(grep -ao '2026l' "$dir/raw" 2>/dev/null | wc -l)" -ge 2 ]; do
		i=$((i + 1))
		[ $i -lt 100 ] || fail "no screen: $(cat "$dir/raw")"
		sleep 0.1
	done
	printf "$keys" >&3
	wait $script
}
# The last whole frame as text.
frame() { perl -0777 -ne 's/.*\e\[\?2026h(.*?)\e\[\?2026l.*/$1/s; s/\e\[[0-9;?]*[A-Za-z]//g; s/\r//g; print' "$dir/raw"; }
restored() {
	perl -0777 -ne 'exit !(/\e\[\?1049h.*\e\[\?25h.*\e\[\?1049l[^\e]*exit=0/s && /\sicanon\s/ && /\secho\s/)' "$dir/raw" ||
		fail "$1: the terminal was not given back: $(tail -c 900 "$dir/raw")"
}

screen 24 80 C.UTF-8 q --title hello --status-file "$dir/status"
restored "q"
frame >"$dir/frame"
for text in hello one "20 Hz" "doing something" load.now load.later ticks latency p50 p99 max events "q quit"; do
	grep -qF "$text" "$dir/frame" || fail "no \"$text\" in: $(cat "$dir/frame")"
done
perl -CSD -ne 'chomp; exit 1 if length > 80; END { exit 1 if $. > 24 }' "$dir/frame" ||
	fail "beyond 24 x 80: $(cat "$dir/frame")"
perl -0777 -ne 'exit !/\xe2\x96[\x81-\x88]/' "$dir/raw" || fail "no sparkline"
# Not one clearing of the whole screen after the first: that is what flickers.
[ "$(perl -0777 -ne 'print scalar(() = /\e\[2J/g)' "$dir/raw")" = 1 ] || fail "the screen is cleared again and again"

screen 24 80 C q
restored "in ASCII"
perl -0777 -ne 'exit !!/[\x80-\xff]/' "$dir/raw" || fail "a locale without UTF-8 was sent UTF-8"
for size in "5 20" "1 1" "60 200"; do
	# shellcheck disable=SC2086
	screen $size C.UTF-8 oq
	restored "$size"
	frame >"$dir/frame"
	perl -CSD -sne 'chomp; exit 1 if length > $c; END { exit 1 if $. > $r }' -- -r="${size% *}" \
		-c="${size#* }" "$dir/frame" || fail "beyond $size: $(cat "$dir/frame")"
done
screen 10 40 C.UTF-8 '' --seconds 2
restored "--seconds"
screen 24 80 C.UTF-8 '\003'
restored "Ctrl-C"

# Ends by a signal as well.
rm -f "$dir/raw"
(sleep 30 | timeout 60 script -qec "stty rows 24 cols 80; echo \$\$ >$dir/pid; exec $sonde top" /dev/null >"$dir/raw" 2>&1) &
i=0
until grep -q 2026 "$dir/raw" 2>/dev/null; do
	i=$((i + 1))
	[ $i -lt 100 ] || fail "no screen"
	sleep 0.1
done
kill -TERM "$(cat "$dir/pid")"
i=0
until perl -0777 -ne 'exit !/\e\[\?1049l/' "$dir/raw"; do
	i=$((i + 1))
	[ $i -lt 50 ] || fail "SIGTERM: the terminal was not given back"
	sleep 0.1
done

# No terminal: a line a second.
"$sonde" top --seconds 2.5 --status-file "$dir/status" >"$dir/lines" || fail "lines: exit $?"
[ "$(grep -c '^[0-9][0-9]:.*tick [0-9].*p50.*doing something' "$dir/lines")" = 3 ] || fail "lines: $(cat "$dir/lines")"

# The daemon goes: the screen says so and stays, and finds the next one.
kill "$daemon"
wait "$daemon"
screen 24 80 C.UTF-8 q
restored "without a daemon"
frame | grep -q "sonded is not running" || fail "not said that the daemon left: $(frame)"
screen 24 80 C.UTF-8 '' --seconds 7 &
shown=$!
sleep 2
start
wait $shown
frame | grep -q "pid $daemon " || fail "the next daemon was not found: $(frame)"
exit 0
