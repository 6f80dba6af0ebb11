# The buses and lines that misbehave, each in its own way: what is expected of sonded. The
# reason that it gives has to be the right one, and nobody else may be the slower for it.

fakes="nak timeout slow short crc garbage hang deaf stuck unplugged gps dust"
fakes_rates="nak=3.333 timeout=3.333 slow=3.333 short=5 crc=5 garbage=3.333 hang=3.333 deaf=5 \
	stuck=3.333 unplugged=3.333 gps=10 dust=10"
fake_is() { echo "$2" >"/run/fake/$1"; }

fakes_begin() {
	for n in 20 21 22 23 24 25 26 27 28 29; do fake bus i2c-$n & done
	fake text fakegps &
	fake frames fakedust &
	cat /vm/fakes.conf >>/etc/sonde/sonde.conf
	within 20 test -e /dev/i2c-29 || stop "the fake buses did not come up"
}

# wronged SENSOR: how often it had one of the faults that it is given.
wronged() {
	case $1 in
	nak | unplugged) kinds='bus absent' ;;
	timeout) kinds='timeout bus' ;;
	slow | hang | deaf) kinds=timeout ;;
	short | stuck) kinds=$1 ;;
	crc | gps) kinds=crc ;;
	garbage) kinds=range ;;
	dust) kinds=absent ;;
	esac
	sum=0
	for kind in $kinds; do sum=$((sum + $(faults "$1" $kind))); done
	echo $sum
}
# seen SENSOR: down, and the right fault has been counted since.
seen() { down "$1" && [ "$(wronged "$1")" -gt "$(eval "echo \$wronged_$1")" ]; }

# fakes_try SENSOR...: these hang on i2c-20 too, and go down with it.
fakes_try() {
	look
	for s in $fakes; do eval "wronged_$s=$(wronged "$s")"; done
	fake_is i2c-20 nak
	fake_is i2c-21 timeout
	fake_is i2c-22 slow
	fake_is i2c-23 short
	fake_is i2c-24 garbage
	fake_is i2c-25 garbage
	fake_is i2c-26 hang
	fake_is i2c-27 deaf
	fake_is i2c-28 stuck
	fake_is i2c-29 gone
	fake_is fakegps garbage
	fake_is fakedust gone
	each fault 30 seen $fakes
	each fault 10 down "$@"
	for s in $fakes; do note "$s" "$(of "$s" fault)"; done
	# Two bytes of noise may well lie in the range; what does not must never have been believed.
	between garbage 10 40 || found garbage read no
	# Ten buses are broken, two of them for good: the pipeline goes on.
	hold_ticks rig 20 10 broken
	for n in 20 21 22 23 24 25 26 27 28 29; do fake_is i2c-$n ok; done
	fake_is fakegps ok
	fake_is fakedust ok
	each back 40 live $fakes "$@"
}

fakes_rows() {
	row nak i2c 'fake: NAK'
	row timeout i2c 'fake: time-out'
	row slow i2c 'fake: too slow'
	row short i2c 'fake: short'
	row garbage i2c 'fake: garbage'
	row crc i2c 'fake: bad CRC'
	row stuck i2c 'fake: stuck value'
	row hang i2c 'fake: hangs'
	row deaf i2c 'fake: never writable'
	row unplugged i2c 'fake: unplugged'
	row gps serial 'NMEA, bad checksum'
	row dust serial 'pms5003, unplugged'
	check calm 'all well: the tick rate'
	check broken 'ten buses broken, one stuck: the tick rate of the others'
}
