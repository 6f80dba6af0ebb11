# The scenario of imx8mp-evk and raspi3b: every kind of sensor is read, keeps its rate, is
# broken, comes back; then a model learns the room and is shown another one.
. /vm/gpio.sh
. /vm/fakes.sh

case $board in
imx8mp-evk) adapter=/sys/bus/platform/drivers/imx-i2c soc_inputs=yes ;;
# bcm2835_i2c_remove() gives its interrupt back while the adapter still serves: with a transfer
# under way the kernel loses the line, which three adapters share, for good.
raspi3b) adapter= soc_inputs= ;;
esac
lm75_at=$(basename /sys/bus/i2c/drivers/lm75/*-0049)
bus=${lm75_at%-*}
[ -d "/sys/class/i2c-dev/i2c-$bus" ] || stop "the sensors' I2C bus did not come up"
adapter_at=$(basename "$(readlink -f "/sys/bus/i2c/devices/i2c-$bus/..")")
say "up after $(uptime_s) s, I2C bus $bus is $adapter_at"

plug() { i2cset -y "$bus" 0x70 "$1"; }	# 1: the multiplexer's first branch is there

# ---- the world before sonded starts -------------------------------------------------------

plug 1
ask qom t1 temperature 25500
ask qom t2 temperature 30500
ask qom t3 temperature 25500
ask qom t4 temperature 25500
ask qom emc temperature0 33000
ask qom emc temperature1 34000
ask qom mag mag-x 50000
sim_begin || stop "no gpio-sim"
sed "s/@I2C@/$bus/" /vm/rig.conf >/etc/sonde/sonde.conf
gpio_begin "$bus"
fakes_begin
# The guest's own clock begins in 1970.
date -s '2026-06-01 12:00:00' >/dev/null
start_daemon /etc/sonde/sonde.conf

# ---- is everything read, and truly? -------------------------------------------------------

all="raw hwmon zone fan emc mag baro flash $fakes"
each read 40 live $all
true_if raw raw 25.4 25.6
true_if hwmon hwmon.temp 30.4 30.6
true_if zone zone 30.4 30.6
true_if fan fan.rpm 0 0
true_if emc emc.a 33 33
true_if emc emc.b 34 34
true_if mag mag.x 0.45 0.55
true_if baro baro.pressure 30 120
true_if flash flash.maker 239 239
true_if flash flash.type 16406 16406
true_if crc crc.temperature 20 30
true_if gps gps.altitude 34 37
true_if dust dust.pm2.5 20 30
# Other values are seen as well: these are not the ones that were there at the start.
ask qom t1 temperature 20000
ask qom t2 temperature 35000
ask qom mag mag-x 80000
true_if raw raw 19.9 20.1
true_if hwmon hwmon.temp 34.9 35.1
true_if mag mag.x 0.75 0.85
ask qom t1 temperature 25500
ask qom t2 temperature 30500
say "values seen"

# lm75 has it: sonded must say who.
each fault 20 busy taken
case $(of taken why) in *lm75*) ;; *) found taken fault no ;; esac
note taken "$(of taken why)"
gpio_try
say "lines seen"

# ---- rates ----------------------------------------------------------------------------------

measure 8 raw=3.333 hwmon=5 zone=2 fan=2 emc=2 mag/mag.x=25 baro/baro.pressure=2 flash=5 $fakes_rates
hold_ticks rig 20 5 calm
say "rates measured"

# ---- the room is recorded while the fake buses are broken -----------------------------------

ask wander t3 temperature 25500 400
ask wander t2 temperature 30500 400
ask wander emc temperature0 33000 1500
sonde record start /tmp/room.csv pipeline room >/tmp/record 2>&1 || stop "$(cat /tmp/record)"
seconds
record_from=$now
fakes_try
say "faults seen"
seconds
while [ "$now" -lt $((record_from + 30)) ]; do sleep 0.5; seconds; done
sonde record stop pipeline room >/tmp/record 2>&1 || stop "$(cat /tmp/record)"

# ---- the model --------------------------------------------------------------------------------

learn() {
	sonde-model fit --train /tmp/room.csv -o /tmp/room.f32 --name room --rate 10 --hidden 8 \
		--epochs 10 --quiet &&
		sonde-model quantize /tmp/room.f32 -o /tmp/room.safetensors --calibrate /tmp/room.csv &&
		sonde model load /tmp/room.safetensors room
}
alarms() { sonde -j event list 50 kind alarm pipeline room >/tmp/alarms.json; }
count_alarms() { alarms && jq '.events | length' /tmp/alarms.json; }
# alarm_on CHANNEL: is there a new alarm, and is that the first of its channels?
alarm_on() {
	[ "$(count_alarms)" -gt "$was" ] &&
		[ "$(jq -r '.events[0].channels[0].name' /tmp/alarms.json)" = "$1" ]
}
alarm_over() { alarms && jq -e 'all(.events[]; .end != null)' /tmp/alarms.json >/dev/null; }
relay() { [ "$(cat "$(sim_line 4)/value")" = "$1" ]; }

learn_from=$(uptime_s)
if learn >/tmp/learn 2>&1; then
	note verdict "$(wc -l </tmp/room.csv) rows, learnt in $(calc "$(uptime_s) - $learn_from") s"
	found verdict read yes
	# The limit settles; then the wall clock jumps to and fro, which is nobody's departure.
	sleep 4
	was=$(count_alarms)
	date -s '2031-01-01 00:00:00' >/dev/null
	sleep 2
	date -s '2025-01-01 00:00:00' >/dev/null
	sleep 2
	date -s '2026-06-01 12:05:00' >/dev/null
	sleep 1
	found clock held "$(yes_if [ "$(count_alarms)" = "$was" ])"
	note clock "+4.6 a, -6 a, +1.4 a: $(($(count_alarms) - was)) alarms"

	# Ten degrees on the second sensor: the verdict has to name it, and the relay closes.
	was=$(count_alarms)
	ask wander t2 temperature 40500 400
	found verdict fault "$(yes_if within 20 alarm_on heater.temp)"
	found relay fault "$(yes_if within 5 relay 1)"
	alarms
	note verdict "alarm: $(jq -r '.events[0].channels | map("\(.name) \(.share)") | join(" ")' \
		/tmp/alarms.json)"
	ask wander t2 temperature 30500 400
	found verdict back "$(yes_if within 30 alarm_over)"
	found relay back "$(yes_if within 10 relay 0)"
else
	found verdict read no
	note verdict "$(tail -n 1 /tmp/learn)"
fi
say "model tried"

# ---- the trip -----------------------------------------------------------------------------------

fan_is() { reads fan.rpm "$1" "$1"; }
ask wander t2 temperature 71000 0
found trip fault "$(yes_if within 15 fan_is 3000)"
look
note trip "zone at $(value zone) °C, fan at $(value fan.rpm) rpm"
between zone 70.5 71.5 || found trip fault no
ask wander t2 temperature 30500 400
found trip back "$(yes_if within 15 fan_is 0)"

# ---- unplugging -----------------------------------------------------------------------------------

plug 0
each fault 15 down raw shot
note raw "branch off: $(of raw fault)"
plug 1
each back 30 live raw shot
gpio_unplug

bind() { # VERB
	echo "$lm75_at" >/sys/bus/i2c/drivers/lm75/"$1"
	echo "$bus-004c" >/sys/bus/i2c/drivers/emc1403/"$1"
	echo "$bus-001e" >/sys/bus/i2c/drivers/st-magn-i2c/"$1"
	echo "$bus-0077" >/sys/bus/i2c/drivers/dps310/"$1"
	echo rig-fan >/sys/bus/platform/drivers/gpio-fan/"$1"
	echo spi0.0 >/sys/bus/spi/drivers/spidev/"$1"
}
drivers="hwmon zone fan emc mag baro flash"
bind unbind
each fault 20 down $drivers
for s in $drivers; do note "$s" "unbound: $(of "$s" fault)"; done
# With lm75 gone the address is free, and the raw sensor there comes up by itself.
each read 20 live taken
found taken back "$(known taken read)"
measure 5 taken=3.333
bind bind
each back 30 live $drivers
say "drivers unbound and bound"

# The whole adapter: the kernel waits until the last one has closed it.
all_live() { look && for s in raw mag hwmon baro; do live $s || return; done; }
raw_down() { look && down raw; }
unbound() { [ -e /run/unbound ]; }
if [ -n "$adapter" ]; then
	{ echo "$adapter_at" >"$adapter/unbind"; echo >/run/unbound; } &
	found adapter fault "$(yes_if within 20 raw_down)"
	within 20 unbound || { found adapter fault no; note adapter "the unbinding hangs"; }
	echo "$adapter_at" >"$adapter/bind"
	within 10 plug 1
	found adapter back "$(yes_if within 40 all_live)"
fi

# ---- the same process still -------------------------------------------------------------------------

end_daemon

row raw i2c 'tmp105'
row taken i2c 'tmp105 of lm75'
row hwmon hwmon 'tmp105 by lm75'
row emc hwmon emc1413
row fan hwmon gpio-fan
row zone thermal 'zone on tmp105'
row mag iio 'lsm303dlhc, hrtimer'
row baro iio 'dps310, polled'
row flash spi 'w25q32'
gpio_rows
fakes_rows
if [ -n "$adapter" ]; then
	check adapter 'the whole I2C adapter unplugged and plugged'
else
	ask skip "check|the whole I2C adapter|i2c-bcm2835 can not be unbound while it is used"
fi
check trip 'the trip at 60 °C turns the fan'
check verdict 'ten degrees more: the verdict names the sensor'
check relay 'the alarm closes the relay'
check clock 'steps of the wall clock: no alarm'
check daemon 'the same process from beginning to end'
