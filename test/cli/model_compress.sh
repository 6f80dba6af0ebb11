#!/bin/sh
# prune, distill and search from the outside: what they write is smaller and works, the same
# seed gives the same bits, Ctrl-C leaves a usable file, a wrong command line is told.
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
told() { grep -q "$1" out || { cat out; fail "the report tells: $1"; }; }
json() { jq -e "$1" out >/dev/null || { cat out; fail "$1"; }; }

# A channel that a net can forecast and a linear part can not, and one beside it; from row
# `from` on the first one is noise, and labelled.
record() {
	awk -v seed="$1" -v rows="$2" -v from="$3" 'BEGIN {
		srand(seed)
		print "bend,wave" (from ? ",label" : "")
		v = .3
		for (i = 0; i < rows; i++) {
			v = 1 - 1.8 * v * v + (rand() - .5) / 500
			x = from && i >= from ? 2 * rand() - 1 : v
			printf "%.6g,%.6g", x, sin(i * .3) + (rand() - .5) / 2
			print from ? "," (i >= from) : ""
		}
	}'
}
record 1 1500 0 >a.csv
record 2 1200 900 >b.csv
is 0 "" "$model" fit --train a.csv -o m --hidden 24 --epochs 60 -q
is 0 "" "$model" fit --train a.csv -o plain --net none -q

is 0 "" "$model" prune m -o p --train a.csv --test b.csv --epochs 10
told "^structured  *16 of 24 hidden units"
told "^unstructured .* of the dense part are zero"
told "^tuned "
for line in "bytes, int8" "us a step, int8" "held-out loss" "ROC-AUC, made up" \
	"ROC-AUC, labelled"; do
	told "^$line  *[0-9.]*  *[0-9.]"
done
is 0 "" "$model" prune m -o p2 --train a.csv --epochs 10 -q -j
[ -s err ] && fail "-q prints progress"
json '.hidden == 16 and .hidden_before == 24 and .zeroed > 0 and .cross_fitted
	and .after.int8_bytes < .before.int8_bytes and .after.zeros >= .zeroed
	and .after.int8_us > 0 and .agreement > .8 and (.after | has("roc_auc_labelled") | not)'
is 0 "" "$model" prune m -o p --train a.csv --epochs 10 -q
mv p p1
is 0 "" "$model" prune m -o p --train a.csv --epochs 10 -q --seed 1 --threads 1
cmp p p1 || fail "the same seed gives the same bits"
is 0 "" "$model" prune plain -o pp --train a.csv -q --structured 60
told "components of the subspace stay (there is no net)"
told "of the linear forecast are zero"
is 0 "" "$model" prune m -o none --train a.csv -q --structured 0 --unstructured 0 --epochs 0
told "^structured  *nothing"

is 0 "" "$model" distill m -o s --train a.csv --hidden 6 --seeds 2 --epochs 15
told "^teacher  *24 "
[ "$(grep -c '^student' out) $(grep -c '^alone' out)" = "3 3" ] || fail "a line a seed and the mean"
told "^written "
is 0 "" "$model" distill m -o s1 --train a.csv --hidden 6 --seeds 2 --epochs 15 -q -j
json '.hidden == 6 and .seeds == 2 and (.student | length) == 2 and (.alone | length) == 2
	and (.written == "none" or (.written == "student") == (.loss_student < .loss_alone))
	and .teacher.int8_bytes > .student[0].int8_bytes and .teacher.us > 0'
is 1 "no forecast net" "$model" distill plain -o x --train a.csv -q

is 0 "" "$model" search --train a.csv -o w --candidates 4 --eta 2 --first 2 --epochs 8 \
	--hidden-max 32
told "^none .* 1.0000"
told "winner"
is 0 "" "$model" search --train a.csv -o w1 --candidates 4 --eta 2 --first 2 --epochs 8 \
	--hidden-max 32 --max-bytes 4K --max-us 100000 -q -j
json '(.candidates | length) > 1 and .candidates[0].kind == "none" and (.front | length) > 0
	and ([.candidates[] | select(.fits and .bytes > 4096)] | length) == 0
	and .candidates[.winner].fits'
is 1 "even without a net" "$model" search --train a.csv -o x --max-bytes 100 -q

# What comes out is a model like any other.
for m in p pp s w; do
	is 0 "" "$model" quantize $m -o q --calibrate a.csv
	is 0 "" "$model" score q b.csv
	[ "$(wc -l <out)" = 1200 ] || fail "$m: a score a row"
	awk 'NR > 100 && NR <= 900 { a += $1 } NR > 950 { b += $1 } END { exit !(b / 250 > a / 800) }' \
		out || fail "$m: what departs scores higher"
done

# Ctrl-C: a usable file all the same.
record 5 60000 0 >long.csv
interrupted() {
	: >err
	"$@" >out 2>err &
	pid=$!
	i=0
	while [ ! -s err ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
	kill -INT $pid 2>/dev/null || { cat err; fail "$* ended by itself"; }
	wait $pid || { cat err; fail "an interrupted $2 ends with $?"; }
	json '.interrupted'
}
is 0 "" "$model" fit --train long.csv -o big --hidden 128 --epochs 2 -q
interrupted "$model" prune big -o cut --train long.csv --epochs 10000 -j
is 0 "" "$model" score cut b.csv
interrupted "$model" distill big -o cut --train long.csv --hidden 64 --epochs 10000 -j
is 0 "" "$model" score cut b.csv
interrupted "$model" search --train long.csv -o cut --first 1000 --epochs 10000 -j
is 0 "" "$model" score cut b.csv

is 2 "--train is missing" "$model" prune m -o x
is 2 "one model file" "$model" prune --train a.csv -o x
is 2 "--structured 99" "$model" prune m -o x --train a.csv --structured 99
is 2 "--parts tail" "$model" prune m -o x --train a.csv --parts tail
is 2 "usage: sonde model distill" "$model" distill m -o x --train a.csv --weight 2
is 2 "--seeds" "$model" distill m -o x --train a.csv --seeds 0
is 2 "--nets" "$model" search --train a.csv -o x --nets gru
is 2 "-o is missing" "$model" search --train a.csv
is 1 "int8" "$model" prune q -o x --train a.csv -q
is 1 "no column of labels" "$model" prune m -o x --train a.csv --test a.csv -q
cut -d, -f1 a.csv >few.csv
is 1 "no column wave" "$model" prune m -o x --train few.csv -q
[ -e x ] && fail "a failed run leaves no file"
is 0 "" "$model" help
for verb in prune distill search; do
	grep -q "^  $verb " out || fail "help lists $verb"
done
exit 0
