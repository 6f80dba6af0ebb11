#!/bin/sh
# The figures of `sonde model eval` against the independent scorer of the data folder (DATA),
# to 1e-6, on scores that the tool printed, warm-up zeros included; also with labels of one class only.
set -eu
model=$PWD/$BUILD/sonde-model
scorer=${DATA:-../shared/data}/score.py
skip() { echo "$*"; exit 77; }
[ -f "$scorer" ] || skip "no $scorer, the scorer to agree with"
scorer=$(readlink -f "$scorer")
python=
for p in /usr/bin/python3 python3; do
	"$p" -c 'import numpy' 2>/dev/null && python=$p && break
done
[ -n "$python" ] || skip "no python3 with numpy, which the scorer needs"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

fail() { echo "not true: $*"; exit 1; }

# Short events, the first at the start, the last at the end.
record() {
	awk -v seed="$1" -v rows="$2" -v labelled="$3" 'BEGIN {
		srand(seed)
		print "a,b" (labelled ? ",label" : "")
		for (i = 0; i < rows; i++) {
			odd = labelled && (i % 211 < 17 || i >= rows - 9)
			a = sin(i * .3) + rand() / 3
			b = int(8 * (a + rand() / 2 + (odd ? rand() : 0))) / 8
			printf "%.6g,%.6g", a, b
			print labelled ? "," odd : ""
		}
	}'
}
record 1 1500 0 >a.csv
record 2 2000 1 >b.csv
awk -F, -v OFS=, 'NR > 1 { $3 = 1 } { print }' b.csv >all.csv
awk -F, -v OFS=, 'NR > 1 { $3 = 0 } { print }' b.csv >none.csv
"$model" fit --train a.csv -o m --net none -q >out

cat >compare.py <<'END'
import csv, json, math, subprocess, sys
sys.path.insert(0, sys.argv[1])
import numpy as np, score
model, test, window, limit = sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]
run = lambda *a: subprocess.run((model,) + a, check=True, capture_output=True, text=True).stdout
s = np.array([float(x) for x in run("score", "m", test).split()])
y = np.array([float(r["label"]) for r in csv.DictReader(open(test))])
ours = json.loads(run("eval", "--model", "m", "--test", test, "--window", str(window), "-j",
                      *(("--limit", limit) if limit != "point" else ())))["methods"][0]
f1, far, mar = score.rates(score.confusion(y, (s > np.float32(ours["limit"])).astype(float)))
roc, pr = score.vus(y, s, window)
theirs = dict(roc_auc=score.roc_auc(y, s), ap=score.avg_prec(y, s), vus_roc=roc, vus_pr=pr,
              f1=f1, far=far, mar=mar)
bad = 0
for k, v in theirs.items():
    u = math.nan if ours[k] is None else ours[k]
    if not (abs(u - v) <= 1e-6 or (math.isnan(u) and math.isnan(v))):
        print(f"{test} window {window} {k}: {u}, the scorer says {v}")
        bad = 1
sys.exit(bad)
END
for test in b all none; do
	for window in 100 13 0; do
		"$python" compare.py "${scorer%/*}" "$model" $test.csv $window 4.5 || fail "$test agrees"
	done
	"$python" compare.py "${scorer%/*}" "$model" $test.csv 100 2.5 || fail "$test agrees"
done
exit 0
