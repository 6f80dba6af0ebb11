#!/bin/sh
# What fit and quantize report, and profile and bench, from the outside: figures that follow
# from the recording, JSON that says the same as the text, and what is refused.
set -eu
model=$PWD/$BUILD/sonde-model
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
export SOURCE_DATE_EPOCH=1700000000 LC_ALL=C

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
says() { grep -q -- "$1" out || { cat out; fail "the report says: $1"; }; }
json() { jq -e "$1" out >/dev/null || { cat out; fail "JSON: $1"; }; }

# Chaos that no line can follow; twin and other share noise that nothing foretells; one is dead.
record() {
	awk -v seed="$1" -v rows="$2" -v label="$3" 'BEGIN {
		srand(seed)
		print "a,b,twin,other,dead" (label ? ",label" : "")
		x = 0.3
		for (i = 0; i < rows; i++) {
			x = 1 - 1.9 * x * x
			b = 0.6 * x * x + 0.3 * b + (rand() - .5) / 50
			n = rand() * 10
			gone = label && i % 100 >= 60 && i % 100 < 75
			printf "%.5f,%.5f,%.5f,%.5f,7", x + (rand() - .5) / 50 + gone * 1.5, b,
				n + rand() - gone * 4, 3 * n + rand()
			print label ? "," gone : ""
		}
	}'
}
record 1 1500 "" >a.csv
record 2 1000 1 >b.csv

is 0 "" "$model" fit --train a.csv -o m --hidden 16 --epochs 30 -q --curve --svg curve.svg \
	--target pi4 --memory-budget 1K --mixed
says "^channels  *5, of which 0 wander .* and 1 never moved"
says "^linear  *[0-9]* lags, held-out loss"
says "^LSTM  *kept: 16 hidden"
says "^memory  *of 1.0 kB asked for: peak "
says "^mixed precision bf16; [0-9]* of [0-9]* updates were not finite"
says "^residuals  *these channels miss the forecast together"
says " [+]0.9[0-9]  twin, other"
says "^as int8 "
says "^cost  *as int8 on Raspberry Pi 4 roughly (an estimate) [0-9.]* us a row"
says "^gates .* 1344$"	# 64 x (5 + 16)
says "^everything else "
says "^limit  *score "
says "^  *epochs 1 to [0-9]*; line: rows held out"
[ "$(grep -c ' [|]' out)" = 10 ] || { cat out; fail "the curve has ten lines"; }
grep -q '\*' out && says '\^' || fail "the curve has its marks"
LC_ALL=C.UTF-8 "$model" fit --train a.csv -o m --hidden 16 --epochs 5 -q --curve >out
grep -q "$(printf '\342\240')\|$(printf '\342\242')" out ||
	{ cat out; fail "Braille where it can be"; }
is 0 "" "$model" fit --train a.csv -o m --hidden 16 --epochs 5 -q
grep -q "line: rows held out" out && fail "no curve but on a terminal"
says "^cost  *as int8 on this machine about [0-9.]* us a row"
says "us were measured just now"

# A picture that a parser takes, with a point an epoch in both curves.
for what in '<svg ' '</svg>' '<polyline '; do
	grep -q -- "$what" curve.svg || fail "$what in the picture"
done
if command -v xmllint >/dev/null; then
	xmllint --noout curve.svg || fail "the picture is XML"
fi

is 0 "" "$model" fit --train a.csv -o m --hidden 16 --epochs 30 -q -j --memory-budget 1K
json '.dead == 1 and .lstm_tried and .lstm_kept and .loss_net < .loss_linear'
json '.training.peak_bytes < .training.peak_bytes_without_budget and .training.steps_again > 0
	and .training.memory_budget == 1024 and .training.skipped == 0'
json '(.loss_curve | length) == .epochs and (.train_curve | length) == .epochs'
json '[.views[].name] ==
	["level", "subspace", "forecast", "spread", "left", "code", "recurrent"]'
json '.views | map(select(.name == "forecast").kept) == [true]'
json '.residuals | (.correlation | length) == 5 and (.correlation[0] | length) == 5'
json '.residuals | .correlation[2][3] == .correlation[3][2] and .correlation[2][3] > 0.9
	and .correlation[4][0] == 0 and .correlation[4][4] == 1 and .deviation[4] == 0'
json '.residuals.pairs[0] | .a == "twin" and .b == "other"'
json '.cost | .target == "this" and (.estimated | not) and .us > 0 and .measured_us > 0
	and ([.operators[].us] | add) > .us * 0.999
	and ([.operators[].mul_adds] | add) == .mul_adds'
json '(.cost.core_percent * 1e4 / .rate_hz - .cost.us) | fabs < 1e-9'
json '.int8 | .correlation > .7 and .agreement > .95 and .rows_compared > 1000'
json '.early_share >= 0 and .early_share <= 1'
is 0 "" "$model" fit --train a.csv -o never --hidden 16 --epochs 5 -q -j --confidence 0
json '.early_share == 0'
is 0 "" "$model" fit --train a.csv -o plain --net none -q -j --views forecast
json '(.lstm_tried | not) and (.lstm_kept | not) and (has("training") | not) and .epochs == 0
	and (.views | map(select(.kept).name)) == ["forecast"]'
is 0 "" "$model" fit --train a.csv -o plain --net none -q --target pi5
says "^LSTM  *not tried"
grep -q "^gates" out && fail "no gates without an LSTM"
is 2 "--target pi9" "$model" fit --train a.csv -o x --target pi9

# Layers: their bytes, and labels that neither form has seen.
is 0 "" "$model" quantize m -o q --calibrate a.csv --test b.csv
says "^inputs  *at one step (static, fixed): cut at 10 deviations"
says "^gates  *21  *64  *1.3 kB "
says "^ROC-AUC  *float 0[.9][0-9]*, int8 "
says "^decisions "
is 0 "" "$model" quantize m -o q2 --calibrate a.csv -j --range 99.9
json '.range == "percentile" and .z_clip < 10 and (.layers[] | select(.name == "gates") |
	.bytes == 1344 and .snr_db >= .worst_db) and (has("test") | not)'
is 0 "" "$model" quantize m -o q --calibrate a.csv --test b.csv -j
json '.range == "fixed" and .z_clip == 10 and (.dynamic | not) and .agreement > .95'
json '.test | .rows == 1000 and .anomalous_rows == 150 and .roc_auc_float > .8
	and .roc_auc_int8 > .8 and .ap_int8 > .4 and .ap_float > .4'
# The same ranks, counted from the printed scores.
"$model" score q b.csv >scores
cut -d, -f6 b.csv | tail -n +2 | paste - scores | sort -g -k 2 | awk '
	{ at[NR] = $2; label[NR] = $1 }
	END { for (i = 1; i <= NR; i = j) {
			for (j = i; j <= NR && at[j] == at[i]; j++) ;
			for (k = i; k < j; k++) if (label[k]) { sum += (i + j - 1) / 2; pos++ }
		}
		printf "%.9f\n", (sum - pos * (pos + 1) / 2) / (pos * (NR - pos)) }' >auc
json "(.test.roc_auc_int8 - $(cat auc)) | fabs < 1e-6"
is 0 "" "$model" quantize m -o d --dynamic
says "^inputs  *each row at its own step (dynamic)"
is 1 "label" "$model" quantize m -o x --test a.csv
[ -e x ] && fail "a failed run leaves no file"

# Operators that were run as often as there were rows, and whose bytes are the model's.
is 0 "" "$model" profile q b.csv --rows 500 --turns 3
says "^q: int8 (xnnpack), 5 channels; 500 rows, median of 3 turns"
says "^gates  *500 "
says "^everything else  *500 "
is 0 "" "$model" profile q --rows 500 --turns 3 -j
json '.rows == 500 and .turns == 3'
json '. as $all | [.operators[].mul_adds] | add == $all.mul_adds'
json '(.operators[] | select(.operator == "gates")) | .calls == 500 and .mul_adds == 1344
	and .us > 0 and .gops > 0 and .weight_bytes == 1344 + 8 * 64'
json '.early_rows as $early | (.operators[] | select(.operator == "head")).calls == 500 - $early'
json '([.operators[].percent] | add) > 99 and .us_per_row > 0'
is 0 "" "$model" profile m --rows 50 --turns 1
says "^m: float32 (float), "
is 1 "none.csv" "$model" profile q none.csv
is 2 "usage: sonde model profile" "$model" profile
is 2 "--turns 0" "$model" profile q --turns 0

is 0 "" "$model" bench q b.csv --rows 300 --batch 8
says "^single rows  *p50 [0-9.]* us, p99 "
says "^aims  *below 10 us a row: "
[ "$(grep -c '^[1248]  *[0-9]' out)" = 4 ] || { cat out; fail "a line a batch"; }
says "^offline "
core=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*\(.*[-,]\)\{0,1\}//p' /proc/self/status)
is 0 "" "$model" bench q --rows 300 --core "$core" -j
json '.core == '"$core"' and .rows == 300 and ([.batches[].batch] == [1, 2, 4, 8, 16, 32, 64])'
json '.p50_us <= .p99_us and .p99_us <= .max_us and .rss_bytes > 1e6
	and .channels == 5 and .hidden == 16 and .precision == "int8"'
json '. as $all | [.batches[].batch] | index($all.batch) != null'
json '(.us_per_sample * .samples_per_s / 1e6 - 1) | fabs < 1e-6'
is 1 "core 1023" "$model" bench q --core 1023
is 2 "--batch 65" "$model" bench q --batch 65
is 1 "sonde-model: " "$model" bench a.csv
is 0 "" "$model" help
for verb in profile bench; do
	grep -q "^  $verb " out || fail "help lists $verb"
done
exit 0
