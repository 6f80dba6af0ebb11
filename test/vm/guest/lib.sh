# What the scenarios share: the way out, the daemon, what it says of its sensors, the table.

asked=0 failed=
# ask VERB...: test/vm/board.c does it. Fails when it could not.
ask() {
	asked=$((asked + 1))
	echo "@$asked $*" >&3
	while read -r number answer <&3; do
		[ "$number" = $asked ] || continue
		[ "$answer" = ok ]
		return
	done
	return 1
}
say() { ask say "$*"; }
# On the console's log only; it also shows that the guest is alive.
trace() { echo "# $(uptime_s) $*" >&3; }

finish() {
	[ -z "$failed" ] || tell_all
	ask done
	reboot -f
	sleep 60
}

# What is needed to find out why, onto the console's log.
tell_all() {
	{
		echo "--- sonded"
		tail -n 40 /tmp/sonded.log
		echo "--- sensors"
		sonde sensor show
		sonde -j sensor show
		sonde event list
		echo "--- this script"
		tail -n 20 /tmp/stderr
		echo "--- kernel"
		dmesg | tail -n 40
	} >&3 2>&1
}

# stop REASON: the scenario can not go on.
stop() {
	say "gives up: $*"
	failed=yes
	ask check "the scenario|no|$(echo "$*" | tr '|\n' '/ ')"
	finish
}

uptime_s() { read -r up rest </proc/uptime && echo "$up"; }
calc() { awk "BEGIN { printf \"%.3f\", $1 }"; }
holds() { awk "BEGIN { exit !($1) }"; }
yes_if() { if "$@"; then echo yes; else echo no; fi; }
# Whole seconds are good enough for patience, and cost no process.
seconds() { read -r up rest </proc/uptime && now=${up%.*}; }

# within SECONDS COMMAND...: does it come true in time?
within() {
	trace "within $*"
	seconds
	until=$((now + $1))
	shift
	until "$@"; do
		seconds
		[ "$now" -lt "$until" ] || return 1
		sleep 0.2
	done
}

# ---- the daemon ---------------------------------------------------------------------------

# look: a picture of all sensors, taken between look_s and looked_s. It becomes variables of this shell, since a
# process costs an emulated machine dearly: s_SENSOR_FIELD, f_SENSOR_FAULT, c_CHANNEL_FIELD.
look() {
	look_s=$(uptime_s)
	sonde -j sensor show >/tmp/sensors.json 2>/tmp/sensors.err || return
	looked_s=$(uptime_s)
	jq -r '
		def lines($kind; $fields): (.name | split(".") | join("_")) as $n | . as $s |
			$fields[] | "\($kind)_\($n)_\(.)=\($s[.] | @sh)";
		(.sensors[] | lines("s"; ["state", "fault", "reads", "why", "edge_to_value_ns"])),
		(.channels[] | lines("c"; ["value", "samples"])),
		(.sensors[] | "f_\(.name)_" + (.faults | to_entries[] | "\(.key)=\(.value)"))' \
		/tmp/sensors.json >/tmp/look 2>/tmp/sensors.err &&
		[ -s /tmp/look ] && . /tmp/look
}
name() {
	case $1 in
	*.*) echo "${1%%.*}_$(name "${1#*.}")" ;;
	*) echo "$1" ;;
	esac
}
of() { eval "echo \"\$s_$1_$2\""; }			# SENSOR FIELD
faults() { eval "echo \"\${f_$1_$2:-0}\""; }		# SENSOR FAULT: how often
value() { eval "echo \"\$c_$(name "$1")_value\""; }	# CHANNEL
samples() { eval "echo \"\$c_$(name "$1")_samples\""; }

live() { [ "$(of "$1" state)" = live ]; }
busy() { [ "$(of "$1" fault)" = busy ]; }
down() { case $(of "$1" state) in absent | stale | faulty) true ;; *) false ;; esac; }
is_live() { look && live "$1"; }
# between CHANNEL LOW HIGH: does its value lie there?
between() {
	v=$(value "$1")
	case $v in '' | null) return 1 ;; esac
	holds "$v >= $2 && $v <= $3"
}
reads() { look && between "$@"; }

start_daemon() { # CONFIGURATION
	sonded --check-config --config "$1" >/tmp/check.log 2>&1 ||
		stop "the configuration: $(head -n 3 /tmp/check.log)"
	sonded --config "$1" >/tmp/sonded.log 2>&1 &
	daemon=$!
	within 40 look || stop "sonded: $(tail -n 1 /tmp/sonded.log) $(head -n 1 /tmp/sensors.err)"
}
# A process that nobody has waited for yet has ended too.
ended() { [ ! -d "/proc/$daemon" ] || grep -q '^State:.Z' "/proc/$daemon/status"; }
# end_daemon: is it still the process that was started, and does it end when it is asked to?
end_daemon() {
	found daemon read "$(yes_if same_daemon)"
	kill "$daemon"
	found daemon back "$(yes_if within 20 ended)"
	note daemon "PID $daemon from the first line to the last"
	ended || for t in /proc/"$daemon"/task/*; do
		note daemon "$(cat "$t/comm") waits in $(cat "$t/wchan")"
	done
}
same_daemon() { kill -0 "$daemon" && [ "$(pidof sonded)" = "$daemon" ]; }

# ---- the table ----------------------------------------------------------------------------

# What was found of a sensor is kept in variables; "-" where there is nothing to be found.
found() { eval "$1_$2=\$3"; }	# SENSOR read|rate|held|fault|back|note VALUE
known() { eval "echo \"\${$1_$2:--}\""; }
row() { # SENSOR KIND DEVICE
	ask row "$2|$3|$(known "$1" read)|$(known "$1" rate)|$(known "$1" held)|$(known "$1" fault)|$(
		)$(known "$1" back)|$(known "$1" note | tr '|\n' '/ ')"
	case "$(known "$1" read) $(known "$1" held) $(known "$1" fault) $(known "$1" back)" in
	*no*) failed=yes ;;
	esac
}
# check NAME WHAT: what is no device: one line of what was found, "no" if any of it is.
check() {
	case "$(known "$1" read) $(known "$1" held) $(known "$1" fault) $(known "$1" back)" in
	*no* | '- - - -') good=no failed=yes ;;
	*) good=yes ;;
	esac
	ask check "$2|$good|$(known "$1" note | tr '|\n' '/ ')"
}
note() { # SENSOR TEXT: added to its note
	old=$(known "$1" note)
	[ "$old" = - ] && old= || old="$old; "
	found "$1" note "$old$2"
	trace "$1: $2"
}

# each FOUND SECONDS TEST SENSOR...: TEST SENSOR comes true in time, or it is "no" and is noted.
each() {
	trace "each $*"
	seconds
	what=$1 test=$3 until=$((now + $2))
	shift 3
	pending=$*
	while [ -n "$pending" ]; do
		look
		still=
		for s in $pending; do
			if $test "$s"; then found "$s" "$what" yes; else still="$still $s"; fi
		done
		pending=$still
		[ -n "$pending" ] || return 0
		seconds
		[ "$now" -lt "$until" ] || break
		sleep 0.2
	done
	for s in $pending; do
		found "$s" "$what" no
		note "$s" "$what: $(of "$s" state) $(of "$s" fault), $(of "$s" why)"
	done
	return 1
}

# measure SECONDS SENSOR[/CHANNEL]=HZ...: good readings a second over that time, by the guest's
# clock; of a buffer the samples, since a reading brings several. A busy machine outside
# holds up the guest as a whole: the best of three tries counts.
count_of() { case $1 in */*) samples "${1#*/}" ;; *) of "$1" reads ;; esac; }
measure() {
	seconds=$1
	shift
	pending=$*
	for try in 1 2 3; do
		trace "measure $seconds s: $pending"
		look
		from="($look_s + $looked_s) / 2"
		for pair in $pending; do eval "was_${pair%%[/=]*}=$(count_of "${pair%=*}")"; done
		sleep "$seconds"
		look
		took=$(calc "($look_s + $looked_s) / 2 - $from")
		seconds=$((seconds * 3 / 2))
		still=
		for pair in $pending; do
			eval "was=\$was_${pair%%[/=]*}"
			measured "${pair%%[/=]*}" "${pair#*=}" "$(($(count_of "${pair%=*}") - was))" ||
				still="$still $pair"
		done
		pending=$still
		[ -n "$pending" ] || return 0
	done
	for pair in $pending; do
		name=${pair%%[/=]*}
		note "$name" "$(known "$name" rate) Hz, should be ${pair#*=}"
	done
}
# measured SENSOR HZ COUNT: in $took seconds. One more or less lies on the edge of the window.
measured() {
	set -- "$1" $(awk "BEGIN { n = $2 * $took; d = $3 - n; d = d < 0 ? -d : d
		printf \"%.3f %s\", $3 / $took, d <= 0.03 * n + 1.5 ? \"yes\" : \"no\" }")
	found "$1" rate "$2"
	found "$1" held "$3"
	[ "$3" = yes ]
}

# ticks PIPELINE: "TICKS MISSED" so far
ticks() {
	sonde -j stat show | jq -r --arg p "$1" \
		'first(.stats[] | select(.pipeline == $p) | "\(.ticks) \(.missed)")'
}
# hold_ticks PIPELINE HZ SECONDS NAME: its tick rate, lost ticks below 1 %.
hold_ticks() {
	found "$4" held no
	for try in 1 2 3 4; do
		set -- "$1" "$2" "$3" "$4" $(ticks "$1") "$(uptime_s)"
		sleep "$3"
		set -- "$@" $(ticks "$1") "$(uptime_s)"
		found "$4" rate "$(calc "(${8} - $5) / (${10} - $7)")"
		lost=$((${9} - $6))
		if holds "$lost <= 0.01 * $2 * $3"; then
			found "$4" held yes
			break
		fi
		set -- "$1" "$2" "$3" "$4"
	done
	note "$4" "$(known "$4" rate) a second, $lost lost in $3 s"
}

# true_if SENSOR CHANNEL LOW HIGH: else it was not read.
true_if() {
	between "$2" "$3" "$4" && return
	within 10 reads "$2" "$3" "$4" && return
	found "$1" read no
	note "$1" "$2 is $(value "$2"), not $3 to $4"
}
