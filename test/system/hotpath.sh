#!/bin/sh
# The pipeline's thread makes no system call but the ring's: strace counts them
# over three seconds of a running daemon reading this board, with a model judging it.
set -u
dir=$(mktemp -d)
trap 'kill $daemon 2>/dev/null; wait $daemon 2>/dev/null; rm -rf "$dir"' EXIT
daemon=
cat >"$dir/sonde.conf" <<CONF
[agent]
run_dir = $dir/run
state_dir = $dir/state
[pipeline board]
rate = 100 Hz
[sensor board]
kind = board
pipeline = board
CONF
"$BUILD/sonded" --config "$dir/sonde.conf" >"$dir/log" 2>&1 &
daemon=$!
tid=
for i in $(seq 100); do
	for t in /proc/$daemon/task/*; do
		case $(cat "$t/comm" 2>/dev/null) in sonde:*) tid=${t##*/} ;; esac
	done
	[ -n "$tid" ] && break
	sleep 0.1
done
[ -n "$tid" ] || { cat "$dir/log"; echo "no pipeline thread"; exit 1; }
export SONDE_RUN_DIR="$dir/run"
{
	"$BUILD/sonde" record start "$dir/board.csv" && sleep 5 && "$BUILD/sonde" record stop &&
		"$BUILD/sonde-model" fit --train "$dir/board.csv" --hidden 16 --epochs 1 \
			-o "$dir/float.safetensors" &&
		"$BUILD/sonde-model" quantize "$dir/float.safetensors" \
			--calibrate "$dir/board.csv" -o "$dir/m.safetensors" &&
		"$BUILD/sonde" model load "$dir/m.safetensors"
} >"$dir/said" 2>&1 || { cat "$dir/said"; exit 1; }
scored() { "$BUILD/sonde" -j stat show | jq '.stats[0].scored'; }
sleep 1
faults() { awk '{ print $10 + $12 }' "/proc/$daemon/task/$tid/stat"; }
before=$(faults) judged=$(scored)
timeout 3 strace -p "$tid" -o "$dir/calls" 2>"$dir/strace.err"
after=$(faults)
[ "$(scored)" -ge $((judged + 100)) ] || { echo "the model did not judge: $judged ticks, then $(scored)"; exit 1; }
if ! [ -s "$dir/calls" ]; then
	tail -n 1 "$dir/strace.err"
	exit 77
fi
calls=$(grep -o '^[a-z_0-9]*' "$dir/calls" | sort | uniq -c)
echo "$calls"
n=$(grep -c '^io_uring_enter' "$dir/calls")
if [ "$n" -lt 100 ]; then
	if grep -q '^epoll' "$dir/calls"; then
		echo "io_uring is refused here; the epoll ring makes other calls"
		exit 77
	fi
	echo "only $n io_uring_enter calls: the trace saw nothing of the ticks"
	exit 1
fi
# restart_syscall and detach lines are strace's own doing.
others=$(grep -v -e '^io_uring_enter' -e '^restart_syscall' -e '^strace:' -e '^---' -e '^ <' "$dir/calls" | head -5)
[ -z "$others" ] || { echo "other calls: $others"; exit 1; }
[ "$before" = "$after" ] || { echo "page faults in the thread: $before before, $after after"; exit 1; }
