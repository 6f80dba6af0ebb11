# The scenario of q35: no bus to speak of, but gpio-sim, IIO's dummy and the fake devices.
. /vm/gpio.sh
. /vm/fakes.sh
soc_inputs=
dummy=/sys/kernel/config/iio/devices/dummy/rig_dummy

sim_begin || stop "no gpio-sim"
mkdir "$dummy" || stop "no iio_dummy"
cat /vm/q35.conf >/etc/sonde/sonde.conf
gpio_begin 20
fakes_begin
start_daemon /etc/sonde/sonde.conf

each read 40 live dummy $fakes
true_if crc crc.temperature 20 30
true_if gps gps.altitude 34 37
true_if dust dust.pm2.5 20 30
true_if dummy dummy.x 344 344
gpio_try
measure 6 dummy/dummy.x=50 $fakes_rates
hold_ticks rig 20 5 calm
fakes_try shot
gpio_unplug

rmdir "$dummy" &
each fault 20 down dummy
note dummy "removed: $(of dummy fault)"
gone() { [ ! -e "$dummy" ]; }
within 20 gone
mkdir "$dummy"
each back 30 live dummy

end_daemon

row dummy iio 'iio_dummy, hrtimer'
gpio_rows
fakes_rows
check daemon 'the same process from beginning to end'
