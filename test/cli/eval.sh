#!/bin/sh
# sonde-model eval from the outside: the figures against ones that awk counts from the
# printed scores, the rivals beside them, the rules for limits, and what is refused.
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

# Three channels that turn together; one leaves the others during two events.
record() {
	awk -v seed="$1" -v rows="$2" -v events="$3" 'BEGIN {
		srand(seed)
		print "time,speed,current,noise" (events ? ",label,load" : "")
		for (i = 0; i < rows; i++) {
			s = sin(i * .37) + (rand() - .5) / 5
			c = s * 3 + (rand() - .5) / 2
			odd = events && ((i >= 500 && i < 560) || (i >= 1000 && i < 1030))
			if (odd) c = -c + 2
			printf "%.2f,%.6g,%.6g,%.6g", i / 20, s, c, rand()
			print events ? "," odd "," (i >= 1000) : ""
		}
	}'
}
record 1 1500 0 >a.csv
record 2 1200 1 >b.csv
is 0 "" "$model" fit --train a.csv -o m --net none -q
cp m n

is 0 "" "$model" eval --model m --model n --test b.csv --train a.csv --limit 4.5 -j
mv out both.json
jq -e '.rows == 1200 and .anomalous_rows == 90 and .events == 2 and .rate_hz == 20
	and [.methods[].name] == ["m", "n", "random", "mad", "t2", "q", "lagged-pca", "half-space-trees"]
	and [.methods[].kind] == ["model", "model", "rival", "rival", "rival", "rival", "rival", "rival"]
	and (.methods[0] | del(.name)) == (.methods[1] | del(.name))
	and .methods[0].roc_auc > .9 and .methods[0].event_recall == 1
	and (.methods[2].roc_auc | . > .4 and . < .6) and .methods[6].roc_auc > .8' both.json >/dev/null ||
	{ cat both.json; fail "eval -j"; }
is 0 "" "$model" eval --model m --model n --test b.csv --train a.csv --limit 4.5 -j
cmp out both.json || fail "the same figures again"
is 0 "" "$model" eval --model m --model n --test b.csv --train a.csv --limit 4.5 -j --seed 2
jq -e --slurpfile a both.json '.methods[2].roc_auc != $a[0].methods[2].roc_auc
	and .methods[0] == $a[0].methods[0]' out >/dev/null || fail "a seed changes chance alone"

# The figures, counted from what score prints, by their definitions.
is 0 "" "$model" score m b.csv
limit=$(jq '.methods[0].limit' both.json)
awk -F, 'NR > 1 { print $5 }' b.csv | paste - out >pairs
awk -v limit="$limit" '
	{ y[NR] = $1; s[NR] = $2; alarm = $2 > limit }
	$1 && alarm { tp++ }
	$1 && !alarm { fn++ }
	!$1 && alarm { fp++ }
	!$1 && !alarm { tn++ }
	$1 && alarm && !met { met = 1; delay[++events] = NR - start }
	!$1 { met = 0; start = NR + 1 }
	END {
		for (i = 1; i <= NR; i++)
			for (j = 1; j <= NR; j++)
				if (y[i] && !y[j]) { pairs++; won += s[i] > s[j] ? 1 : s[i] == s[j] ? .5 : 0 }
		printf "{\"roc_auc\":%.12g,\"f1\":%.12g,\"far\":%.12g,\"mar\":%.12g,\"delay\":%.12g}\n",
			won / pairs, 2 * tp / (2 * tp + fp + fn), 100 * fp / (fp + tn), 100 * fn / (fn + tp),
			(delay[1] + delay[2]) / 2
	}' pairs >counted.json
jq -e --slurpfile c counted.json '.methods[0] as $m | $c[0] | to_entries
	| all(.[]; ($m[.key] - .value) | fabs < 1e-9)' both.json >/dev/null ||
	{ cat both.json counted.json; fail "the figures are those of the printed scores"; }

# Semicolons and other orders of columns change nothing; a label column is never a channel.
awk -F, '{ print $6 ";" $5 ";" $4 ";" $3 ";" $2 ";" $1 }' b.csv >c.csv
is 0 "" "$model" eval --model m --test c.csv --train a.csv --limit 4.5 -j
jq -e --slurpfile a both.json '.methods[0] == $a[0].methods[0] and .methods[1:] == $a[0].methods[2:]' \
	out >/dev/null || fail "the order of columns does not matter"
is 0 "" "$model" eval --model m --test b.csv --label load -j
jq -e '.anomalous_rows == 200 and .events == 1 and [.methods[].name] == ["m", "random"]
	and (has("train") | not)' out >/dev/null || { cat out; fail "--label"; }
is 0 "" "$model" eval --model m --test b.csv
grep -q "^m .* [0-9]" out && grep -q "^random " out && grep -q "Without --train" out || fail "the table"

# Limits and rates.
is 0 "" "$model" eval --model m --test b.csv --limit 1e9 -j
jq -e '.methods[0] | .limit == 1e9 and .far == 0 and .mar == 100 and .f1 == 0 and .delay == null
	and .event_precision == null' out >/dev/null || { cat out; fail "--limit SCORE"; }
is 0 "" "$model" show -j m
day=$(jq .limit_per_day out)
is 0 "" "$model" eval --model m --test b.csv --limit 7/week -j
jq -e '.methods[0].limit - '"$day"' | fabs < 1e-4' out >/dev/null || { cat out; fail "--limit N/week"; }
is 0 "" "$model" eval --model m --test b.csv --rate 10 -j
mv out slow
is 0 "" "$model" eval --model m --test b.csv -j
jq -e --slurpfile s slow '$s[0].rate_hz == 10 and .methods[1].false_alarms_day > 0 and
	(.methods[1].false_alarms_day / $s[0].methods[1].false_alarms_day - 2 | fabs < 1e-9)' out >/dev/null ||
	fail "--rate"
is 0 "" "$model" eval --model m --test b.csv --window 0 -j
jq -e --slurpfile a both.json '.vus_window == 0 and .methods[0].vus_pr != $a[0].methods[0].vus_pr
	and .methods[0].ap == $a[0].methods[0].ap' out >/dev/null || fail "--window"
is 0 "" "$model" fit --train a.csv -o v --net none --views subspace,forecast -q
for views in subspace forecast subspace,forecast; do
	is 0 "" "$model" eval --model v --test b.csv --views $views -j
	jq '.methods[0].vus_pr' out
done >alone
[ "$(sort -u alone | wc -l)" = 3 ] || { cat alone; fail "--views: each alone and both together differ"; }

is 2 "usage: sonde model eval" "$model" eval --test b.csv
is 2 "--test is missing" "$model" eval --model m
is 2 "--limit often" "$model" eval --model m --test b.csv --limit often
is 2 "--limit 3/year" "$model" eval --model m --test b.csv --limit 3/year
is 2 "--views colour" "$model" eval --model m --test b.csv --views colour
is 2 "b.csv: not expected here" "$model" eval --model m --test b.csv b.csv
is 1 "a.csv: no column label" "$model" eval --model m --test a.csv
is 1 "no column weight" "$model" eval --model m --test b.csv --label weight
is 1 "has none of these views" "$model" eval --model m --test b.csv --views recurrent
head -n 11 a.csv >short.csv
is 1 "10 training rows" "$model" eval --model m --test b.csv --train short.csv
exit 0
