#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 240
#
# What goes wrong around zcrx-recv and zcrx-send on this kernel, over lo in a network namespace of
# its own: users without rights, odd file systems, limits, peers that behave badly, networks that
# swallow packets. A message that names cause and fix, the exit status, and no file that looks complete.
# tools-host.sh and send-host.sh have more of it, beside what works.

# shellcheck disable=SC2016 # Perl has variables of its own
set -u
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=host-lib.sh
. "$here/host-lib.sh"

trap 'umount "$dir/plain" "$dir/quota" 2>/dev/null; rm -rf "$dir"' EXIT
recv=$bin/zcrx-recv
send=$bin/zcrx-send
copy=("$recv" --backend copy -p "$port")
head -c 5000000 /dev/urandom >data

# peer CODE: perl with sockets; $port is the receiver's
peer() { timeout 60 perl -MSocket -MIO::Socket::INET -e 'my $port = shift; '"$1" "$port"; }
# one, connected
c='my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port) or die; '
# one that a sender is to connect to
l='my $l = IO::Socket::INET->new(LocalPort => $port, Listen => 5, ReuseAddr => 1) or die; my $s = $l->accept; '
pause() { perl -e 'select(undef, undef, undef, shift)' "$1"; }
# FILE: what a receiver leaves under the final name
no_final() { tap_ok "  nothing is called $1" test ! -e "$1"; }

# ---- where the data goes --------------------------------------------------------

mkdir plain locked quota
if mount -t ramfs none plain; then
	receive --once -o plain/file
	sends_nc 127.0.0.1
	ended 0 'a file system without O_DIRECT'
	says 'file plain/file \(buffered: .*O_DIRECT' talk.txt '  which is said'
	tap_ok '  the file is what was sent' cmp data plain/file
else
	tap_skip 'a file system without O_DIRECT' 'cannot mount'
fi

chmod 555 locked
: >locked/old
less=-dac_override,-dac_read_search,-net_bind_service
unprivileged=(setpriv "--bounding-set=$less" "--inh-caps=$less")
if "${unprivileged[@]}" test ! -w locked; then
	refused 1 'ZC051 cannot write locked/file: .*EACCES' 'a directory that may not be written' \
		"${unprivileged[@]}" "${copy[@]}" -o locked/file
	refused 1 'ZC051 ' 'the same for a file a connection' "${unprivileged[@]}" "${copy[@]}" -o locked/
	refused 1 'ZC051 ' 'a log that may not be written' "${unprivileged[@]}" "${copy[@]}" --dump-frags locked/log
else
	tap_skip 'a directory that may not be written' 'this user may'
fi
refused 3 'ZC031 cannot listen on port 80: .*EACCES' 'a port below 1024' \
	"${unprivileged[@]}" "$recv" --backend copy -p 80

wrap=(prlimit --fsize=1048576)
receive --once -o large
sends_nc 127.0.0.1 2>/dev/null
ended 1 'a file larger than ulimit -f'
says 'ZC055 cannot write large: .*EFBIG' talk.txt '  which is said in words'
says 'ZC057 .*large\.part is not complete' talk.txt '  and what is left'
no_final large
wrap=()

mkdir many
receive --once -o many/
{ head -c 100000 data; pause 1; } | timeout 20 nc -N 127.0.0.1 "$port" &
part=
until [ -n "$part" ]; do
	pause 0.02
	part=$(find many -name '*.part')
done
echo old >"${part%.part}"
ended 1 'a file of that name that was not there before'
says 'ZC059 .*EEXIST' talk.txt '  which is said in words'
tap_eq "$(cat "${part%.part}") $(stat -c %s "$part")" 'old 100000' '  is not replaced'
wait

if mount -t tmpfs -o usrquota_block_hardlimit=1m none quota 2>/dev/null; then
	wrap=(setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource)
	receive --once -o quota/file
	sends_nc 127.0.0.1 2>/dev/null
	ended 1 'a quota that leaves no space'
	says 'ZC092 cannot write quota/file: .*EDQUOT' talk.txt '  which is said in words'
	no_final quota/file
	wrap=()
else
	tap_skip 'a quota that leaves no space (ZC092)' 'this kernel has no quota on tmpfs'
fi

# ---- what the machine lacks -----------------------------------------------------

if "${with_errno[@]}" 41 EAFNOSUPPORT true; then
	refused 3 'ZC032 cannot listen on port 9999: .*EAFNOSUPPORT' 'a kernel without IPv6' \
		"${with_errno[@]}" 41 EAFNOSUPPORT "${copy[@]}" -6
	"${with_errno[@]}" 16 EINVAL "$recv" --backend epoll -p "$port" --busy-poll 50 --once 2>talk.txt >stdout &
	receiver=$!
	until listening; do pause 0.02; done
	sends_nc 127.0.0.1
	ended 0 'a kernel that does not busy-poll'
	says 'ZC091 ' talk.txt '  which is said'
else
	tap_skip 'a kernel without IPv6 (ZC032), one that does not busy-poll (ZC091)' 'not x86-64'
fi
refused 3 'ZC022 .*ENOMEM' 'a region larger than memory' prlimit --data=268435456 \
	"$top/build/gcc/zcrx-recv" --backend epoll -p "$port" --region 3G

# ---- peers ----------------------------------------------------------------------

receive --once -o file
peer "$c"'$s->autoflush(1); setsockopt($s, IPPROTO_TCP, 1, 1);
	for my $i (0 .. 1999) { syswrite($s, chr($i & 255)); select(undef, undef, undef, 0.0002) unless $i % 10; }'
ended 0 'one byte at a time'
tap_ok '  all of them, in order' cmp file <(perl -e 'print chr($_ & 255) for 0 .. 1999')

receive --once -o file
peer "$c"'syswrite($s, "x" x 70000); shutdown($s, 1); print sysread($s, my $b, 1) == 0 ? "end" : "data"' >heard
ended 0 'a peer that closes its half, and waits'
tap_eq "$(cat heard) $(stat -c %s file)" 'end 70000' '  sees the other half end, with all of it arrived'
rm file

receive -o file
peer "$c"'sleep 2' &
until ss -Htn state established "sport = :$port" | grep -q .; do pause 0.02; done
pause 0.3
tap_ok 'a peer that sends nothing is waited for' kill -0 "$receiver"
kill -INT "$receiver"
ended 1 '  until a signal comes'
says 'ZC057 file\.part is not complete: the peer had not' talk.txt '  which is said'
no_final file
wait

receive --connections 10000 --discard --json --interval 0
peer 'for my $i (1 .. 10000) { '"$c"' syswrite($s, "short $i\n"); close $s; }'
ended 0 '10 000 short connections'
tap_eq "$(sed -n 's/.*"event":"end".*"connections":\([0-9]*\),"failed_connections":\([0-9]*\).*/\1 \2/p' stdout)" \
	'10000 0' '  all counted, none failed'

receive --connections 2000 -o many/
peer 'for my $i (1 .. 2000) { '"$c"' syswrite($s, "y" x 100) unless $i % 3 == 0;
	setsockopt($s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)) if $i % 3 == 1; close $s; }'
ended 1 '2000 of which a third resets and a third sends nothing'
tap_eq "$(find many -name '*-0000????' -size 0 | wc -l)" 666 '  those without data are complete'
# a reset of a connection that was not accepted yet is none of a connection
tap_ok '  those that were reset are not' test "$(find many -name '*-0000????' -size 100c | wc -l)" -le 668
rm -r many

# ---- how the network cuts -----------------------------------------------------

ip link set lo mtu 1500
receive -i lo --once --page-mss
sends_nc 127.0.0.1
ended 0 'an MTU without room for a page'
says 'ZC087 an MTU of 1500 ' talk.txt '  which is warned of'
says 'ip link set .* mtu 4148' talk.txt '  with the one that it takes'
ip link set lo mtu 65536
receive -i lo --once --page-mss
sends_nc 127.0.0.1
ended 0 'that MTU'
tap_fails '  no warning' '' grep -q ZC087 talk.txt

if ip link add near type veth peer name far 2>/dev/null; then
	unshare -n sleep 100 &
	other=$!
	until [ "$(readlink "/proc/$other/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do pause 0.02; done
	ip link set far netns "$other"
	ip addr add 192.0.2.1/24 dev near
	ip link set near up mtu 4148
	far() { nsenter -n -t "$other" "$@"; }
	far ip addr add 192.0.2.2/24 dev far
	far ip link set far up mtu 4148
	for timestamps in 0 1; do
		far sysctl -qw net.ipv4.tcp_timestamps=$timestamps
		receive --once --page-mss
		far timeout 20 nc.openbsd -N 192.0.2.1 "$port" <data
		ended 0 "a sender with TCP timestamps $timestamps"
		tap_eq "$(grep -o 'ZC086 192\.0\.2\.2:[0-9]* does not use TCP timestamps' talk.txt | cut -c 1-5)" \
			"$([ $timestamps = 1 ] || echo ZC086)" '  is warned of if it has none'
	done

	# the sender's network swallows what this one answers, and then everything
	if nft add table ip t 2>/dev/null; then
		sysctl -qw net.ipv4.tcp_syn_retries=1 net.ipv4.tcp_retries2=2
		nft add chain ip t out '{ type filter hook output priority 0; }'
		nft add rule ip t out ip daddr 192.0.2.2 tcp dport 7 drop
		refused 3 'ZC063 cannot connect to 192.0.2.2 port 7: .*ETIMEDOUT' 'a host that does not answer on the port' \
			"$send" 192.0.2.2 7 --pattern
		# the offer has no acknowledgement, and is sent again
		receive --once --hello=60
		nft add rule ip t out ip daddr 192.0.2.2 tcp sport "$port" tcp flags '& (syn | rst)' == 0 drop
		far timeout 20 perl -MIO::Socket::INET -e \
			'my $s = IO::Socket::INET->new(PeerAddr => "192.0.2.1", PeerPort => shift) or die; sleep 15' "$port" &
		ended 1 'a peer that does not answer any more'
		says 'ZC043 cannot receive from 192\.0\.2\.2:[0-9]+: .*ETIMEDOUT' talk.txt '  which is said in words'
		nft delete table ip t
	else
		tap_skip 'networks that swallow packets (ZC063, ZC043)' 'no nftables'
	fi
	kill "$other"
	wait 2>/dev/null
else
	tap_skip 'a sender without TCP timestamps (ZC086), networks that swallow packets' 'this kernel has no veth'
fi
ip route add unreachable 198.51.100.0/24
refused 3 'ZC062 cannot connect to 198.51.100.1 port 9999: .*EHOSTUNREACH' 'a host that cannot be reached' \
	"$send" 198.51.100.1 "$port" --pattern

# ---- receivers that end ---------------------------------------------------------

# sends_to TEXT CODE CODE-OF-PERL [ARGUMENT...]
sends_to() {
	peer "$l$3" &
	until listening; do pause 0.02; done
	refused "$4" "$2" "$1" "$send" 127.0.0.1 "$port" --pattern "${@:5}"
	wait
}
reset='setsockopt($s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)); close $s; '
sends_to 'a receiver that resets' 'ZC064 cannot send to 127.0.0.1 port 9999: .*ECONNRESET' \
	"select(undef, undef, undef, 0.2); $reset" 1
sends_to 'a receiver that ends, then resets' 'ZC065 cannot send to 127.0.0.1 port 9999: .*EPIPE' \
	"shutdown(\$s, 1); select(undef, undef, undef, 0.2); $reset" 1
sends_to 'a receiver that resets in the greeting' 'ZC076 cannot agree with 127.0.0.1 .*ECONNRESET' \
	"select(undef, undef, undef, 0.2); $reset" 3 --hello

tap_done
