#!/bin/bash
# Makes "hosts" of this machine: network, PID, IPC, UTS and mount namespaces, each with its own address on a common bridge,
# host name, /etc/hosts, /tmp, /dev/shm and sshd. Needs root. The tests of several hosts and the demo use it; by hand:
#
#   mkfifo /tmp/h.in; hosts.sh serve /tmp/h a b c < /tmp/h.in &   exec 9> /tmp/h.in      (ready when it says so)
#   hosts.sh run /tmp/h a mouse ssh b hostname                    runs a command on host a as the user "mouse" (uid 1000)
#   hosts.sh end /tmp/h b                                         host b loses power
#   exec 9>&-                                                     takes everything down
#
# All see the same files but /tmp, /run and /dev/shm, which are each host's own; DIR (also below /tmp) is seen by all, with
# DIR/shared for images and DIR/home/USER as home directories, as on a cluster.
# Host number N has the addresses 10.77.0.N and fd77::N. A host that is given as NAME~ROUTER is behind a router with address translation
# (NAT, nft): it has the address 192.168.7.N, N counted behind that router, as behind each; the first router is 10.77.0.251, the next .252.
# Whoever is behind it can connect to the others, who see the router's address. By hand:
#     hosts.sh router /tmp/h ROUTER nft add rule ip nat forward tcp dport 80 dnat to 192.168.7.1:8080
# Users are root and mouse; any of them logs in to any host by ssh.
set -euo pipefail
here=$(readlink -f "$0")
repository=$(dirname "$(dirname "$(dirname "$here")")")
user=mouse
uid=1000

die() {
    echo "hosts.sh: $*" >&2
    exit 1
}

# --- what all hosts have in common -----------------------------------------------------------------------------------

make_homes() {
    local name
    mkdir -p "$dir/home" "$dir/shared" "$dir/ssh"
    chmod 755 "$dir"
    ssh-keygen -q -t ed25519 -N '' -C dormouse-hosts -f "$dir/ssh/id"
    for name in root $user; do
        mkdir -p "$dir/home/$name/.ssh"
        cp "$dir/ssh/id" "$dir/home/$name/.ssh/id_ed25519"
        cp "$dir/ssh/id.pub" "$dir/home/$name/.ssh/authorized_keys"
        chmod 700 "$dir/home/$name" "$dir/home/$name/.ssh"
    done
    chown -R $uid:$uid "$dir/home/$user" "$dir/shared"
    mkdir -m 1777 "$dir/shared/tmp"
}

# "NAME ADDRESS IPv6-ADDRESS ROUTER" of each host; those behind a router have no IPv6.
make_table() {
    local number=0 name router
    declare -A behind=()
    for name in "$@"; do
        if [[ $name == *~* ]]; then
            router=${name#*~}
            behind[$router]=$((${behind[$router]:-0} + 1))
            echo "${name%~*} 192.168.7.${behind[$router]} - $router"
        else
            number=$((number + 1))
            echo "$name 10.77.0.$number fd77::$number -"
        fi
    done
}

make_hosts_file() {
    printf '127.0.0.1 localhost\n::1 localhost\n'
    awk '{ print $2, $1; if ($3 != "-") print $3, $1 }' "$dir/table"
}

# --- what one host has for itself ------------------------------------------------------------------------------------

# $1 name, $2 its addresses, with commas
make_host_files() {
    local own=$dir/hosts/$1 etc=$dir/hosts/$1/etc
    mkdir -p "$etc/ssh"
    mkdir -m 1777 "$own/tmp"
    cp "$dir/ssh/hosts" "$etc/hosts"
    echo "$1" >"$etc/hostname"
    printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\nprotocols: files\n' >"$etc/nsswitch.conf"
    : >"$etc/resolv.conf"
    cat >"$etc/passwd" <<TEXT
root:x:0:0:root:$dir/home/root:/bin/bash
sshd:x:74:65534::/run/sshd:/usr/sbin/nologin
$user:x:$uid:$uid::$dir/home/$user:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
TEXT
    printf 'root:x:0:\ntty:x:5:\n%s:x:%d:\nnogroup:x:65534:\n' $user $uid >"$etc/group"
    printf 'root:*:19000:0:99999:7:::\n%s:*:19000:0:99999:7:::\n' $user >"$etc/shadow"
    chmod 600 "$etc/shadow"
    ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$etc/ssh/ssh_host_ed25519_key"
    echo "$1,$2 $(cut -d' ' -f1,2 "$etc/ssh/ssh_host_ed25519_key.pub")" >>"$dir/ssh/known_hosts"
    cat >"$etc/ssh/sshd_config" <<'TEXT'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PrintMotd no
AcceptEnv LANG LC_*
MaxStartups 100
MaxSessions 100
Subsystem sftp internal-sftp
TEXT
    printf 'Host *\n    SendEnv LANG LC_*\n' >"$etc/ssh/ssh_config"
}

# The first process of a host, in its new namespaces. $1 name
init() {
    local own=$dir/hosts/$1 kept file
    mount --make-rprivate /
    hostname "$1"
    ip link set lo up

    # What must be seen stays visible below the private /tmp.
    for kept in "$dir" "$repository"; do
        case $kept in
        /tmp/*)
            mkdir -p "$own/tmp/${kept#/tmp/}"
            mount --rbind "$kept" "$own/tmp/${kept#/tmp/}"
            ;;
        esac
    done
    mount --rbind "$own/tmp" /tmp
    mount -t tmpfs -o mode=755 tmpfs /run
    mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts /dev/pts
    for file in hosts hostname nsswitch.conf resolv.conf passwd group shadow; do
        [ -e /etc/$file ] || continue
        mount --bind "$own/etc/$file" "$(readlink -f /etc/$file)"
    done
    mount --bind "$own/etc/ssh" /etc/ssh

    read -r _ # the wire is plugged in
    exec </dev/null
    mkdir -p /run/sshd
    /usr/sbin/sshd
    touch "$own/ready"
    # bash waits for whatever child ends, so that nobody stays a zombie of this host.
    while :; do sleep infinity & wait $!; done
}

# The network of one router, which translates what comes out of it. $1 name, $2 number
make_router() {
    local pid
    setpriv --pdeathsig KILL unshare --net sleep infinity </dev/null >/dev/null &
    pid=$!
    mkdir -p "$dir/routers"
    echo $pid >"$dir/routers/$1"
    until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
    nsenter -t "$keeper" -n ip link add "to-$1" type veth peer name outside netns $pid
    nsenter -t "$keeper" -n ip link set "to-$1" master bridge up
    nsenter -t $pid -n ip link add inside type bridge
    nsenter -t $pid -n ip address add 10.77.0.$((250 + $2))/24 dev outside
    nsenter -t $pid -n ip address add 192.168.7.254/24 dev inside
    nsenter -t $pid -n ip link set outside up
    nsenter -t $pid -n ip link set inside up
    # Also what is forwarded to a host inside shows the addresses that clients have: only the way out is translated.
    nsenter -t $pid -n sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    nsenter -t $pid -n nft -f - <<'TEXT'
table ip nat {
    chain out { type nat hook postrouting priority srcnat; oifname "outside" masquerade; }
    chain forward { type nat hook prerouting priority dstnat; }
}
TEXT
}

# The wire of one host. $1 name, $2 its process, $3 address, $4 IPv6 address, $5 router
plug_in() {
    local switch=$keeper bridge=bridge
    [ "$5" = - ] || { switch=$(cat "$dir/routers/$5"); bridge=inside; }
    nsenter -t "$switch" -n ip link add "to-$1" type veth peer name eth0 netns "$2"
    nsenter -t "$switch" -n ip link set "to-$1" master $bridge up
    nsenter -t "$2" -n ip address add "$3/24" dev eth0
    [ "$4" = - ] || nsenter -t "$2" -n ip -6 address add "$4/64" dev eth0 nodad
    nsenter -t "$2" -n ip link set eth0 up
    [ "$5" = - ] || nsenter -t "$2" -n ip route add default via 192.168.7.254
}

# --- commands --------------------------------------------------------------------------------------------------------

serve() {
    local name address address6 router number=0 keeper child
    [ "$(id -u)" -eq 0 ] || die "needs root"
    [ -x /usr/sbin/sshd ] || die "needs sshd; install openssh-server"
    [ $# -gt 0 ] || die "which hosts?"
    [ ! -e "$dir" ] || [ -z "$(ls -A "$dir")" ] || die "$dir is not empty"
    mkdir -p "$dir/hosts"
    make_homes
    make_table "$@" >"$dir/table"
    make_hosts_file >"$dir/ssh/hosts"
    set -- "${@%~*}"
    while read -r name address address6 _; do
        make_host_files "$name" "$address,$address6"
    done <"$dir/table"
    for name in "$@"; do
        cp "$dir/ssh/known_hosts" "$dir/hosts/$name/etc/ssh/ssh_known_hosts"
    done

    # Whatever becomes of this script, they end with it. setpriv: PR_SET_PDEATHSIG, see prctl(2).
    setpriv --pdeathsig KILL unshare --net sleep infinity </dev/null >/dev/null &
    keeper=$!
    echo $keeper >"$dir/keeper"
    until [ "$(readlink /proc/$keeper/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
    nsenter -t $keeper -n ip link add bridge type bridge
    nsenter -t $keeper -n ip link set bridge up
    for router in $(awk '$4 != "-" && !seen[$4]++ { print $4 }' "$dir/table"); do
        number=$((number + 1))
        make_router "$router" $number
    done

    while read -r name address address6 router <&3; do
        mkfifo "$dir/hosts/$name/wire"
        setpriv --pdeathsig KILL unshare --net --uts --ipc --pid --mount --kill-child --fork --mount-proc \
            "$here" init "$dir" "$name" <>"$dir/hosts/$name/wire" >/dev/null 2>"$dir/hosts/$name/log" 3<&- &
        until child=$(pgrep -P $! 2>/dev/null) && [ "$(readlink "/proc/$child/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
        echo "$child" >"$dir/hosts/$name/pid"
        plug_in "$name" "$child" "$address" "$address6" "$router"
        echo >"$dir/hosts/$name/wire"
    done 3<"$dir/table"
    for name in "$@"; do
        until [ -e "$dir/hosts/$name/ready" ]; do
            kill -0 "$(cat "$dir/hosts/$name/pid")" 2>/dev/null || die "host $name did not start: $(cat "$dir/hosts/$name/log")"
            sleep 0.01
        done
    done

    echo ready
    cat >/dev/null || true # until whoever wants the hosts has gone
    end "$@"
    kill -9 $keeper $(cat "$dir"/routers/* 2>/dev/null) 2>/dev/null || true
    wait 2>/dev/null
}

# Whether host $1 lives; the number of one that has ended may be another process's by now.
lives() { tr '\0' ' ' 2>/dev/null <"/proc/$(cat "$dir/hosts/$1/pid")/cmdline" | grep -qF "init $dir $1 "; }

# These hosts lose power: with the first process of a PID namespace all end, and no address answers any more.
end() {
    local name
    for name in "$@"; do
        ! lives "$name" 2>/dev/null || kill -9 "$(cat "$dir/hosts/$name/pid")" 2>/dev/null || true
    done
}

# Where the wire of host $1 ends.
switch_of() {
    local router
    router=$(awk -v name="$1" '$1 == name { print $4 }' "$dir/table")
    if [ "$router" = - ]; then cat "$dir/keeper"; else cat "$dir/routers/$router"; fi
}

# Until the kernel has taken their network away, which it does in its own time, they answer for their addresses.
await_silence() {
    local name
    for name in "$@"; do
        while nsenter -t "$(switch_of "$name")" -n ip link show "to-$name" >/dev/null 2>&1; do sleep 0.01; done
    done
}

# $1 host, $2 user, then the command. The environment is passed on; HOME and USER are the user's. The current directory stays.
run() {
    local host=$1 as=$2 number=0 prefix=()
    shift 2
    [ "$as" = root ] || { number=$uid; prefix=(setpriv --reuid $uid --regid $uid --clear-groups); }
    export HOME=$dir/home/$as USER=$as LOGNAME=$as
    # Else the command would run on the real host.
    lives "$host" || die "host $host does not live"
    # A session of its own: the one of the caller does not exist in there.
    exec nsenter -t "$(cat "$dir/hosts/$host/pid")" -m -u -i -n -p --wdns="$PWD" setsid -w "${prefix[@]}" "$@"
}

command=${1:-}
[ $# -ge 2 ] || die "usage: hosts.sh serve DIR HOST... | run DIR HOST USER COMMAND... | end DIR HOST... | router DIR ROUTER COMMAND..."
dir=$(readlink -m "$2")
shift 2
case $command in
serve) serve "$@" ;;
init) init "$@" ;;
run) run "$@" ;;
end)
    end "$@"
    await_silence "$@"
    ;;
router) exec nsenter -t "$(cat "$dir/routers/$1")" -n "${@:2}" ;;
*) die "there is no command $command" ;;
esac
