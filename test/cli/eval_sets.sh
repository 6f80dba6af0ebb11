#!/bin/sh
# The judge of `make eval` on sets made here, laid out as scripts/eval does it: its figures are
# those of `sonde model eval`, one failed recording spoils nobody else's, streams get their NAB
# score, and each view, each rival and what is quoted are there.
set -eu
model=$PWD/$BUILD/sonde-model judge=$PWD/$BUILD/test/eval/eval
[ -x "$judge" ] || { echo "no $BUILD/test/eval/eval: make eval was not built"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
mkdir -p cut/skab cut/nab

fail() { echo "not true: $*"; exit 1; }

record() {
	awk -v seed="$1" -v rows="$2" -v label="$3" 'BEGIN {
		srand(seed)
		print "a,b" label
		for (i = 0; i < rows; i++) {
			odd = label != "" && i >= 300 && i < 350
			a = sin(i * .3) + rand() / 3
			printf "%.6g,%.6g%s\n", a, 2 * a + rand() / 5 + 3 * odd, label != "" ? "," odd : ""
		}
	}'
}
for k in 1 2; do
	record $k 400 "" >cut/skab/pump.${k}_train.csv
	record 1$k 500 ,label >cut/skab/pump.${k}_test.csv
	awk 'BEGIN { for (i = 0; i < 500; i++) print 1000 + i, i == 300 || i == 350 }' \
		>cut/skab/pump.${k}_points.txt
done
head -n 5 cut/skab/pump.1_train.csv >cut/skab/short_train.csv
cp cut/skab/pump.1_test.csv cut/skab/short_test.csv
cut -d, -f2 cut/skab/pump.1_train.csv >cut/nab/stream_train.csv
cut -d, -f2 cut/skab/pump.1_test.csv >cut/nab/stream_test.csv
echo 290 340 >cut/nab/stream_windows.txt

got=0
"$judge" "$model" cut eval.json 2 >out 2>err || got=$?
[ $got = 1 ] || { cat out err; fail "a failed recording ends with $got, wanted 1"; }
grep -q "short .*4 .*rows" err || { cat err; fail "the reason of the failed recording is told"; }
grep -q "skab: .* 1 FAILED" out || { cat out; fail "the table tells of it"; }
grep -q "^\* lagged PCA " out && grep -q "^\*\* ARTime .*74.9" out || fail "what is quoted is there"
jq -e '(.skab["sonde-int8"] | .files == 2 and .roc_auc > .7 and .change_standard != null)
	and (.skab | keys | contains(["sonde-float", "sonde-forecast", "random", "mad", "t2", "q",
		"lagged-pca", "half-space-trees"]))
	and (.skab["sonde-forecast"] | has("roc_auc") and (has("f1") | not))
	and (.nab["sonde-int8"] | .files == 1 and .standard > 0 and .low_fn > 0)
	and (.nab["lagged-pca"] | .standard > 0 and .standard < 100)
	and (has("smd") | not)' eval.json >/dev/null || { cat out; fail "eval.json"; }

# The same by hand: the mean of both recordings, and their rows pooled.
for k in 1 2; do
	t=cut/skab/pump.$k
	"$model" fit --train ${t}_train.csv -o m -q >fit
	"$model" quantize m -o q --calibrate ${t}_train.csv >fit
	"$model" eval --model q --test ${t}_test.csv --train ${t}_train.csv -j >$k.json
done
jq -e -n --slurpfile a 1.json --slurpfile b 2.json --slurpfile e eval.json '
	def near($x; $y): $x - $y | fabs < 1e-9;
	[$a[0].methods, $b[0].methods] | . as [$p, $q] | $e[0].skab as $s
	| near(($p[0].roc_auc + $q[0].roc_auc) / 2; $s["sonde-int8"].roc_auc)
	and near(($p[0].vus_pr + $q[0].vus_pr) / 2; $s["sonde-int8"].vus_pr)
	and near(($p[0].far + $q[0].far) / 2; $s["sonde-int8"].far)
	and near(($p[2].ap + $q[2].ap) / 2; $s.mad.ap)
	and near(($p[6].mar + $q[6].mar) / 2; $s["half-space-trees"].mar)' >/dev/null ||
	{ cat out 1.json 2.json; fail "the figures are those of the verb"; }

"$judge" "$model" none eval.json 1 2>err && fail "an empty folder is refused"
grep -q "none: no recordings" err || { cat err; fail "an empty folder is named"; }
exit 0
