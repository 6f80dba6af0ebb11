#!/usr/bin/perl
# feed.pl FIFO FLAG: write scans of three 16-bit channels into FIFO, 250 a second, until
# killed; while the file FLAG exists channel b is 3000 higher than it should be.
# feed.pl --csv ROWS FROM TO: the same as a table of 100 rows a second, departed from row FROM
# to row TO; the same numbers each time.
use strict;
use warnings;
use Time::HiRes qw(time sleep);

sub noise { my $sum = 0; $sum += rand() - 0.5 for 1 .. 6; return 30 * $sum }

# Slow against a tick, so that a scan that comes late on a busy machine is no news.
sub scan {
	my ($t, $departed) = @_;
	my $turn = 2 * 3.14159265358979 * $t / 10;
	return map { int } (500 * sin($turn) + noise(),
		400 * cos($turn) + noise() + ($departed ? 3000 : 0), 1000 + noise());
}

srand(7);
if ($ARGV[0] eq '--csv') {
	my (undef, $rows, $from, $to) = @ARGV;
	print "time,s.a,s.b,s.c\n";
	for my $i (0 .. $rows - 1) {
		printf "%.2f,%d,%d,%d\n", $i / 100, scan($i / 100, $i >= $from && $i < $to);
	}
	exit 0;
}
my ($fifo, $flag) = @ARGV;
open(my $out, '+<', $fifo) or die "$fifo: $!";
binmode $out;
$SIG{PIPE} = 'DEFAULT';
while (getppid() != 1) {
	syswrite($out, pack('s<3', scan(time(), -e $flag)));
	sleep(0.004);
}
