#!/bin/sh
# The grammar, with no daemon: every word of the table by each of its prefixes, exit
# codes, errors as text and as JSON. What there is to try is read out of `sonde -j help`.
set -u
: "${BUILD:?}"
command -v jq >/dev/null || { echo "there is no jq"; exit 77; }
sonde=$BUILD/sonde
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export SONDE_RUN_DIR="$dir/none" SONDE_STATE_DIR="$dir/none"
failed=0

# want CODE ARGS...: runs sonde; output and errors in $dir/out and $dir/err.
want() {
	code=$1
	shift
	"$sonde" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	[ $got = "$code" ] && return
	echo "sonde $*: exit $got, not $code"
	sed 's/^/    /' "$dir/out" "$dir/err"
	failed=1
}
has() { # FILE TEXT
	grep -qF -- "$2" "$dir/$1" && return
	echo "\"$2\" is not in what was printed ($1):"
	sed 's/^/    /' "$dir/$1"
	failed=1
}
is() { # JQ-EXPRESSION
	jq -e "$1" "$dir/out" >/dev/null 2>&1 && return
	echo "not so: $1"
	sed 's/^/    /' "$dir/out"
	failed=1
}

want 0 -j help
cp "$dir/out" "$dir/table"
objects=$(jq -r '.objects[].name' "$dir/table")
for o in sensor pipeline model score event record latency stat feature conf top replay; do
	echo "$objects" | grep -qx $o || { echo "no object $o"; failed=1; }
done

# prefixes WORD WORDS OBJECT...: each beginning of WORD is taken when it fits one of WORDS
# alone, refused with all that fit when not.
prefixes() {
	word=$1
	words=$2
	shift 2
	n=1
	while [ $n -le ${#word} ]; do
		p=$(printf %.${n}s "$word")
		n=$((n + 1))
		fits=$(echo "$words" | grep "^$p")
		if [ "$p" = "$word" ] || [ "$(echo "$fits" | wc -l)" = 1 ]; then
			want "$expect" "$@" "$p" $after
			[ -z "$sees" ] || has out "$sees"
		else
			want 2 "$@" "$p" $after
			for f in $fits; do has err "$f"; done
			has err ambiguous
		fi
	done
}
for o in $objects; do
	expect=0 after=help sees="sonde $o: "
	prefixes "$o" "$objects"
	commands=$(jq -r --arg o "$o" '.objects[] | select(.name == $o) | .commands[].name' "$dir/table")
	[ -n "$commands" ] || continue
	for k in $commands; do has out "sonde $o $k"; done
	# A command that knows no such option is a command that was understood.
	expect=2 after=--no-such-option sees=
	for k in $commands; do
		[ $o = model ] && case $k in show | load | promote | rollback | shadow | compare) ;; *) continue ;; esac
		for q in "$k" $(printf %.2s "$k"); do
			fits=$(printf '%s\nhelp\n' "$commands" | grep -c "^$q")
			want 2 "$o" "$q" --no-such-option
			if [ "$fits" = 1 ] || [ "$q" = "$k" ]; then has err 'option "--no-such-option"'
			else has err ambiguous; fi
		done
	done
	want 0 "$o" help
	want 0 "$o" --help
	want 0 help "$o"
	want 0 -j "$o" help
	is ".objects[0].name == \"$o\""
	want 0 -p help "$o"
	is ".objects | length == 1"
done

# Each option that help names is one: it asks for its value.
for o in $objects; do
	jq -r --arg o "$o" '.objects[] | select(.name == $o) | .commands[] | . as $k |
		.options[] | select(.arg) | "\($k.name) \(.name)"' "$dir/table" |
	while read -r k option; do
		case $k in -*) option=$k k= ;; esac
		[ -n "$option" ] || { option=$k; k=; }
		need=
		case "$o $k" in "record start" | "model load" | "model promote" | "model shadow" | "replay ") need=file ;; "model show") need=f ;; esac
		# shellcheck disable=SC2086
		"$sonde" "$o" $k $need "$option" >"$dir/out" 2>"$dir/err"
		[ $? = 2 ] && grep -q "needs a value" "$dir/err" && continue
		echo "sonde $o $k $option: $(cat "$dir/err")"
		exit 1
	done || failed=1
done

want 2
has out "Usage: sonde"
want 0 --help
want 0 -V
has out "sonde "
want 0 -j version
is '.version | type == "string"'
want 2 senzor
has err 'did you mean "sensor"?'
want 2 latency shw
has err 'did you mean "show"?'
want 2 s
has err "sensor, score, stat"
want 2 help nothing-like-it
want 2 -x
want 2 --run-dir
want 2 --json=1 sensor
want 2 sensor show a b
want 2 record start
want 2 replay x.csv
has err "--model"
want 2 event list many
want 2 event list since soon
want 2 latency show speed
want 2 top --seconds never
want 2 replay x.csv --model m --alarm '9 of 8'
want 2 replay x.csv --model m --false-alarms never

# Nothing to talk to: 1, and the same as JSON, wherever -j stands.
for args in "sensor show" "pipeline show" "model show" "score show" "latency show" "stat show" \
	"top -n 1" "record stop" "record start $dir/x.csv" "event list" "event follow" "event window 1" \
	"model load x" "conf reload" "conf check $dir/none.conf" "conf show $dir/none.conf" \
	"model show $dir/none" "model fit" "model quantize" "model score $dir/none $dir/none" \
	"replay $dir/none.csv --model $dir/none"; do
	code=1
	case $args in "model fit" | "model quantize") code=2 ;; esac
	# shellcheck disable=SC2086
	want $code $args
	[ -s "$dir/err" ] || { echo "sonde $args: no reason"; failed=1; }
	# shellcheck disable=SC2086
	want $code -j $args
	is '.error | type == "string" and length > 5'
	# shellcheck disable=SC2086
	want $code $args --pretty
	is '.error | type == "string"'
done
want 2 -j s
is '.error | contains("ambiguous")'
want 2 sensor show --no-such-option -j
is '.error | contains("--no-such-option")'
# Whatever bytes are echoed, JSON stays UTF-8.
want 2 -j "$(printf 'x\377"\\y')"
is '.error | contains("x?")'
want 0 -jp version
[ "$(wc -l <"$dir/out")" -gt 1 ] || { echo "-p does not indent"; failed=1; }
want 0 -j feature
is '.features | length > 5 and all(has("name") and has("ok") and has("detail"))'
want 0 feature
want 0 help --
# Output that can not be written is an error.
if [ -w /dev/full ]; then
	"$sonde" help >/dev/full 2>"$dir/err"
	[ $? = 1 ] || { echo "/dev/full was not noticed"; failed=1; }
fi
exit $failed
