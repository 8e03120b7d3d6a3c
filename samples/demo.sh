#!/bin/bash
# The story of the README: an unmodified MPI program computes, is put to sleep while its ranks talk to each other, is
# killed, and wakes; its result is the one of a run that nobody disturbed. ./run demo builds everything and calls this.
#
# usage: demo.sh [openmpi|mpich]...
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
bin=$PWD/build/bin
samples=$PWD/build/samples
ranks=4
width=1200

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# Shows a command as one would type it.
show() { printf '    $ %s\n' "$(sed "s,marked ,,; s,$bin/,,g; s,$samples/,,g" <<<"$*")"; }

# Runs a command and says how long it took; its output goes where the caller says.
timed() {
    show "${shown:-$*}" >&2
    local start=$EPOCHREALTIME status=0
    "$@" || status=$?
    local end=$EPOCHREALTIME
    printf '    %s s\n' "$(awk -v a="$start" -v b="$end" 'BEGIN { printf "%.3f", b - a }')" >&2
    return $status
}

fail() {
    echo "demo: $*" >&2
    exit 1
}

# All that this demo starts carries its directory in the environment, so that it can be found: also after it woke.
marked() { DEMO_DIRECTORY=$PWD DORMOUSE_RUNTIME_DIR=$PWD/runtime "$@"; }

processes() {
    local environment
    exec 3>&2 2>/dev/null # processes end while they are looked at
    for environment in /proc/[0-9]*/environ; do
        if tr '\0' '\n' 2>/dev/null <"$environment" | grep -qx "DEMO_DIRECTORY=$PWD"; then
            environment=${environment#/proc/}
            echo "${environment%/environ}"
        fi
    done
    exec 2>&3 3>&-
}

kill_all() {
    local pids
    while pids=$(processes) && [ -n "$pids" ]; do
        # shellcheck disable=SC2086
        kill -9 $pids 2>/dev/null || true
    done
}

wait_for() {
    local what=$1 tries=0
    shift
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "waited 60 s for $what"
        sleep 0.1
    done
}

demo() {
    local mpi=$1 directory mpirun=(mpirun."$1") steps=1500 expected found
    directory=$(mktemp -d /tmp/dormouse-demo-XXXXXX)
    cd "$directory"
    mkdir -m 700 runtime
    trap kill_all EXIT
    if [ "$mpi" = openmpi ]; then
        mpirun+=(--oversubscribe)
        [ "$(id -u)" -ne 0 ] || mpirun+=(--allow-run-as-root)
    else
        steps=500   # its ranks do not yield while they wait: slow where there are fewer cores than ranks
    fi
    mpirun+=(-np $ranks "$samples/stencil.$mpi" $width $steps)

    say "$mpi: heat on a plate of $width x $width points, $steps steps, $ranks ranks. First a run that nobody disturbs."
    timed marked "${mpirun[@]}" >undisturbed.txt
    expected=$(grep '^ok' undisturbed.txt)
    echo "    $expected"

    say "The same under dmlaunch, in the background."
    show dmlaunch --new-coordinator "${mpirun[@]}" \&
    marked "$bin/dmlaunch" --new-coordinator "${mpirun[@]}" >launched.txt 2>/dev/null &
    wait_for "the program to be ready" grep -qs ready launched.txt
    sleep 0.5

    say "A checkpoint while the ranks send each other messages."
    timed marked "$bin/dmcommand" --checkpoint | sed "s,$directory/,,; s,^,    ,"

    say "kill -9 for every process of it, the coordinator included."
    kill_all
    wait 2>/dev/null || true
    ! grep -q '^ok' launched.txt || fail "the program had ended before it was killed; this machine is fast: use more steps"
    echo "    Nothing is left but $(ls ckpt_*.img | wc -l) images."

    say "Awake: the program goes on from the checkpoint and ends."
    # Its output was a file: it goes on in that file, from where it was at the checkpoint.
    shown="dmrestart ckpt_*.img" timed marked "$bin/dmrestart" ckpt_*.img
    found=$(grep '^ok' launched.txt) || fail "the woken program printed no result; the files are in $directory"
    echo "    $found"

    [ "$found" = "$expected" ] || fail "the result is '$found', undisturbed it is '$expected'; the files are in $directory"
    say "The same checksum of all points, bit by bit."
    cd /
    rm -rf "$directory"
}

[ $# -gt 0 ] || set -- openmpi mpich
for mpi in "$@"; do
    (demo "$mpi")
done
say "All is well."
