#!/usr/bin/perl
# Proves: a Perl program with hashes, closures, a sort, a child on a pipe in each
# direction, signal handlers and alarms goes on.
use strict;
use warnings;
use IPC::Open2;
use Time::HiRes qw(usleep ualarm);

my ($stop, $limit) = ($ENV{SAMPLE_STOP}, $ENV{SAMPLE_STEPS} // 100);
my ($step, $alarms, $sum) = (0, 0, 0);
my %squares;
my $next = do { my $n = 0; sub { $n++ } };

$SIG{ALRM} = sub { $alarms++ };
my $pid = open2(my $from, my $to, 'while read n; do echo $((n * n)); done');
select((select(STDOUT), $| = 1)[0]);
select((select($to), $| = 1)[0]);
ualarm(20_000, 20_000);

print "ready\n";
while ($stop ? !-e $stop : $step < $limit) {
    my $n = $next->();
    die "the closure says $n, not $step\n" unless $n == $step;
    print {$to} "$n\n";
    my $square = <$from>;
    die "the child is gone\n" unless defined $square;
    chomp $square;
    die "the child says $square to $n\n" unless $square == $n * $n;
    $squares{"key $n"} = $square;
    $sum = ($sum * 31 + $square) % 1_000_000_007;
    $step++;
    usleep(5_000);
}

ualarm(0);
close $to;
waitpid($pid, 0) == $pid && $? == 0 or die "the child ended with $?\n";
my @keys = sort { $squares{$a} <=> $squares{$b} } keys %squares;
die "the hash has " . @keys . " keys, not $step\n" unless @keys == $step;
die "key $_ is $keys[$_]\n" for grep { $keys[$_] ne "key $_" } 0 .. $#keys;
die "no alarm came\n" unless $alarms || $step < 10; # 10 steps take 50 ms
printf "ok checksum %016x steps %d\n", $sum, $step;
