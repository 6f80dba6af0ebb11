# GPIO lines in the scenarios. gpio-sim is on every board: eight lines of "rig-lines", one of
# them RELAY. The inputs are the SoC's own where they can be driven from outside, so that
# they come with real interrupts, and gpio-sim's elsewhere.

sim=/sys/kernel/config/gpio-sim/rig
sim_begin() {
	mkdir -p $sim/bank0/line5 $sim/bank0/line4 &&
		echo 8 >$sim/bank0/num_lines && echo rig-lines >$sim/bank0/label &&
		echo DOOR >$sim/bank0/line5/name && echo RELAY >$sim/bank0/line4/name &&
		echo 1 >$sim/live
}
sim_line() { echo "/sys/devices/platform/$(cat $sim/dev_name)/$(cat $sim/bank0/chip_name)/sim_gpio$1"; }

set_line() { # LINE LEVEL
	if [ -n "$soc_inputs" ]; then
		ask gpio gpio2 "$1" "$2"
	elif [ "$2" = 1 ]; then
		echo pull-up >"$(sim_line "$1")/pull"
	else
		echo pull-down >"$(sim_line "$1")/pull"
	fi
}
# pulse LINE HZ: a square wave, until no_pulse.
pulse() {
	if [ -n "$soc_inputs" ]; then
		ask pulse gpio2 "$1" "$2"
		return
	fi
	fake pulse "$(sim_line "$1")/pull" $((500000 / $2)) &
	pulse=$!
}
no_pulse() {
	if [ -n "$soc_inputs" ]; then ask still; else kill "$pulse"; fi
}

# gpio_begin BUS: the lines, and their part of the configuration. Somebody else has them.
gpio_begin() {
	chip=rig-lines door='line = DOOR'
	[ -z "$soc_inputs" ] || chip=30210000.gpio door='chip = 30210000.gpio\nline = 5'
	sed "s/@CHIP@/$chip/; s/@DOOR@/$door/; s/@BUS@/$1/" /vm/gpio.conf >>/etc/sonde/sonde.conf
	for line in 5 6 7; do set_line $line 0; done
	first=$(cat "$(dirname "$(grep -l $chip /sys/class/gpio/gpiochip*/label)")/base")
	for line in 5 6 7; do echo $((first + line)) >/sys/class/gpio/export; done
}

# Levels, edges, and what a reading that an edge starts needs.
gpio_try() {
	each fault 20 busy door flow ready
	note door "$(of door why)"
	for line in 5 6 7; do echo $((first + line)) >/sys/class/gpio/unexport; done
	each back 30 live door flow ready
	found door read yes
	set_line 5 1
	true_if door door 1 1
	set_line 5 0
	true_if door door 0 0

	pulse 6 10
	found flow read yes
	true_if flow flow 8 12
	found flow rate "$(value flow)"
	found flow held "$(yes_if between flow 8 12)"
	no_pulse
	# From now on an edge twice a second starts the readings of `shot`.
	pulse 7 2
	each read 10 live shot
	measure 6 shot=2 door=20
	note shot "edge to value $(calc "$(of shot edge_to_value_ns) / 1e6") ms, emulated"
}

# gpio-sim's chip is taken away and brought again, with everything that hangs on it.
gpio_unplug() {
	[ -z "$soc_inputs" ] || return
	no_pulse
	echo 0 >$sim/live
	each fault 20 down door flow
	note door "chip gone: $(of door fault)"
	echo 1 >$sim/live
	each back 30 live door flow
}

gpio_rows() {
	kind=${soc_inputs:+SoC}
	row door gpio "${kind:-sim} level"
	row flow gpio "${kind:-sim} edges counted"
	row shot gpio "${kind:-sim} data-ready"
}
