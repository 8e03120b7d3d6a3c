#!/bin/bash
# The story of the README: an unmodified MPI program computes, is put to sleep while its ranks talk to each other, is
# killed, and wakes; its result is the one of a run that nobody disturbed. ./run demo builds everything and calls this.
# As root it is a story of four hosts, made of namespaces (tests/hosts/hosts.sh): the program runs on two of them, and
# wakes on the two others when these have lost power. Else all of it happens on this host.
#
# usage: demo.sh [--one-host] [openmpi|mpich]...
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
bin=$PWD/build/bin
samples=$PWD/build/samples
hosts=$PWD/tests/hosts/hosts.sh
ranks=4
width=1200

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# Shows a command as one would type it.
show() { printf '    %s$ %s\n' "$prompt" "$(sed "s,$bin/,,g; s,$samples/,,g; s,$PWD/,,g" <<<"$*")"; }

# Runs a command on a host and says how long it took; its output goes where the caller says.
timed() {
    local start status=0
    prompt_of "$1"
    show "${shown:-${*:2}}" >&2
    start=$EPOCHREALTIME
    on "$@" || status=$?
    local end=$EPOCHREALTIME
    printf '    %s s\n' "$(awk -v a="$start" -v b="$end" 'BEGIN { printf "%.3f", b - a }')" >&2
    return $status
}

fail() {
    echo "demo: $*" >&2
    exit 1
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

# --- one host ---------------------------------------------------------------------------------------------------------

# All that this demo starts carries its directory in the environment, so that it can be found: also after it woke.
processes() {
    local environment
    exec 3>&2 2>/dev/null # processes end while they are looked at
    for environment in /proc/[0-9]*/environ; do
        if tr '\0' '\n' 2>/dev/null <"$environment" | grep -qx "DEMO_DIRECTORY=$directory"; then
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

use_one_host() {
    first=here second=here
    mkdir -m 700 "$directory/runtime"
    trap kill_all EXIT
    prompt_of() { prompt=; }
    on() { DEMO_DIRECTORY=$directory DORMOUSE_RUNTIME_DIR=$directory/runtime "${@:2}"; }
    lose() {
        say "kill -9 for every process of it, the coordinator included."
        kill_all
    }
    restart=(dmrestart)
    ranks_where=(-np $ranks)
    where="$ranks ranks"
}

# --- four hosts -------------------------------------------------------------------------------------------------------

can_make_hosts() { [ "$(id -u)" -eq 0 ] && [ -x /usr/sbin/sshd ] && command -v ip >/dev/null && unshare --net --pid --fork true 2>/dev/null; }

use_four_hosts() {
    first=a second=c
    local answer
    coproc HOSTS { exec "$hosts" serve "$directory" a b c d 2>"$directory.log"; }
    # The hosts go when nobody holds their input any more, whatever becomes of this script.
    hosts_pid=$!
    hosts_own=${HOSTS[1]}
    exec {hosts_input}>&"$hosts_own"
    trap 'kill -9 $hosts_pid 2>/dev/null || true' EXIT
    read -r answer <&"${HOSTS[0]}" || fail "no hosts: $(cat "$directory.log")"
    [ "$answer" = ready ] || fail "no hosts: $answer"
    rm -f "$directory.log"
    cd "$directory/shared"
    prompt_of() { prompt="$1 "; }
    on() { PATH=$bin:$PATH "$hosts" run "$directory" "$1" mouse "${@:2}"; }
    lose() {
        say "The hosts a and b lose power."
        "$hosts" end "$directory" a b
    }
    restart=(dmrestart --hosts c,d)
    ranks_where=(-host a:2,b:2 -np $ranks)
    where="$ranks ranks on the hosts a and b"
}

# --- the story --------------------------------------------------------------------------------------------------------

demo() {
    local mpi=$1 mpirun=(mpirun."$1") steps=1500 expected found first second restart ranks_where where prompt
    directory=$(mktemp -d /tmp/dormouse-demo-XXXXXX)
    cd "$directory"
    if $one_host; then use_one_host; else use_four_hosts; fi
    if [ "$mpi" = openmpi ]; then
        mpirun+=(--oversubscribe)
        [ "$(id -u)" -ne 0 ] || ! $one_host || mpirun+=(--allow-run-as-root)
    else
        steps=500   # its ranks do not yield while they wait: slow where there are fewer cores than ranks
    fi
    $one_host || steps=300  # every message is a call of the kernel
    mpirun+=("${ranks_where[@]}" "$samples/stencil.$mpi" $width $steps)

    say "$mpi: heat on a plate of $width x $width points, $steps steps, $where. First a run that nobody disturbs."
    timed $first "${mpirun[@]}" >undisturbed.txt
    expected=$(grep '^ok' undisturbed.txt)
    echo "    $expected"

    say "The same under dmlaunch, in the background."
    show dmlaunch --new-coordinator "${mpirun[@]}" \&
    on $first sh -c 'exec "$@" >launched.txt 2>/dev/null' - "$bin/dmlaunch" --new-coordinator "${mpirun[@]}" 2>/dev/null &
    wait_for "the program to be ready" grep -qs ready launched.txt
    sleep 0.5

    say "A checkpoint while the ranks send each other messages."
    timed $first "$bin/dmcommand" --checkpoint | sed "s,$PWD/,,; s,^,    ,"

    lose
    wait $! 2>/dev/null || true
    ! grep -q '^ok' launched.txt || fail "the program had ended before it was killed; this machine is fast: use more steps"
    echo "    Nothing is left but $(ls ckpt_*.img | wc -l) images."

    say "Awake${restart[2]:+ on the hosts c and d}: the program goes on from the checkpoint and ends."
    # Its output was a file: it goes on in that file, from where it was at the checkpoint.
    shown="${restart[*]} ckpt_*.img" timed $second "$bin/${restart[@]}" ckpt_*.img
    found=$(grep '^ok' launched.txt) || fail "the woken program printed no result; the files are in $directory"
    echo "    $found"

    [ "$found" = "$expected" ] || fail "the result is '$found', undisturbed it is '$expected'; the files are in $directory"
    say "The same checksum of all points, bit by bit."
    cd /
    rm -rf "$directory"
}

one_host=true
if [ "${1:-}" = --one-host ]; then shift; elif can_make_hosts; then one_host=false; fi
if [ $# -eq 0 ]; then
    # The ranks of MPICH do not yield while they wait: across hosts of one small machine that takes long.
    if $one_host; then set -- openmpi mpich; else set -- openmpi; fi
fi
for mpi in "$@"; do
    (demo "$mpi")
done
say "All is well."
