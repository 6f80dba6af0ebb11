#!/bin/sh
# sonde-model from the outside: fit, quantize, score and show on a recording made
# here, the same bits on a second run, and what a wrong command line gets.
set -eu
model=$PWD/$BUILD/sonde-model
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
export SOURCE_DATE_EPOCH=1700000000

fail() { echo "not true: $*"; exit 1; }

# is STATUS TEXT COMMAND...: ends with that status, and TEXT is in what it printed on stderr.
is() {
	status=$1 text=$2
	shift 2
	got=0
	"$@" >out 2>err </dev/null || got=$?
	[ "$got" = "$status" ] || { cat err; fail "$* ends with $got, wanted $status"; }
	case $(cat err) in *"$text"*) ;; *) cat err; fail "$* does not say: $text" ;; esac
}

# A recording: time, two turning parts that are tied, a level that only rises, noise.
record() {
	awk -v seed="$1" -v rows="$2" -v burst="$3" 'BEGIN {
		srand(seed)
		print "time,speed,current,fill,noise"
		for (i = 0; i < rows; i++) {
			walk += .01 + (rand() - .5) / 10
			s = sin(i * .37) + (rand() - .5) / 5
			c = s * sin(i * .11) * 20 + rand()
			if (burst && i >= burst && i < burst + 60) c += 60
			printf "%.2f,%.6g,%.6g,%.6g,%.6g\n", i / 20, s, c, walk, rand()
		}
	}'
}
record 1 2000 0 >a.csv
record 2 1200 1000 >b.csv

is 0 "" "$model" fit --train a.csv -o m.safetensors --hidden 16 --epochs 20 --seed 3
grep -q "^rows  *2000 at 20 Hz" out || { cat out; fail "the report tells rows and rate"; }
grep -q "^channels  *4, of which 1 wander" out || { cat out; fail "the report tells channels"; }
grep -q "^linear .* held-out loss" out || fail "the report tells the linear loss"
grep -q "^LSTM" out || fail "the report tells what became of the LSTM"
is 0 "" "$model" fit --train a.csv -o again --hidden 16 --epochs 20 --seed 3 -q --name m
[ -s err ] && fail "-q prints progress"
cmp m.safetensors again || fail "the same seed gives the same bits"
is 0 "" "$model" fit --train a.csv -o other --hidden 16 --epochs 20 --seed 4 -q -j --name m
jq -e '.rows == 2000 and .channels == 4 and .wandering == 1 and .loss_net <= .loss_linear
	and .rate_hz == 20 and (.loss_curve | length) == .epochs' out >/dev/null ||
	{ cat out; fail "fit -j"; }

is 0 "" "$model" quantize m.safetensors -o q.safetensors --calibrate a.csv
grep -q "^linear " out || { cat out; fail "the layer table"; }
grep -q "correlation" out || fail "the agreement"
is 0 "" "$model" quantize m.safetensors -o q2.safetensors -j
jq -e '.correlation > .95 and .layers[0].snr_db > 20' out >/dev/null ||
	{ cat out; fail "quantize -j"; }

is 0 "" "$model" show q.safetensors
grep -q "int8" out && grep -q "^fill .* yes" out || { cat out; fail "show"; }
is 0 "" "$model" show -j q.safetensors
jq -e '.precision == "int8" and .created == "2023-11-14T22:13:20Z" and .rate_hz == 20
	and .data_sha256 == "'"$(sha256sum <a.csv | cut -d' ' -f1)"'"
	and [.channels[].name] == ["speed", "current", "fill", "noise"]' out >/dev/null ||
	{ cat out; fail "show -j"; }
limit=$(jq .limit_per_day out)

# One line a row, the burst stands out, nothing before it does; columns in any order.
for m in m.safetensors q.safetensors; do
	is 0 "" "$model" score $m b.csv
	mv out scores
	[ "$(wc -l <scores)" = 1200 ] || fail "a score a row"
	awk -v limit="$limit" 'NR <= 1000 && $1 > limit { early++ }
		NR > 1000 && NR <= 1060 && $1 > limit { burst++ }
		END { print early + 0, burst + 0; exit !(early < 5 && burst >= 40) }' scores ||
		fail "$m: the burst is flagged and nothing else"
	is 0 "" "$model" score $m b.csv
	cmp scores out || fail "$m: the same scores again"
	awk -F, -v OFS=, '{ print $1, $5, $4, (NR > 1 ? NR : "more"), $3, $2 }' b.csv >c.csv
	is 0 "" "$model" score $m c.csv
	cmp scores out || fail "$m: the order of columns does not matter"
	# Causal: what comes later changes no score.
	head -n 501 b.csv >half.csv
	is 0 "" "$model" score $m half.csv
	head -n 500 scores | cmp - out || fail "$m: scores look ahead"
done

# Ctrl-C: a usable file all the same.
record 5 30000 0 >long.csv
"$model" fit --train long.csv -o cut --hidden 256 --epochs 10000 -j >out 2>err &
pid=$!
i=0
while [ ! -s err ] && [ $i -lt 200 ]; do sleep 0.1; i=$((i + 1)); done
kill -INT $pid
wait $pid || { cat err; fail "an interrupted fit ends with $?"; }
jq -e '.interrupted' out >/dev/null || { cat out; fail "an interrupted fit says so"; }
is 0 "" "$model" score cut b.csv

is 2 "usage: sonde model VERB" "$model"
is 2 "frobnicate: no such verb" "$model" frobnicate
is 2 "usage: sonde model fit" "$model" fit --train a.csv
is 2 "--hidden" "$model" fit --train a.csv -o x --hidden many
is 2 "usage: sonde model fit" "$model" fit --frobnicate
is 2 "-o is missing" "$model" quantize m.safetensors
is 2 "usage: sonde model score" "$model" score m.safetensors
is 1 "sonde-model: " "$model" fit --train none.csv -o x
head -n 11 a.csv >short.csv
is 1 "10 rows" "$model" fit --train short.csv -o x -q
is 1 "sonde-model: " "$model" show a.csv
is 1 "int8 already" "$model" quantize q.safetensors -o x
cut -d, -f1-3 b.csv >few.csv
is 1 "no column fill" "$model" score m.safetensors few.csv
is 1 "sonde-model: " "$model" fit --train a.csv -o /nonexistent/x -q
[ -e x ] && fail "a failed run leaves no file"
is 0 "" "$model" help
for verb in fit quantize score show; do
	grep -q "^  $verb " out || fail "help lists $verb"
done
is 0 "" "$model" fit help
grep -q -- "--epochs" out || fail "fit help tells its options"
exit 0
