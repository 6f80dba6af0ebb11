#!/bin/sh
# sonde sensor probe on a made tree of sysfs and /dev: what drivers have is told and offered as
# they offer it, everything printed is configuration, JSON says the same, and nothing is an answer.
set -u
: "${BUILD:?}"
command -v jq >/dev/null || { echo "there is no jq"; exit 77; }
sonde=$BUILD/sonde
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export SONDE_ROOT="$dir/root" SONDE_SENSORS_DIR="$PWD/agent/sensors"
failed=0

has() { # FILE LINE
	grep -qxF -- "$2" "$dir/$1" && return
	echo "no line \"$2\" in $1:"
	sed 's/^/    /' "$dir/$1"
	failed=1
}
hasnt() { # FILE TEXT
	grep -qF -- "$2" "$dir/$1" || return
	echo "\"$2\" is in $1:"
	sed 's/^/    /' "$dir/$1"
	failed=1
}
is() { # JQ-EXPRESSION
	jq -e "$1" "$dir/json" >/dev/null 2>&1 && return
	echo "not so: $1"
	sed 's/^/    /' "$dir/json"
	failed=1
}
run() { # CODE ARGS
	code=$1
	shift
	"$sonde" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	[ $got = "$code" ] && return
	echo "sonde $*: exit $got, not $code"
	sed 's/^/    /' "$dir/out" "$dir/err"
	failed=1
}
put() { # PATH TEXT: a file of the made tree
	mkdir -p "$SONDE_ROOT/$(dirname "$1")"
	printf '%s\n' "$2" >"$SONDE_ROOT/$1"
}
link() { # PATH TARGET
	mkdir -p "$SONDE_ROOT/$(dirname "$1")"
	ln -s "$2" "$SONDE_ROOT/$1"
}

# ---- an empty machine
mkdir -p "$SONDE_ROOT"
run 0 sensor probe
has out "# Nothing that could be read as a sensor was found."
run 0 -j sensor probe
cp "$dir/out" "$dir/json"
is '[.iio, .hwmon, .thermal, .w1, .gpio, .spi, .serial | length] | all(. == 0)'
is '.i2c[0].remark and (.i2c[0].what | contains("no bus"))'
run 1 sensor probe bus i2c-1
grep -qF "no I2C bus i2c-1" "$dir/err" || { echo "no reason"; failed=1; }
run 1 sensor probe bus ../../etc/passwd
run 2 sensor probe bus
run 2 sensor probe more

# ---- a board
soc=sys/devices/platform/soc
up=../../../../..
put $soc/i2c-1/name "bcm2835 (i2c@7e804000)"
link sys/bus/i2c/devices/i2c-1 ../../../devices/platform/soc/i2c-1
put dev/i2c-1 "no device"
for a in 0048 0049; do
	put $soc/i2c-1/1-$a/name tmp105
	link $soc/i2c-1/1-$a/driver ../../../../../bus/i2c/drivers/lm75
	link sys/bus/i2c/devices/1-$a ../../../devices/platform/soc/i2c-1/1-$a
done
n=0
for a in 0048 0049; do
	put $soc/i2c-1/1-$a/hwmon/hwmon$n/name tmp105
	put $soc/i2c-1/1-$a/hwmon/hwmon$n/temp1_input 25500
	put $soc/i2c-1/1-$a/hwmon/hwmon$n/temp1_max 80000
	link sys/class/hwmon/hwmon$n ../../devices/platform/soc/i2c-1/1-$a/hwmon/hwmon$n
	n=$((n + 1))
done
put $soc/hwmon/hwmon2/name rp1_adc
put $soc/hwmon/hwmon2/in1_input 1
put $soc/hwmon/hwmon2/in1_label "Core Voltage"
put $soc/hwmon/hwmon2/in2_input 1
put $soc/hwmon/hwmon2/in2_label "core voltage!"
put $soc/hwmon/hwmon2/in10_input 1
put $soc/hwmon/hwmon2/pwm1_input 1
put $soc/hwmon/hwmon2/in3_min 1
link sys/class/hwmon/hwmon2 ../../devices/platform/soc/hwmon/hwmon2
put $soc/hwmon/hwmon10/name "odd # one"
put $soc/hwmon/hwmon10/temp1_input 1
link sys/class/hwmon/hwmon10 ../../devices/platform/soc/hwmon/hwmon10

mag=$soc/i2c-1/1-001e
put $mag/name lsm303dlhc_magn
link $mag/driver ../../../../../bus/i2c/drivers/st-magn-i2c
link sys/bus/i2c/devices/1-001e ../../../devices/platform/soc/i2c-1/1-001e
put $mag/iio:device0/name lsm303dlhc_magn
for c in magn_x magn_y; do
	put $mag/iio:device0/in_${c}_raw 1
	put $mag/iio:device0/scan_elements/in_${c}_en 0
done
put $mag/iio:device0/scan_elements/in_timestamp_en 0
put $mag/iio:device0/trigger/current_trigger ""
link sys/bus/iio/devices/iio:device0 ../../../devices/platform/soc/i2c-1/1-001e/iio:device0
air=$soc/i2c-1/1-0076
put $air/iio:device1/name bme280
put $air/iio:device1/in_temp_input 21000
put $air/iio:device1/in_temp_raw 1
put $air/iio:device1/in_pressure_input 101
put $air/iio:device1/in_temp_oversampling_ratio 2
link sys/bus/iio/devices/iio:device1 ../../../devices/platform/soc/i2c-1/1-0076/iio:device1
link sys/bus/i2c/devices/1-0076 ../../../devices/platform/soc/i2c-1/1-0076
# Names and channels that are too long together, one of them twice.
long=$soc/i2c-1/1-0029
for n in 2 3; do
	put $long/iio:device$n/name a_light_sensor_of_many
	put $long/iio:device$n/in_intensity_ultraviolet2_raw 1
	put $long/iio:device$n/in_proximity_raw 1
	link sys/bus/iio/devices/iio:device$n ../../../devices/platform/soc/i2c-1/1-0029/iio:device$n
done
put $long/iio:device4/name "odd(1)"
put $long/iio:device4/in_velocity_sqrt\(x^2+y^2+z^2\)_input 1
put $long/iio:device4/in_accel_x^y_input 1
link sys/bus/iio/devices/iio:device4 ../../../devices/platform/soc/i2c-1/1-0029/iio:device4
for n in 20 21; do
	put $soc/hwmon/hwmon$n/name a_supervisor_of_power
	put $soc/hwmon/hwmon$n/in1_input 1
	put $soc/hwmon/hwmon$n/in1_label "Supply of the outside"
	link sys/class/hwmon/hwmon$n ../../devices/platform/soc/hwmon/hwmon$n
done
# No driver: not somebody's.
put $soc/i2c-1/1-0050/name eeprom
link sys/bus/i2c/devices/1-0050 ../../../devices/platform/soc/i2c-1/1-0050
put $soc/i2c-7/name "SMBus I801 adapter at 0400"
link sys/bus/i2c/devices/i2c-7 ../../../devices/platform/soc/i2c-7

put sys/devices/virtual/thermal/thermal_zone0/type cpu-thermal
link sys/class/thermal/thermal_zone0 ../../devices/virtual/thermal/thermal_zone0
put sys/bus/w1/devices/28-0316a279b5ff/temperature 21000
put sys/bus/w1/devices/01-000000000001/name x
mkdir -p "$SONDE_ROOT/sys/bus/w1/devices/w1_bus_master1"
: >"$SONDE_ROOT/dev/spidev0.1"
: >"$SONDE_ROOT/dev/spidev-odd"
: >"$SONDE_ROOT/dev/gpiochip0"
for t in ttyUSB0 ttyAMA0 ttyS0 ttyS1; do : >"$SONDE_ROOT/dev/$t"; done
put sys/class/tty/ttyS0/type 0
put sys/class/tty/ttyS1/type 4
put sys/class/tty/console/active "tty0 ttyAMA0"
link dev/serial/by-id/usb-u-blox_GPS-if00 $up/ttyUSB0

run 0 sensor probe
has out "# i2c-1 0x48: kernel driver lm75 has it (tmp105); see hardware monitors below"
has out "# i2c-1 0x49: kernel driver lm75 has it (tmp105); see hardware monitors below"
has out "# i2c-1 0x1e: kernel driver st-magn-i2c has it (lsm303dlhc_magn); see IIO below (iio:device0)"
hasnt out "0x50"
hasnt out "0x76"
has out '# i2c-7 (SMBus I801 adapter at 0400): a mainboard'"'"'s own; "sonde sensor probe bus i2c-7" scans it all the same'
has out "[sensor lsm303dlhc_magn]"
has out "device = lsm303dlhc_magn"
has out "rate = 10 Hz"
has out "channel.magn_x = magn_x"
hasnt out "timestamp"
has out "[sensor bme280]"
has out "channel.temp = temp"
has out "channel.pressure = pressure"
[ "$(grep -cx 'channel.temp = temp' "$dir/out")" = 1 ] || { echo "temp twice"; failed=1; }
# Two of a name: by their places.
has out "[sensor tmp105]"
has out "[sensor tmp105_2]"
has out "device = tmp105@1-0048"
has out "device = tmp105@1-0049"
has out "channel.temp1 = temp1_input"
hasnt out "temp1_max"
has out "channel.core_voltage = in1_input"
has out "channel.in2 = in2_input"
has out "channel.in10 = in10_input"
hasnt out "pwm1"
has out "#device = odd # one"
has out "device = cpu-thermal"
has out "device = 28-0316a279b5ff"
has out "[sensor a_light_]"
has out "[sensor a_ligh_2]"
has out "channel.intensity_ultraviolet2 = intensity_ultraviolet2"
has out "channel.channel1 = velocity_sqrt(x^2+y^2+z^2)"
has out "channel.accel_x_y = accel_x^y"
has out "[sensor a_supervisor_of_]"
has out "[sensor a_supervisor_of_2]"
has out "channel.supply_of_the = in1_input"
hasnt out "w1_bus_master"
has out "#bus = spi0.1"
has out "#path = /dev/serial/by-id/usb-u-blox_GPS-if00"
has out "# /dev/ttyAMA0: the console"
hasnt out "ttyS0"
has out "#path = /dev/ttyS1"
grep -q '^# gpiochip0: ' "$dir/out" || { echo "gpiochip0 is not told"; failed=1; }
# Whatever is no remark is INI.
if grep -vE '^(#|$|\[sensor [A-Za-z0-9_-]+\]$|[a-z_]+(\.[a-zA-Z0-9_.-]+)? = .)' "$dir/out"; then
	echo "neither remark nor configuration"
	failed=1
fi

run 0 -j sensor probe
cp "$dir/out" "$dir/json"
is '[.i2c[] | select(.address)] | length == 3'
is '.i2c[] | select(.address == 72) | .bus == "i2c-1" and .state == "driver" and .driver == "lm75" and .name == "tmp105"'
is '.iio[] | select(.name == "lsm303dlhc_magn") | .buffered and .channels == ["magn_x", "magn_y"] and .place == "1-001e" and .ready'
is '.iio[] | select(.name == "bme280") | .buffered == false and .channels == ["pressure", "temp"]'
is '[.hwmon[] | .ready] == [true, true, true, false, true, true]'
is '.hwmon[2].attributes == ["in1_input", "in2_input", "in10_input"]'
is '.w1[] | select(.id == "28-0316a279b5ff") | .thermometer and (.config | contains("kind = w1"))'
is '.spi | length == 1 and .[0].bus == 0 and .[0].select == 1 and .[0].ready == false'
is '[.serial[].tty] == ["ttyUSB0", "ttyAMA0", "ttyS1"] and (.serial[1] | .console and has("config") == false)'
is '[.. | objects | select(has("config")) | .config] | all(startswith("[sensor "))'

# What is printed is what the configuration's reader takes, devices that are missing aside.
{
	echo "[pipeline p]"
	echo "rate = 10 Hz"
	"$sonde" sensor probe
} >"$dir/made.conf"
run 0 conf check "$dir/made.conf"
# The sections that were commented out are configuration as well.
{
	echo "[pipeline p]"
	echo "rate = 10 Hz"
	jq -r '.. | objects | select(.ready == false) | select(.config | contains("#") | not) | .config' "$dir/json"
} >"$dir/rest.conf"
run 0 conf check "$dir/rest.conf"

# ---- a library that is not there
SONDE_SENSORS_DIR="$dir/none" run 0 sensor probe
grep -qF "no sensor library" "$dir/out" || { echo "the missing library is not told"; failed=1; }
exit $failed
