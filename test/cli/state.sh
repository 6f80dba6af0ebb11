#!/bin/sh
# sonde-model import and export without PyTorch: a state dict into a model and out again,
# what is reported of each tensor, and what is refused. With PyTorch: test/system/torch.sh.
set -eu
model=$PWD/$BUILD/sonde-model
state=$PWD/$BUILD/test/system/state
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
	[ "$got" = "$status" ] || { cat out err; fail "$* ends with $got, wanted $status"; }
	case $(cat err) in *"$text"*) ;; *) cat err; fail "$* does not say: $text" ;; esac
}
says() { grep -q -- "$1" out || { cat out; fail "it says $1"; }; }

awk 'BEGIN {
	srand(4)
	print "time,a,b,c"
	for (i = 0; i < 1500; i++)
		printf "%d,%.5f,%.5f,%.5f\n", i, 5 + sin(i * .3) + rand() / 4, cos(i * .3) + rand() / 4, rand()
}' >a.csv

# Three channels, four hidden units, under somebody's own names.
"$state" s 1 net.rnn.weight_ih_l0:16x3 net.rnn.weight_hh_l0:16x4 net.rnn.bias_ih_l0:16 \
	net.rnn.bias_hh_l0:16 net.out.weight:3x4 net.out.bias:3 net.counter:1
is 0 "" "$model" import s -o m --train a.csv
says "^net.rnn.weight_ih_l0 .*\[16, 3\] .* gates, weight_ih$"
says "^net.out.bias .* head, bias$"
says "^net.counter .* passed over: no part of a model$"
says "^net .*forecast, LSTM of 4 hidden"
says "^linear part "
says "^held-out loss .* linear .*, with the net "
says "^limits .* measured on a.csv"
is 0 "" "$model" show m
says float32
is 0 "" "$model" score m a.csv
mv out scores
[ "$(wc -l <scores)" = 1500 ] || fail "a score a row"

# Out and in again: the same scores, and the same state dict to the byte.
is 0 "" "$model" export m -o e
says "^lstm.weight_hh_l0 .*\[16, 4\]"
says "^norm.std .*\[3\]"
is 0 "" "$model" import e -o again --like m
says "^linear part .*state dict"
says "^limits .* those of m"
is 0 "" "$model" score again a.csv
cmp scores out || fail "a model that was out and in scores the same"
is 0 "" "$model" export again -o e2
cmp e e2 || fail "the same state dict again"
is 0 "" "$model" import e -o third --like m --train a.csv --name pump --rate 5 -j
jq -e '.model == "pump" and .kind == "forecast" and .hidden == 4 and .layers == 1
	and .linear == "state dict" and .calibrated
	and ([.tensors[] | select(.taken)] | length) == (.tensors | length)
	and .tensors[0].shape == [16, 3]' out >/dev/null || { cat out; fail "import -j"; }
is 0 "" "$model" export third -o e3 -j
jq -e '.kind == "forecast" and .tensors[0].name == "lstm.weight_ih_l0"' out >/dev/null ||
	{ cat out; fail "export -j"; }
is 0 "" "$model" show third -j
jq -e '.name == "pump" and .rate_hz == 5' out >/dev/null || { cat out; fail "name and rate"; }

# Two layers; an autoencoder, of which the dict does not say its window.
"$state" two 2 lstm.weight_ih_l0:16x3 lstm.weight_hh_l0:16x4 lstm.weight_ih_l1:16x4 \
	lstm.weight_hh_l1:16x4 head.weight:3x4
is 0 "" "$model" import two -o m2 --train a.csv
says "LSTM of 4 hidden, 2 layers"
"$state" ae 3 encoder.weight_ih_l0:16x3 encoder.weight_hh_l0:16x4 decoder.weight_ih_l0:16x4 \
	decoder.weight_hh_l0:16x4 head.weight:3x4
is 1 "ae: an autoencoder's window of 0 rows" "$model" import ae -o m3 --train a.csv
is 0 "" "$model" import ae -o m3 --train a.csv --window 8
says "autoencoder, LSTM of 4 hidden, window of 8 rows"
is 0 "" "$model" export m3 -o ae2
says "^decoder.weight_ih_l0"
is 0 "" "$model" import ae2 -o m4 --like m3
is 0 "" "$model" score m3 a.csv
mv out scores
is 0 "" "$model" score m4 a.csv
cmp scores out || fail "an autoencoder that was out and in scores the same"

# What does not go.
"$state" five 4 lstm.weight_ih_l0:16x5 lstm.weight_hh_l0:16x4 head.weight:5x4
is 1 "five: the net has 5 channels, the model 3" "$model" import five -o x --like m
is 1 "five: the net has 5 channels, the model 3" "$model" import five -o x --train a.csv
"$state" bad 4 lstm.weight_ih_l0:16x3 lstm.weight_hh_l0:12x4 head.weight:3x4
is 1 "bad: tensor lstm.weight_hh_l0 has 3 gates: a GRU" "$model" import bad -o x --like m
"$state" heads 4 lstm.weight_ih_l0:16x3 lstm.weight_hh_l0:16x4 p.weight:3x4 q.weight:3x4
is 1 "among p [3, 4], q [3, 4]: say which with --head" "$model" import heads -o x --like m
is 0 "" "$model" import heads -o m5 --like m --head q
printf 'PK\003\004 and so on' >zip
is 1 "zip: a file of torch.save" "$model" import zip -o x --like m
is 1 "not a model file" "$model" import a.csv -o x --like m
is 2 "-o is missing" "$model" import s --like m
is 2 "--like or --train is missing" "$model" import s -o x
is 2 "one state dict is wanted" "$model" import -o x --like m
is 2 "--window 0: not a number" "$model" import s -o x --like m --window 0
is 0 "" "$model" quantize m -o q --calibrate a.csv
is 1 "is int8" "$model" export q -o x
is 1 "is int8" "$model" import s -o x --like q
is 2 "-o is missing" "$model" export m
[ ! -e x ] || fail "a refused one leaves no file"
exit 0
