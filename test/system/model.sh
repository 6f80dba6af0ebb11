#!/bin/sh
# Models on their way to a running daemon: compiled, verified, signed and refused, promoted
# and rolled back with the daemon running, stopped, unwilling, and the tool killed; then
# one in the shadow of another.
set -eu
: "${BUILD:=build/$(uname -m)}"
for t in jq mkfifo; do command -v $t >/dev/null || { echo "there is no $t"; exit 77; }; done
dir=$(mktemp -d)
daemon= feed=
cleanup() {
	for p in $daemon $feed; do kill -KILL "$p" 2>/dev/null || true; done
	case $(readlink "$dir/run/stats" 2>/dev/null) in
	/sys/fs/bpf/sonde-*/stats) rm -rf "$(dirname "$(readlink "$dir/run/stats")")" ;;
	esac
	rm -rf "$dir"
}
trap cleanup EXIT
fail() {
	echo "$*"
	echo "--- what the daemon said"
	tail -n 20 "$dir/log"
	exit 1
}
# within SECONDS COMMAND...: does it come true in time?
within() {
	tries=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "never came true: $*"
		sleep 0.1
	done
}
export SONDE_RUN_DIR="$dir/run"
sonde() { "$BUILD/sonde" "$@"; }
model() { "$BUILD/sonde-model" "$@"; }
good() { "$@" >"$dir/out" 2>"$dir/err" || fail "$*: exit $?: $(cat "$dir/err" "$dir/out")"; }
# refused TEXT COMMAND...: ends with 1 and says so
refused() {
	text=$1 got=0
	shift
	"$@" >"$dir/out" 2>"$dir/err" || got=$?
	[ $got = 1 ] || fail "$*: exit $got: $(cat "$dir/out" "$dir/err")"
	grep -qF -- "$text" "$dir/err" || fail "$*: no \"$text\" in: $(cat "$dir/err")"
}
says() { grep -q -- "$1" "$dir/out" || fail "no \"$1\" in: $(cat "$dir/out")"; }
logged() { grep -q -- "$1" "$dir/log"; }
is() { sonde -j pipeline show | jq -e ".pipelines[0] | $1"; }
runs() { is ".model == \"$1\""; }
live=$dir/state/motor.safetensors
previous=$dir/state/motor.previous.safetensors
# state LIVE PREVIOUS: which files lie there? "-": none. And nothing else of ours.
state() {
	[ "$1" = - ] && { [ ! -e "$live" ] || fail "a live model"; } || cmp "$live" "$1" || fail "live is not $1"
	[ "$2" = - ] && { [ ! -e "$previous" ] || fail "a previous model"; } ||
		cmp "$previous" "$2" || fail "previous is not $2"
	[ ! -e "$dir/state/motor.outgoing.safetensors" ] || fail "something is left outgoing"
}
start() {
	"$BUILD/sonded" --config "$dir/sonde.conf" 2>>"$dir/log" &
	daemon=$!
	within 30 test -S "$dir/run/io.sonde.Agent"
	within 30 is ".ticks > 0"
}
stop() {
	kill -TERM "$daemon"
	wait "$daemon" || fail "the daemon ended with $?"
	daemon=
}
configure() {	# AGENT_KEY PIPELINE_KEY
	cat >"$dir/sonde.conf" <<-EOF
		[agent]
		run_dir = $dir/run
		state_dir = $dir/state
		$1
		[pipeline motor]
		rate = 100 Hz
		core = none
		false_alarms = 1/day
		alarm = 3 of 5
		clear = 500 ms
		$2
		[sensor shaft]
		pipeline = motor
		kind = stream
		path = $dir/fifo
		scale = 0.001
		channel.a = le:s16/16>>0
		channel.b = le:s16/16>>0
		channel.follower = le:s16/16>>0
		channel.level = le:s16/16>>0
	EOF
}

: >"$dir/log"
mkfifo "$dir/fifo"
"$BUILD/test/system/feed" "$dir/fifo" 100 &
feed=$!
configure "" ""
start
good sonde record start "$dir/normal.csv"
sleep 12
good sonde record stop

# ---- made, looked at, signed -----------------------------------------------------------------
export OPENBLAS_NUM_THREADS=1
for m in a b c; do
	seed=$(printf '%d' "'$m")
	good model fit --train "$dir/normal.csv" -o "$dir/$m.float" --name $m --hidden 8 --epochs 2 \
		--seed "$seed" -q
	good model compile "$dir/$m.float" -o "$dir/$m"
	says "sha256          $(sha256sum <"$dir/$m" | cut -d' ' -f1)"
	says "size            $(wc -c <"$dir/$m") bytes"
	says 'reference passed'
	good model verify "$dir/$m"
	says 'reference passed'
done
good model compile "$dir/a" -o "$dir/again"
cmp "$dir/a" "$dir/again" || fail "what is compiled already was changed"
good model key -o "$dir/anna"
good model key -o "$dir/ben"
[ "$(stat -c %a "$dir/anna.key")" = 600 ] || fail "the secret key is open to others"
refused 'File exists' model key -o "$dir/anna"
refused 'not signed' model verify "$dir/a" --key "$dir/anna.pub"
cp "$dir/a" "$dir/signed"
good model sign "$dir/signed" --key "$dir/anna.key"
good model verify "$dir/signed" --key "$dir/anna.pub"
refused 'is no key of' model verify "$dir/signed" --key "$dir/ben.pub"
refused 'the public key' model sign "$dir/signed" --key "$dir/anna.pub"
chmod 640 "$dir/ben.key"
refused 'others may read it' model sign "$dir/signed" --key "$dir/ben.key"
chmod 600 "$dir/ben.key"
good model show "$dir/signed"
says "signature       by $(cut -d' ' -f2 "$dir/anna.pub")"
says '^shaft.follower '
says 'products a row; .* us here'
good model show -j "$dir/signed"
jq -e '.bytes == ([.parts[].bytes] | add) + .header_bytes + .padding_bytes and
	.signature.state == "fits" and .row_us > 0 and (.channels | length) == 4 and
	(.parts | map(.name) | index("linear")) != null' "$dir/out" >/dev/null || fail "$(cat "$dir/out")"
if command -v openssl >/dev/null; then	# anybody's Ed25519
	n=$(wc -c <"$dir/signed")
	head -c $((n - 96)) "$dir/signed" >"$dir/message"
	tail -c 96 "$dir/signed" | head -c 64 >"$dir/signature"
	{
		printf '\060\052\060\005\006\003\053\145\160\003\041\000'
		cut -d' ' -f2 "$dir/anna.pub" | base64 -d
	} >"$dir/anna.der"
	openssl pkeyutl -verify -pubin -keyform DER -inkey "$dir/anna.der" -rawin \
		-in "$dir/message" -sigfile "$dir/signature" >"$dir/out" 2>&1 ||
		fail "openssl: $(cat "$dir/out")"
fi
# One byte of a weight, and one of what it says of itself.
n=$(wc -c <"$dir/signed")
for at in 300 $((n - 200)); do
	cp "$dir/signed" "$dir/forged"
	printf '\377' | dd of="$dir/forged" bs=1 seek=$at conv=notrunc 2>/dev/null
	cmp -s "$dir/signed" "$dir/forged" && continue
	got=0
	model verify "$dir/forged" >/dev/null 2>&1 || got=$?
	[ $got = 1 ] || fail "a forged byte at $at: exit $got"
done

# ---- promoted and rolled back, the daemon running ---------------------------------------------------
refused 'no model before' sonde model rollback
good sonde model promote "$dir/a" --pipeline motor
within 10 runs a
within 10 is ".model_path == \"$live\""
state "$dir/a" -
good sonde model promote "$dir/b" motor
within 10 runs b
state "$dir/b" "$dir/a"
good sonde -j model promote "$dir/b"
jq -e '.changed == false and .previous and .running' "$dir/out" >/dev/null || fail "$(cat "$dir/out")"
state "$dir/b" "$dir/a"
head -c 3000 "$dir/c" >"$dir/broken"
refused "$dir/broken" sonde model promote "$dir/broken"
refused 'no pipeline is called' sonde model promote "$dir/c" pump
state "$dir/b" "$dir/a"
runs b >/dev/null || fail "a refused model runs"
good sonde model rollback pipeline motor
within 10 runs a
state "$dir/a" -
refused 'no model before' sonde model rollback
sonde -j model rollback >"$dir/out" && fail "a second rollback"
jq -e '.error | contains("no model before")' "$dir/out" >/dev/null || fail "$(cat "$dir/out")"
# The daemon is the stricter one: what it refuses is put back.
good sonde model promote "$dir/b"
within 10 runs b
configure "trusted_key = $dir/anna.pub" ""
kill -HUP "$daemon"
within 10 logged 'in force now: agent: trusted keys'
configure "" ""
refused 'not signed' sonde model promote "$dir/c"
grep -q "is what it was before" "$dir/err" || fail "$(cat "$dir/err")"
state "$dir/b" "$dir/a"
refused 'not signed' sonde model rollback
state "$dir/b" "$dir/a"
runs b >/dev/null || fail "a refused model runs"

# ---- whose models are taken ----------------------------------------------------------------------------
configure "trusted_key = $dir/anna.pub" ""
refused 'not signed' sonde model load "$dir/c"
logged 'motor: model refused: .*not signed' || fail "the refusal was not logged"
refused 'not signed' sonde model promote "$dir/c"
cp "$dir/c" "$dir/signed"
good model sign "$dir/signed" --key "$dir/ben.key"
refused 'is no key of' sonde model load "$dir/signed"
refused 'is no key of' sonde model promote "$dir/signed"
good model sign "$dir/signed" --key "$dir/anna.key"
n=$(wc -c <"$dir/signed")
cp "$dir/signed" "$dir/forged"
# Not a byte of another signature, but one of another's key: the last.
printf '\001\002' | dd of="$dir/forged" bs=1 seek=$((n - 99)) conv=notrunc 2>/dev/null
refused 'does not fit' sonde model load "$dir/forged"
refused 'the live model, which is read again: ' sonde model shadow "$dir/signed"
runs b >/dev/null || fail "a refused model runs"
good sonde model promote "$dir/signed"
within 10 runs c
state "$dir/signed" "$dir/b"
refused 'does not fit' sonde model shadow "$dir/forged"
refused 'not signed' sonde model shadow "$dir/a"
# The one before is nobody's: the configuration decides that as well.
refused 'not signed' sonde model rollback
state "$dir/signed" "$dir/b"
# At the start too; a folder of keys does as well as one.
stop
mkdir "$dir/keys"
configure "trusted_keys = $dir/keys" ""
start
logged 'motor: no scores: .*no key of' || fail "a foreign model was taken at the start"
runs "" >/dev/null || fail "a foreign model runs"
cp "$dir/anna.pub" "$dir/keys"
good sonde model load "$live"
within 10 runs c
stop

# ---- with the daemon stopped, and the tool killed --------------------------------------------------------
configure "" ""
refused 'not signed' sonde model promote "$dir/a" --config /dev/stdin <<EOF
$(sed "s|^run_dir|trusted_key = $dir/anna.pub\\nrun_dir|" "$dir/sonde.conf")
EOF
good sonde model promote "$dir/a" --config "$dir/sonde.conf"
says 'from the next start'
state "$dir/a" "$dir/signed"
good sonde model rollback --config "$dir/sonde.conf"
state "$dir/signed" -
sed 's/shaft/crank/' "$dir/sonde.conf" >"$dir/other.conf"
refused 'wants a channel' sonde model promote "$dir/a" --config "$dir/other.conf"
state "$dir/signed" -
good sonde model promote "$dir/a" --config "$dir/sonde.conf"
cut=0
for i in $(seq 60); do
	case $((i % 3)) in 0) new=a ;; 1) new=b ;; 2) new=c ;; esac
	"$BUILD/sonde" model promote "$dir/$new" --config "$dir/sonde.conf" >/dev/null 2>&1 &
	pid=$!
	sleep "0.0$((i * 7 % 20 / 10))$((i * 7 % 10))"	# up to 19 ms
	kill -KILL $pid 2>/dev/null && cut=$((cut + 1))
	wait $pid || true
	for f in a b c none; do cmp -s "$live" "$dir/$f" && break; done
	[ $f != none ] || fail "killed: the live model is none of those"
	good model verify "$live"
done
[ $cut -gt 0 ] || fail "the tool was never killed"
echo "killed $cut of 60 times"
good sonde model promote "$dir/c" --config "$dir/sonde.conf"
good sonde model promote "$dir/a" --config "$dir/sonde.conf"
state "$dir/a" "$dir/c"
[ -z "$(ls "$dir/state" | grep 'part$')" ] || fail "half-written files stay: $(ls "$dir/state")"
start
within 10 runs a

# ---- in the shadow -------------------------------------------------------------------------------------------
compared() { sonde -j model compare | jq -e ".comparisons[0] | $1"; }
compared 'has("shadow") | not' >/dev/null || fail "a shadow before there was one"
good sonde model compare
says 'no shadow'
refused 'broken' sonde model shadow "$dir/broken"
good sonde model shadow "$dir/b"
within 10 compared '.shadow.model == "b" and .live.model == "a" and .ticks > 100'
compared '(.correlation | fabs) <= 1.0001 and .live.mean > 0 and .shadow.mean > 0 and .shadow.limit > 0' >/dev/null ||
	fail "$(sonde -j model compare)"
good sonde model compare
says 'correlation of the scores'
good sonde model show
says "shadow    b (int8), $dir/b"
if [ -z "${SAN:-}" ] && command -v strace >/dev/null; then
	tid=$(for t in /proc/"$daemon"/task/*; do
		case $(cat "$t/comm") in sonde:*) echo "${t##*/}" ;; esac
	done)
	timeout 2 strace -p "$tid" -o "$dir/calls" 2>/dev/null || true
	if [ "$(grep -c '^io_uring_enter' "$dir/calls" || true)" -gt 50 ]; then
		others=$(grep -v -e '^io_uring_enter' -e '^restart_syscall' -e '^strace:' -e '^---' \
			-e '^ <' "$dir/calls" | head -n 5 || true)
		[ -z "$others" ] || fail "the shadow costs calls: $others"
	fi
fi
alarms() { sonde -j event list 100 kind alarm | jq '.events | length'; }
before=$(alarms)
kill -USR1 $feed
within 30 compared '.live.alarms >= 1 and .shadow.alarms >= 1 and .shadow.alarm'
kill -USR2 $feed
within 30 compared '(.live.alarm or .shadow.alarm) | not'
sleep 0.5
[ "$(alarms)" = $((before + $(sonde -j model compare | jq '.comparisons[0].live.alarms'))) ] ||
	fail "the shadow's alarms count: $before events, now $(alarms)"
# New limits end nothing; another live model does.
seen=$(sonde -j model compare | jq '.comparisons[0].ticks')
sed -i 's|1/day|2/day|' "$dir/sonde.conf"
kill -HUP "$daemon"
within 10 logged 'in force now: pipeline motor: false_alarms'
sleep 0.5
compared ".ticks > $seen" >/dev/null || fail "a new limit ended the comparison"
good sonde model load "$dir/c"
within 10 compared ".live.model == \"c\" and .shadow.model == \"b\" and .ticks < $seen"
good sonde model shadow off
within 10 compared 'has("shadow") | not'
runs c >/dev/null || fail "without a shadow another model runs"
# From the configuration, on a reload and at a start.
configure "" "shadow = $dir/b"
kill -HUP "$daemon"
within 10 logged 'in force now: pipeline motor: shadow'
within 10 compared '.shadow.model == "b" and .ticks > 10'
stop
start
within 10 compared '.shadow.model == "b" and .live.model == "a" and .ticks > 10'
# A live model without its shadow is better than none.
stop
cp "$dir/broken" "$dir/b"
start
within 10 runs a
logged 'motor: no shadow: ' || fail "the missing shadow was not told"
stop
