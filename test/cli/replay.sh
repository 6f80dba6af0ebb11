#!/bin/sh
# Replay: the same bits each time, the trainer's own scores, alarms where the recording
# departs and nowhere else, whatever the order of the columns; and what it refuses.
set -u
: "${BUILD:?}"
for t in jq perl; do command -v $t >/dev/null || { echo "there is no $t"; exit 77; }; done
sonde=$BUILD/sonde
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "$*"; exit 1; }

test/cli/feed.pl --csv 2000 0 0 >"$dir/normal.csv"
test/cli/feed.pl --csv 1500 900 1100 >"$dir/departed.csv"
"$sonde" model fit --train "$dir/normal.csv" -o "$dir/f32" --hidden 8 --lags 4 --epochs 5 -q \
	>/dev/null || fail "no model"
"$sonde" model quantize "$dir/f32" -o "$dir/int8" --calibrate "$dir/normal.csv" >/dev/null ||
	fail "no int8 model"

for m in f32 int8; do
	"$sonde" replay "$dir/departed.csv" --model "$dir/$m" >"$dir/1" || fail "$m: replay"
	"$sonde" rep "$dir/departed.csv" -m "$dir/$m" >"$dir/2" || fail "$m: replay"
	cmp "$dir/1" "$dir/2" || fail "$m: not the same twice"
	"$sonde" replay "$dir/departed.csv" --model="$dir/$m" --scores >"$dir/scores" || fail "$m: --scores"
	grep -v '^#' "$dir/1" | cmp - "$dir/scores" || fail "$m: --scores are others"
	[ "$(wc -l <"$dir/scores")" = 1500 ] || fail "$m: not a score a row"

	# What the trainer computes of the same rows (0 where replay says "-").
	"$sonde" model score "$dir/$m" "$dir/departed.csv" | awk '{ print NR - 1, $NF }' >"$dir/trainer"
	sed 's/ -$/ 0/' "$dir/scores" | cmp - "$dir/trainer" || fail "$m: not the trainer's scores"

	# One alarm, within a few rows of where it departs, and the channel that did.
	grep '^# alarm' "$dir/1" >"$dir/alarms"
	[ "$(wc -l <"$dir/alarms")" = 1 ] || fail "$m: $(cat "$dir/alarms")"
	awk '{ sub(":", "", $5); exit !($3 >= 900 && $3 < 920 && $5 >= 900 && $5 <= $3 && $6 ~ /^s\.b/) }' \
		"$dir/alarms" || fail "$m: $(cat "$dir/alarms")"
	awk '/^# clear/ { n++; at = $3 } END { exit !(n == 1 && at > 1100 && at < 1450) }' "$dir/1" ||
		fail "$m: $(grep '^# clear' "$dir/1")"
	"$sonde" -j replay "$dir/departed.csv" --model "$dir/$m" >"$dir/json" || fail "$m: -j"
	jq -e '.rows == 1500 and (.alarms | length) == 1 and .alarms[0].channels[0] == "s.b" and
		.alarms[0].peak > .limit and .alarms[0].clear_row > 1100' "$dir/json" >/dev/null ||
		fail "$m: $(jq -c 'del(.scores)' "$dir/json")"
	# Numbers in JSON are the same floats.
	jq -r '.scores[] | . // "-"' "$dir/json" | paste -d' ' "$dir/scores" - | perl -ane '
		$n++;
		exit 1 unless $F[1] eq "-" ? $F[2] eq "-" : pack("f", $F[1]) eq pack("f", $F[2]);
		END { $? = 1 if $n != 1500 }' || fail "$m: other scores in JSON"
	"$sonde" replay "$dir/normal.csv" --model "$dir/$m" --alarms --false-alarms 1/month |
		grep -q '^# alarm' && fail "$m: an alarm in what it was trained on"
done

# The budget moves the limit; 1 of 1 is quicker than 5 of 8.
tight=$("$sonde" -j replay "$dir/normal.csv" -m "$dir/int8" --false-alarms 1/month | jq .limit)
loose=$("$sonde" -j replay "$dir/normal.csv" -m "$dir/int8" --false-alarms 10/hour | jq .limit)
awk "BEGIN { exit !($tight > $loose && $loose > 0) }" || fail "limits: $tight, $loose"
first=$("$sonde" -j replay "$dir/departed.csv" -m "$dir/int8" --alarm '1 of 1' | jq '.alarms[0].row')
"$sonde" -j replay "$dir/departed.csv" -m "$dir/int8" --alarm '1 of 1' |
	jq -e '.alarms[0] | .row == .since_row' >/dev/null || fail "1 of 1 begins before its first row"
late=$("$sonde" -j replay "$dir/departed.csv" -m "$dir/int8" --alarm '6 of 6' | jq '.alarms[0].row')
[ "$late" = $((first + 5)) ] || fail "1 of 1 at row $first, 6 of 6 at $late"

# A configuration's pipeline says the same things.
cat >"$dir/sonde.conf" <<CONF
[pipeline p]
rate = 100 Hz
alarm = 6 of 6
false_alarms = 1/month
[sensor s]
kind = sysfs
path = /proc/loadavg
pipeline = p
CONF
"$sonde" -j replay "$dir/departed.csv" -m "$dir/int8" --config "$dir/sonde.conf" pipeline p >"$dir/json" ||
	fail "--config"
jq -e ".limit == $tight and .alarms[0].row == $late" "$dir/json" >/dev/null || fail "$(jq -c 'del(.scores)' "$dir/json")"

# Columns by name: another order, one more, the same bits.
awk -F, -v OFS=, '{ print $4, (NR > 1 ? NR : "other"), $3, $1, $2 }' "$dir/departed.csv" >"$dir/mixed.csv"
"$sonde" replay "$dir/mixed.csv" -m "$dir/int8" >"$dir/2" || fail "mixed columns"
cmp "$dir/1" "$dir/2" || fail "the order of columns matters"
# What is missing is not believed: blanks where b departed leave nothing to flag.
awk -F, -v OFS=, 'NR > 898 && NR < 1105 { $3 = "" } { print }' "$dir/departed.csv" >"$dir/blank.csv"
"$sonde" replay "$dir/blank.csv" -m "$dir/int8" --alarms --false-alarms 1/month | grep '^# alarm' &&
	fail "an alarm from values that are not there"
"$sonde" model score "$dir/int8" "$dir/blank.csv" | awk '{ print NR - 1, $NF }' >"$dir/trainer"
"$sonde" replay "$dir/blank.csv" -m "$dir/int8" --scores | sed 's/ -$/ 0/' | cmp - "$dir/trainer" ||
	fail "blanks are something else to the trainer"

refused() { # TEXT ARGS...
	text=$1
	shift
	"$sonde" replay "$@" >"$dir/out" 2>&1
	[ $? = 1 ] || fail "replay $* was not refused"
	grep -qF -- "$text" "$dir/out" || fail "replay $*: $(cat "$dir/out")"
}
cut -d, -f1,2,4 "$dir/departed.csv" >"$dir/two.csv"
refused 's.b' "$dir/two.csv" -m "$dir/int8"
awk -F, -v OFS=, 'NR > 1 { $1 *= 2 } { print }' "$dir/departed.csv" >"$dir/slow.csv"
refused '50' "$dir/slow.csv" -m "$dir/int8"
head -c 2000 "$dir/int8" >"$dir/half"
refused 'half' "$dir/departed.csv" -m "$dir/half"
refused 'no pipeline' "$dir/departed.csv" -m "$dir/int8" --config "$dir/sonde.conf" pipeline q
exit 0
