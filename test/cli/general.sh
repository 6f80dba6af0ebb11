#!/bin/sh
# The model that is shipped can be made again, to the byte, by the command that it was made with,
# and scores any recording without training.
set -eu
model=$PWD/$BUILD/sonde-model tool=$PWD/$BUILD/sonde shipped=$PWD/models/general.safetensors
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

fail() { echo "not true: $*"; exit 1; }

"$model" general -o general.safetensors --seed 1 -q >out
cmp general.safetensors "$shipped" || fail "sonde model general --seed 1 makes models/general.safetensors"
"$model" general -o other.safetensors --seed 2 -q >/dev/null
! cmp -s other.safetensors "$shipped" || fail "another seed makes another model"
"$model" verify "$shipped" >/dev/null || fail "it is sound"
"$model" general -o float.safetensors --float -q -j | jq -e '.precision == "float32"' >/dev/null || fail "--float"
for wrong in "" "-o x extra" "-o x --seed no" "-o x --sed 1"; do
	status=0
	# shellcheck disable=SC2086 # words
	"$model" general $wrong >/dev/null 2>err || status=$?
	[ "$status" = 2 ] || fail "sonde model general $wrong ends with $status"
done

# Channels of quite different sizes; two hundred rows in which one of them is off.
awk 'BEGIN {
	srand(4)
	print "time,far,near,rest,label"
	for (i = 0; i < 1500; i++) {
		a = .9 * a + rand() - .5
		off = i >= 1000 && i < 1200
		printf "%d,%.6g,%.6g,7,%d\n", i, 1e6 + 1e3 * a + (off ? 8e3 : 0), 1e-3 * (rand() - .5), off
	}
}' >a.csv
"$model" score "$shipped" a.csv >s
[ "$(wc -l <s)" = 1500 ] || fail "a score a row"
awk 'NR <= 128 && $1 != 0 { bad = 1 } NR == 300 && !($1 > 0) { bad = 1 }
	NR > 300 && NR <= 1000 { calm += $1 / 700 } NR > 1020 && NR <= 1200 { off += $1 / 180 }
	END { exit !(!bad && off > 2 * calm) }' s || fail "silent while it measures, then it tells"
"$model" eval --model "$shipped" --test a.csv -j >e
jq -e '[.. | objects | .roc_auc? // empty] | max > .9' e >/dev/null || { cat e; fail "eval takes it too"; }
"$tool" replay --model "$shipped" a.csv >/dev/null || fail "replay takes it too"

awk 'BEGIN { for (c = 0; c < 257; c++) printf "%sc%d", c ? "," : "", c; print ""
	for (c = 0; c < 257; c++) printf "%s1", c ? "," : ""; print "" }' >wide.csv
! "$model" score "$shipped" wide.csv 2>err || fail "257 channels are too many"
grep -q "257 channels: the general model general takes 1 to 256" err || { cat err; fail "it says so"; }
