#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 240
#
# zcrx-send on this kernel, over lo in a network namespace of its own: what it says about
# the shape of its segments, and that it is true

set -u
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=host-lib.sh
. "$here/host-lib.sh"

send=$bin/zcrx-send
head -c 20000123 /dev/urandom >data

# of FILE KEY: a member of the last JSON line
of() { sed -n "\$s/.*\"$2\":\\([^,}]*\\).*/\\1/p" "$1"; }

tap_eq "$("$send" --help | awk 'length > 80')" '' 'help has no line of more than 80 columns'

# ---- --explain ----------------------------------------------------------------

# explains TEXT MTU PAYLOAD ALIGNED DIRECT [ARGUMENT...]: what --explain says with this MTU, and
# that a stream is then really cut so
explains() {
	local text=$1 mtu=$2 payload=$3 aligned=$4 direct=$5 rc=0

	shift 5
	ip link set lo mtu "$mtu"
	receive "${recv_args[@]}" --connections 2 --discard
	# the receiver has something to say, too
	"$send" "$host" "$port" --explain --json "$@" >explained 2>told </dev/null || rc=$?
	tap_eq "$rc" 0 "explain: $text"
	says 'nothing is sent' told '  in words'
	cat explained >>sent.lines
	send "$host" "$port" --pattern --bytes 1M --json --interval 0 "$@"
	received
	tap_eq "$(of explained payload_bytes) $(of explained aligned_bytes)" "$payload $aligned" \
		"  segments of $payload bytes"
	tap_eq "$(head -n 1 sent.out | sed 's/.*"payload_bytes":\([0-9]*\).*/\1/')" "$payload" '  it is so'
	tap_eq "$(sed 's/.*"direct_blocks":\[\([0-9,]*\)\].*/\1/' explained)" "$direct" "  disks: ${direct:-none}"
}

host=127.0.0.1 recv_args=(--page-mss)
explains 'pages asked for, IPv4' 65536 4096 4096 512,4096
says '^  pages +4096 bytes: take an MSS of 4108 and an MTU of 4148, on both sides$' told '  what a page takes'
says '^  to do +nothing$' told '  nothing to do'
recv_args=()
explains 'the MTU of a page, IPv4' 4148 4096 4096 512,4096
explains 'the MTU of an Ethernet, IPv4' 1500 1448 0 ''
says '^  to do +here: ip link set dev lo mtu 4148$' told '  the command that mends it'
says '^ +receiver: .*zcrx-recv --page-mss$' told '  and that of the receiver'
recv_args=(--mss 1036)
explains 'blocks asked for, IPv4' 1500 1024 512 512
recv_args=()
explains 'two pages' 9000 8192 4096 512,4096
explains 'pages of 16 KiB' 9000 8948 0 '' --page 16K
says 'MTU of 16436' told '  their MTU'
explains 'pages of 64 KiB' 9000 8948 0 '' --page 64K
says 'no segment can be so long' told '  no MTU is enough for them'
host=::1
explains 'the MTU of a page, IPv6' 4168 4096 4096 512,4096
explains 'that of IPv4, IPv6' 4148 4076 0 ''
says 'ip link set dev lo mtu 4168$' told '  the command that mends it'
ip link set lo mtu 65536
cp data file
receive --once -o file
"$send" --explain 127.0.0.1 "$port" <data 2>/dev/null
ended 1 'explain sends nothing, and a receiver that was not asked gets a reset'
tap_ok '  the file of before is as it was' cmp data file
tap_ok '  with nothing of it beside' test ! -s file.part
refused 3 'ZC060' 'explain, and nobody listens' "$send" --explain 127.0.0.1 "$port"

# ---- the shape ----------------------------------------------------------------

# shape_is VERDICT PATTERN TEXT: what the sender says of 8 MB; with $stall the receiver stops for so
# many seconds first. Between "kept" and "partly" luck decides, too: TCP sends now and then something
# again on a busy machine
stall=
shape_is() { # ... [ARGUMENT...]
	local want=$1 pattern=$2 text=$3

	shift 3
	for _ in $(seq 20); do
		receive --once --verify --json "${recv_args[@]}"
		if [ "$stall" ]; then
			kill -STOP "$receiver"
			(sleep "$stall"; kill -CONT "$receiver") &
		fi
		send 127.0.0.1 "$port" --verify --bytes 8M --json "$@"
		received
		case $want$(of sent.out shape) in
		kept\"partly\" | partly\"kept\") ;;
		*) break ;;
		esac
	done
	tap_eq "$(of sent.out shape)" "\"$want\"" "shape: $text"
	says "^  shape +$pattern" sent '  in words'
}
recv_args=(--page-mss --record 4)
shape_is kept 'kept: all 512 whole records left in segments of whole pages$' 'pages' --pace 500M
tap_eq "$(of stdout aligned_records)" 512 '  and the receiver sees that'
recv_args=(--mss 1036)
shape_is kept 'kept: all 512 whole records left in segments of whole blocks$' 'blocks' --pace 500M
recv_args=(--mss 1460)
shape_is none 'none: segments of 1448 bytes' 'neither'
recv_args=(--mss 3596)
shape_is unknown 'not known: in records' 'seven blocks, which a record is no whole number of'
tap_eq "$(of sent.out records_spoiled_max)" 512 '  any record may be cut'

# What is left of the window of a receiver that stops is no whole page, and TCP's probe fills it
recv_args=(--page-mss --record 4 --rcvbuf 1000001) stall=1
shape_is partly 'kept but for at most [1-9][0-9]* of 512 records$' 'a receiver that stops'
stall=
tap_ok "  no less than what the receiver sees is admitted" test "$(of sent.out records_spoiled_max)" -ge \
	$((512 - $(of stdout aligned_records)))

if nft add table ip t 2>/dev/null; then
	nft add chain ip t in '{ type filter hook input priority 0; }'
	nft add rule ip t in tcp dport $port ip length '>' 1000 numgen inc mod 100 == 99 drop
	recv_args=(--page-mss --record 4)
	shape_is partly 'kept but for at most' 'one packet in a hundred is lost'
	tap_ok '  that many were sent again' test "$(of sent.out retransmitted)" -gt 3
	tap_ok "  no less than what the receiver sees is admitted" test "$(of sent.out records_spoiled_max)" -ge \
		$((512 - $(of stdout aligned_records)))
	nft delete table ip t
else
	tap_skip 'shape: one packet in a hundred is lost' 'no nftables'
fi

receive --once --discard --page-mss
{ head -c 4000000 data; sleep 0.5; ip link set lo mtu 1500; head -c 4000000 data; } |
	send 127.0.0.1 "$port" --json
ip link set lo mtu 65536
received
tap_eq "$(of sent.out shape)" '"unknown"' 'shape: the MTU falls in the middle'
tr -s ' \n' ' ' <sent >joined
says 'shape not known: the length of segments changed on the way, from 4096 bytes to 1448 ' joined '  in words'

# One signal, where timeout(1) sends two otherwise, and the exit status of who gets it
interrupt=(timeout --foreground --preserve-status -s INT 0.5)
receive --discard --page-mss
"${interrupt[@]}" "$send" 127.0.0.1 "$port" --pattern --json >sent.out 2>sent
tap_eq "$? $(of sent.out complete)" '0 true' 'one that is interrupted'
cat sent.out >>sent.lines
kill -INT "$receiver"
received
says '^  shape +(kept|not known|kept but)' sent 'shape: one that is interrupted'

# ---- pace, progress -----------------------------------------------------------

receive --once --discard
send 127.0.0.1 "$port" --pattern --bytes 5M --pace 40M --json
received
tap_ok 'paced: 5 MiB at 40 Mbit/s take a second' awk -v s="$(of sent.out seconds)" 'BEGIN { exit !(s > 0.8 && s < 1.6) }'
refused 2 'not a rate' 'no rate' "$send" h 1 --pace fast
refused 2 'not a rate' 'none at all' "$send" h 1 --pace 0

receive --once --discard
if command -v script >/dev/null; then
	script -qc "$send 127.0.0.1 $port -f data --bytes 10M --pace 80M --interval 0.1" /dev/null >terminal </dev/null
	tap_ok 'on a terminal it says how far it is' grep -qE $'\r +[1-9][0-9] %  [0-9.]+ MB of 10 MB' terminal
	tap_ok '  and in the end the report as ever' grep -qE '^sent 10 MB in 1\.[0-9]+ s, 0\.0[0-9] Gbit/s' \
		<(tr -d '\r' <terminal)
else
	tap_skip 'on a terminal it says how far it is' 'no script(1)'
	send 127.0.0.1 "$port" -f data
fi
received
receive --once --discard
send 127.0.0.1 "$port" -f data --bytes 5M --pace 80M --interval 0.1
received
tap_fails 'elsewhere it has lines' '' grep -q $'\r' sent
says '^ +0\.2 s +[0-9.]+ (KB|MB) +[0-9.]+ Gbit/s$' sent '  of intervals'

# ---- padding ------------------------------------------------------------------

# padded TEXT BYTES PAGE ARGUMENT...: the first BYTES of the data, and zeros up to the end of the page
padded() {
	local text=$1 bytes=$2 page=$3 all

	shift 3
	all=$(((bytes + page - 1) / page * page))
	receive --once -o file "${recv_args[@]}"
	send 127.0.0.1 "$port" --json --pad "$@"
	ended 0 "padding: $text"
	{ head -c "$bytes" data; head -c $((all - bytes)) /dev/zero; } >whole
	tap_ok "  $((all - bytes)) zeros" cmp whole file
	tap_eq "$(of sent.out padding_bytes)" $((all - bytes)) '  as reported'
	says "^  padding +$((all - bytes)) bytes, zeros at the end$" sent '  in words'
	tap_eq "$(of sent.out bytes) $(head -n 1 sent.out | sed 's/.*"total_bytes":\([0-9]*\).*/\1/')" \
		"$all $total" '  which count as sent, and are known before'
}

# Had TCP begun a packet with the zeros, there would be one more
in_segments() { tap_eq "$(of sent.out segments_sent)" "$1" "  in $1 segments"; }

size=$(stat -c %s data)
recv_args=(--page-mss)
total=$(((size + 4095) / 4096 * 4096))
for how in '' --zerocopy --sendfile; do
	# shellcheck disable=SC2086 # none, or one
	padded "a file${how:+, $how}" "$size" 4096 -f data $how
done
tap_eq $((size % 4096 > 0)) 1 '  it needs some'
total=8192
padded 'two pages less a byte' 8191 4096 -f data --bytes 8191
in_segments 2
padded 'two pages' 8192 4096 -f data --bytes 8192 --sendfile
total=4096
padded 'a byte, sendfile' 1 4096 -f data --bytes 1 --sendfile
in_segments 1
total=0
padded 'standard input' "$size" 4096 <data
total=$(((size + 16383) / 16384 * 16384))
recv_args=(--mss 16396)
padded 'pages of 16 KiB' "$size" 16384 -f data --page 16K --sendfile
: >empty
receive --once -o file
send 127.0.0.1 "$port" --json --pad -f empty
ended 0 'padding: nothing'
tap_eq "$(stat -c %s file) $(of sent.out padding_bytes)" '0 0' '  is no page of zeros'
refused 2 'with --pattern let --bytes be whole pages' 'padding: not of the pattern' "$send" h 1 --pad --pattern

# ---- without copies on this side ----------------------------------------------

# without_copies TEXT PATTERN ARGUMENT...: a file gets there, and what the sender says
without_copies() {
	local text=$1 pattern=$2

	shift 2
	receive --once -o file "${recv_args[@]}"
	send "$host" "$port" -f data --json "$@"
	ended 0 "$text"
	tap_ok '  the file is what was sent' cmp data file
	says "$pattern" sent '  in words'
}

recv_args=(--page-mss)
for host in 127.0.0.1 ::1; do
	without_copies "zero copy to $host" '^sent 19\.1 MB \(0\.0 % zero copy\) in' --zerocopy
	says 'ZC066 [0-9]+ of [0-9]+ sends were copied all the same: .* is this host' sent '  and why not'
	tap_ok '  in JSON' test "$(of sent.out sends_copied)" -gt 1220
	without_copies "sendfile to $host" '^sent 19\.1 MB in' --sendfile
done
host=127.0.0.1
# records of three pages take two segments of two pages at most, if they end where they should
recv_args=(--mss 8204)
for how in --sendfile --zerocopy; do
	without_copies "records that are not whole segments, $how" 'records of 12288$' "$how" --record 3 --pace 400M
	tap_ok '  end where they should' test "$(of sent.out segments_sent)" -ge "$(of sent.out segments_expected)" \
		-a "$(of sent.out segments_excess)" -lt 50
done
recv_args=(--page-mss)
without_copies 'sendfile, other records' 'records of 3584$' --sendfile --page 512 --record 7
without_copies 'sendfile of a part' '^sent 19\.1 MB' --sendfile --bytes 20000123
recv_args=(--hello)
without_copies 'zero copy after a greeting' 'as agreed$' --zerocopy --hello
without_copies 'sendfile after a greeting' 'as agreed$' --sendfile --hello

receive --once -o file
"$send" 127.0.0.1 "$port" --zerocopy <data 2>sent
ended 0 'zero copy of standard input'
tap_ok '  the file is what was sent' cmp data file

receive --connections 4 --verify
send 127.0.0.1 "$port" --pattern --bytes 10M -P 4 --zerocopy
ended 0 'zero copy of four streams'

for how in '' --zerocopy; do
	receive --connections 2 --verify
	refused 0 '' "the pattern without end, interrupted, ${how:-with copies}" \
		"${interrupt[@]}" "$send" 127.0.0.1 "$port" --pattern ${how:+"$how"}
	refused 0 '' '  and again' "${interrupt[@]}" "$send" 127.0.0.1 "$port" --pattern ${how:+"$how"}
	ended 0 '  what was on its way then is right'
done

if command -v prlimit >/dev/null && [ "$(ulimit -l)" != 64 ]; then
	receive --once --verify
	prlimit --memlock=65536 setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock \
		"$send" 127.0.0.1 "$port" --pattern --bytes 10M --zerocopy 2>sent >/dev/null
	ended 0 'zero copy with 64 KiB of locked memory'
	says 'ZC079 [0-9]+ of [0-9]+ sends had to be copied' sent '  what was too much is told'
fi

# To another network namespace: not loopback, but not without a copy either
if ip link add to-peer type veth peer name eth0 2>/dev/null; then
	unshare -n sleep 60 &
	peer=$!
	until [ "$(readlink "/proc/$peer/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
	ip link set eth0 netns "$peer"
	ip addr add 192.0.2.1/24 dev to-peer
	ip link set to-peer up mtu 4148
	nsenter -n -t "$peer" ip addr add 192.0.2.2/24 dev eth0
	nsenter -n -t "$peer" ip link set eth0 up mtu 4148
	far() { # zero copy to there
		nsenter -n -t "$peer" "$bin/zcrx-recv" --backend copy -p "$port" --once --verify 2>talk.txt &
		receiver=$!
		send 192.0.2.2 "$port" --wait 5 --pattern --bytes 4M --zerocopy
		received
	}
	far
	says 'ZC069 .*: to-peer is a virtual interface' sent 'zero copy over a virtual interface'
	tap_eq "$status" 0 '  arrives'
	if command -v tcpdump >/dev/null; then
		: >tapped
		tcpdump -ni to-peer -w dump 2>tapped &
		tap=$!
		until grep -q listening tapped; do sleep 0.02; done
		far
		says "ZC067 .*: tcpdump \\(pid $tap\\) gets a copy of every packet" sent 'zero copy under the eyes of tcpdump'
		kill "$tap"
		wait "$tap"
	else
		tap_skip 'zero copy under the eyes of tcpdump' 'no tcpdump'
	fi
	kill "$peer"
	wait "$peer"
else
	tap_skip 'zero copy over a virtual interface' 'this kernel has no veth'
fi

refused 2 'one of --zerocopy' 'both' "$send" h 1 --zerocopy --sendfile -f data
refused 2 'needs -f' 'sendfile of standard input' "$send" h 1 --sendfile
refused 2 'needs -f' 'sendfile of the pattern' "$send" h 1 --sendfile --pattern
refused 3 'no regular file' 'sendfile of a device' "$send" h 1 --sendfile -f /dev/zero
: >empty
refused 3 'no regular file' 'sendfile of nothing' "$send" h 1 --sendfile -f empty

# ---- what is not sent whole -----------------------------------------------------

# cut STATUS PATTERN TEXT COMMAND...: the sender says that it did not send all, and the receiver does
# not take it for all there is
cut() {
	local want=$1 pattern=$2 text=$3 rc=0

	shift 3
	cp data file
	receive --once -o file
	timeout 10 "$@" >sent.out 2>sent || rc=$?
	grep -a '^{"event"' sent.out >>sent.lines
	tap_eq "$rc" "$want" "cut: $text" || tap_diag "$(cat sent)"
	says "$pattern" sent '  in words'
	ended 1 '  the receiver'
	says 'ECONNRESET' talk.txt '  which says why'
	tap_ok '  and keeps the file of before' cmp data file
	rm -f file.part
}

slow=("$send" 127.0.0.1 "$port" --pace 32M --json)
all='of 19\.1 MB: not all is sent and acknowledged'
for how in '' --zerocopy --sendfile; do
	cut 1 "ZC134 interrupted after [0-9.]+ MB $all" "SIGINT ${how:-and copies}" \
		"${interrupt[@]}" "${slow[@]}" -f data ${how:+"$how"}
	tap_eq "$(of sent.out complete)" false '  in JSON'
	says '"event":"error","data":\{"code":"ZC134","name":"not-sent-whole","cause":"interrupted after ' sent.out '  with the reason'
	cut 1 "ZC134 out of time after [0-9.]+ MB $all" "--time ${how:-and copies}" "${slow[@]}" -f data ${how:+"$how"} --time 0.5
done
cut 1 'interrupted after [0-9.]+ MB of 20 MB' 'so many bytes of the pattern' "${interrupt[@]}" "${slow[@]}" --pattern --bytes 20M
# shellcheck disable=SC2016 # of the inner shell, which says that it was killed
cut 137 '' 'SIGKILL' sh -c '"$@"; exit $?' - timeout --preserve-status -s KILL 0.5 "${slow[@]}" -f data
cut 1 ZC095 'a source that breaks' "$send" 127.0.0.1 "$port" -f /proc/self/mem

# shellcheck disable=SC2016 # of the inner shell
idle=(bash -c 'exec "$@" < <(head -c 1000003 data; exec sleep 9)' -)
cut 1 'out of time after [0-9.]+ KB of what there is' '--time, and standard input is idle' \
	"${idle[@]}" "$send" 127.0.0.1 "$port" --json --time 0.5
cut 1 'interrupted after [0-9.]+ KB of what there is' 'SIGINT, and standard input is idle' \
	"${idle[@]}" "${interrupt[@]}" "$send" 127.0.0.1 "$port" --json --zerocopy

# Some streams are open, but not all can be
cut 3 'ZC099 .*Too many open files' 'too few descriptors' prlimit --nofile=20:20 "$send" 127.0.0.1 "$port" --pattern -P 30
cut 1 ZC097 'too few threads' prlimit --stack=70368744177664 "$send" 127.0.0.1 "$port" --pattern --bytes 8M -P 4

# The pattern has no end of its own
receive --once --verify
send 127.0.0.1 "$port" --pattern --time 0.3 --json
tap_eq "$? $(of sent.out complete)" '0 true' 'the pattern without end, and --time'
ended 0 '  the receiver'

# peer PERL...: one that does so with what comes to the socket $l; it is gone after 10 seconds
peer() {
	perl -MIO::Socket::INET -MSocket=:all -e 'alarm 10;
		my $l = IO::Socket::INET->new(LocalPort => shift, Listen => 8, ReuseAddr => 1) or die;
		sub reset { setsockopt($_[0], SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)); close $_[0] }
		'"$1" "$port" &
	peer=$!
	until listening; do sleep 0.02; done
}
# shellcheck disable=SC2016 # of Perl
peer 'my ($good, $bad) = ($l->accept, $l->accept); reset($bad); 1 while sysread $good, $_, 1 << 20;'
rc=0
send 127.0.0.1 "$port" --pattern -P 2 --time 1 --json || rc=$?
tap_eq "$rc $(of sent.out complete)" '1 false' 'one of two streams fails, then --time ends the other'
says 'ZC06[45]' sent '  and why is told'
wait "$peer"

for how in '' --zerocopy; do
	# shellcheck disable=SC2016 # of Perl
	peer 'setsockopt($l, SOL_SOCKET, SO_RCVBUF, pack("i", 4096)); my $c = $l->accept; sleep 9'
	refused 1 'out of time after 97.7 KB of 97.7 KB' "nobody reads, and --time ${how:-and copies}" \
		"$send" 127.0.0.1 "$port" -f data --bytes 100000 --time 0.5 ${how:+"$how"}
	kill "$peer"
	wait "$peer" 2>/dev/null
done

# ---- connecting -----------------------------------------------------------------

# The addresses of "several", in this order
names() {
	printf '%s several\n' "$@" >hosts
	mount --bind hosts /etc/hosts
}
names 127.0.0.1 2001:db8::1
(sleep 0.5; exec "$bin/zcrx-recv" --backend copy -p "$port" --once --verify 2>/dev/null) &
receiver=$!
refused 0 'sent 1 MB' '--wait, and another address is not reachable' "$send" several "$port" --wait 5 --pattern --bytes 1M
umount /etc/hosts
[ "$status" = 0 ] || kill "$receiver"
wait "$receiver"
refused 3 '^zcrx-send: interrupted before anything was sent' 'SIGINT while it waits' \
	"${interrupt[@]}" "$send" 127.0.0.1 "$port" --wait 5 --pattern

mkfifo fifo
refused 3 '^zcrx-send: interrupted before anything was sent' 'SIGINT while the source is opened' \
	"${interrupt[@]}" "$send" 127.0.0.1 "$port" -f fifo

# One that is to be waited for, as its backlog is full, and then one that answers
# shellcheck disable=SC2016 # of Perl
perl -MIO::Socket::INET -e 'alarm 10; my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.2",
	LocalPort => $ARGV[0], Listen => 1) or die; listen($l, 0); my $c = IO::Socket::INET->new("127.0.0.2:$ARGV[0]");
	sleep 9' "$port" &
peer=$!
until ss -Htn "dst = 127.0.0.2:$port" | grep -q ESTAB; do sleep 0.02; done
nc.openbsd -l 127.0.0.3 "$port" >heard &
receiver=$!
until ss -Hltn "src = 127.0.0.3:$port" | grep -q .; do sleep 0.02; done
names 127.0.0.2 127.0.0.3
refused 3 '^zcrx-send: interrupted before anything was sent' 'SIGINT while it connects' \
	"${interrupt[@]}" "$send" several "$port" --pattern --bytes 1M
tap_ok '  and no other address gets an empty stream' kill "$receiver"
umount /etc/hosts
kill "$peer"
wait "$peer" "$receiver" 2>/dev/null

# ---- the greeting -------------------------------------------------------------

receive --once --hello --verify --json
send 127.0.0.1 "$port" --hello --pattern --bytes 8M --json
tap_eq $? 0 'a greeting, then data: the sender'
ended 0 '  the receiver'
says 'segments of 1 page, records of 16384, as agreed' sent '  the sender cuts as agreed'
tap_eq "$(of stdout bytes) $(of stdout records) $(of stdout aligned_records)" '8388608 512 512' \
	'  the greeting is no data, and all of the data is aligned'

receive --connections 3 --hello --record 2 --page-mss --discard
send ::1 "$port" --hello --pattern --bytes 1M -P 3
ended 0 'three streams'
says 'records of 8192, as agreed' sent '  and the record that the receiver wants'

mkdir many
receive --connections 5 --hello -o many/
send 127.0.0.1 "$port" --hello -f data -P 5
tap_eq $? 0 'five streams into a directory: the sender'
ended 0 '  the receiver'
for file in many/*; do cmp -s data "$file" && echo "${file##*-}"; done >same
tap_eq "$(xargs <same)" '00000001 00000002 00000003 00000004 00000005' '  each file is what was sent'
rm -r many

# too_many TEXT ROOM STREAMS ARGUMENT...: more streams than the receiver takes are refused at once
too_many() {
	local text=$1 takes=$2 streams=$3

	shift 3
	receive --hello "$@"
	send 127.0.0.1 "$port" --hello --pattern --bytes 1M -P "$streams"
	tap_eq $? 3 "$text: the sender"
	says "ZC098 .*cannot agree" sent '  which is told as ZC098'
	says "takes $takes at once, and not $streams: one file" sent '  with both numbers'
	kill -INT "$receiver" 2>/dev/null
	ended 1 '  the receiver'
	says 'ZC075 .*cannot agree' talk.txt '  which was told, too'
}
too_many 'two streams into one file' '1 connection' 2 -o together
tap_ok '  which is not complete' test ! -e together
tap_ok '  and has nothing in it' test ! -s together.part
too_many 'more streams than are to come' '2 connections' 3 --discard --connections 2
wrap=(prlimit --nofile=40:40)
too_many 'more streams than there are descriptors' '8 connections' 60 --verify
wrap=()

receive --once --hello -o file
send 127.0.0.1 "$port" --hello -f data
ended 0 'into a file'
tap_ok '  it has the data and no greeting' cmp data file

receive --once --hello --record 3
refused 0 'offers pages of .*, records of 12288, aligned to 512; region 64 MB' 'explain: what a receiver offers' \
	"$send" --explain --hello 127.0.0.1 "$port"
send 127.0.0.1 "$port" --hello --pattern --bytes 1M
ended 0 '  which is no failure of the receiver'

# Whoever does not speak it, each to a receiver of its own
not_agreed() { # CODE TEXT COMMAND-THAT-SENDS
	receive --once --hello=0.5 -o file
	sh -c "$3" >heard 2>/dev/null
	ended 1 "$2"
	says "$1 .*cannot agree" talk.txt "  which is told as $1"
	tap_ok '  and the file of before is as it was' cmp data file
	tap_ok '  with nothing of it beside' test ! -s file.part
}
not_agreed ZC070 'a file instead of a greeting' "head -c 300000 data | nc.openbsd -N 127.0.0.1 $port"
tap_eq "$(head -c 7 heard)" 'zcrx-hi' '  it was offered something'
not_agreed ZC072 'nothing at all' "sleep 3 | nc.openbsd 127.0.0.1 $port"
not_agreed ZC072 'half of a greeting, then nothing' "(printf 'zcrx-hi\n\001'; sleep 3) | nc.openbsd 127.0.0.1 $port"
says '\(9 bytes\)' talk.txt '  and how much there was of it'
not_agreed ZC073 'half of a greeting, then the end' "printf 'zcrx-hi\n\001' | nc.openbsd -N 127.0.0.1 $port"
not_agreed ZC073 'the end at once' "nc.openbsd -N 127.0.0.1 $port </dev/null"

# message KIND REFUSAL PAGE QUANTUM RECORD REGION [VERSION]: as sixteen numbers of 32 bits
message() {
	perl -e 'print "zcrx-hi\n", pack("v4 V4 Q< x24", $ARGV[6] // 1, 64, @ARGV[0 .. 3], $ARGV[4], 0, $ARGV[5])' "$@"
}
answer() { message 2 0 "$(getconf PAGESIZE)" 512 16384 67108864; }
message 2 0 4096 512 16384 67108864 2 >v2
message 1 0 "$(getconf PAGESIZE)" 512 16384 67108864 >offer
message 2 0 "$(getconf PAGESIZE)" 512 8192 67108864 >other
message 2 6 0 0 0 0 >no
answer >yes
{ answer; echo data; } >early
not_agreed ZC071 'another version' "nc.openbsd -N 127.0.0.1 $port <v2"
says 'version 2, this program in version 1' talk.txt '  with both numbers'
tap_eq "$(tail -c 50 heard | head -c 2 | od -An -tu2 | tr -d ' ')" 2 '  the peer is told that by refusal 2'
not_agreed ZC074 'an offer as answer' "nc.openbsd -N 127.0.0.1 $port <offer"
says 'refusal 4,' talk.txt '  refusal 4'
not_agreed ZC074 'another record' "nc.openbsd -N 127.0.0.1 $port <other"
says 'refusal 10,' talk.txt '  refusal 10'
not_agreed ZC074 'data before all is agreed' "nc.openbsd -N 127.0.0.1 $port <early"
says 'refusal 11,' talk.txt '  refusal 11'
not_agreed ZC075 'a sender that refuses' "nc.openbsd -N 127.0.0.1 $port <no"
says 'refuses: refusal 6, the page size' talk.txt '  in words'

receive --connections 21 --hello --verify
for _ in $(seq 20); do (cat yes; sleep 0.2) | nc.openbsd -N 127.0.0.1 "$port" >/dev/null & done
send 127.0.0.1 "$port" --hello --pattern --bytes 1M
ended 0 'twenty others at the same time that agree and send nothing'
wait

receive --once --hello
status=0
send 127.0.0.1 "$port" --pattern --bytes 100K || status=$?
tap_eq "$status" 1 'zcrx-send without --hello to a receiver with it'
says 'ZC077 .*' sent '  is told to use it'
received

# From a peer that is no such receiver
from() { # FILE [SECONDS]: send that, and keep the connection for so long
	{ cat "$1"; sleep "${2:-0}"; } | timeout 10 nc.openbsd ${2:+-N} -l "$port" >heard &
	until listening; do sleep 0.02; done
}
not_greeted() { # CODE PATTERN TEXT FILE [SECONDS]
	from "$4" "${5:-}"
	refused 3 "$1 .*cannot agree|$1" "$3" "$send" 127.0.0.1 "$port" --hello=0.4 --pattern --bytes 1M
	says "$2" talk.txt '  in words'
	wait
}
: >nothing
message 1 0 4096 512 16384 67108864 7 >v7
message 1 0 4095 512 16384 67108864 >p4095
message 1 0 4096 512 16385 67108864 >r16385
message 1 0 4096 512 16384 100 >small
message 1 9 0 0 0 0 >refuses
message 3 0 0 0 0 0 >go
not_greeted ZC070 'another program' 'garbage' data
not_greeted ZC072 'nothing for 0.4 s' 'a receiver that says nothing' nothing 2
not_greeted ZC071 'version 7, this program in version 1' 'another version' v7
not_greeted ZC074 'refusal 6,' 'pages of 4095' p4095
tap_eq "$(od -An -tu2 -j14 -N2 heard | tr -d ' ')" 6 '  and the peer is told'
not_greeted ZC074 'refusal 8,' 'records of 16385' r16385
not_greeted ZC074 'refusal 9,' 'a region of 100 bytes' small
not_greeted ZC074 'refusal 4,' 'go before an offer' go
not_greeted ZC075 'refuses: refusal 9, the region' 'a receiver that refuses' refuses
head -c 20 offer >part
timeout 10 nc.openbsd -N -l "$port" <part >heard &
until listening; do sleep 0.02; done
refused 3 'ZC073' 'the end within the greeting' "$send" 127.0.0.1 "$port" --hello --pattern
says '20 of the 64 bytes' talk.txt '  in words'
wait
# ---- JSON ---------------------------------------------------------------------

# fails_json STATUS CODE TEXT [ARGUMENT...]: how the sender ends, and that JSON names the error
prefix=()
fails_json() {
	status=0
	timeout 20 ${prefix[@]+"${prefix[@]}"} "$send" "${@:4}" --json >sent.out 2>sent </dev/null || status=$?
	grep -a '^{"event"' sent.out >>sent.lines
	tap_eq "$status" "$1" "$3: the exit status"
	says "^zcrx-send: $2 " sent '  in words'
	says "^\{\"event\":\"error\",\"data\":\{\"code\":\"$2\"" sent.out '  in JSON'
}

fails_json 3 ZC060 'nobody listens' 127.0.0.1 "$port" --pattern
fails_json 3 ZC094 'an unknown host' no.such.host.invalid "$port" --pattern
fails_json 3 ZC095 'a file that does not exist' 127.0.0.1 "$port" -f nosuch
fails_json 3 ZC095 'a directory' 127.0.0.1 "$port" -f .
receive --once
fails_json 1 ZC095 'a source that breaks' 127.0.0.1 "$port" -f /proc/self/mem
received
fails_json 3 ZC096 'sendfile of a device' 127.0.0.1 "$port" -f /dev/zero --sendfile
receive
prefix=(prlimit --stack=70368744177664)
fails_json 1 ZC097 'more threads than there may be' 127.0.0.1 "$port" --pattern -P 4
prefix=()
kill -INT "$receiver"
received
receive --once
(sleep 0.3; kill -KILL "$receiver") &
fails_json 1 'ZC06[45]' 'a receiver that is killed' 127.0.0.1 "$port" --pattern 2>/dev/null
received
wait
if [ -c /dev/full ]; then
	receive --connections 2 --verify
	for what in --explain '--bytes 1M'; do
		status=0
		# shellcheck disable=SC2086 # words
		timeout 20 "$send" 127.0.0.1 "$port" --pattern --json $what >/dev/full 2>sent || status=$?
		tap_eq "$status" 1 "JSON lines that cannot be written, $what"
		says '^zcrx-send: cannot write JSON lines: No space' sent '  which is said'
	done
	kill -INT "$receiver" 2>/dev/null
	received
	refused 3 'ZC060' 'those of what cannot begin' sh -c '"$@" >/dev/full' - "$send" 127.0.0.1 "$port" --pattern --json
	says 'cannot write JSON lines' talk.txt '  which is said as well'
fi
receive --once --verify
timeout 20 "$send" 127.0.0.1 "$port" --pattern --json --bytes 8M --interval 0.05 --pace 100M 2>sent | head -n 1 >sent.out
tap_eq "${PIPESTATUS[0]}" 0 'a reader of JSON lines who has enough of them'
ended 0 '  has no effect on what is sent'
receive --hello
send 127.0.0.1 "$port" --explain --hello --json
kill -INT "$receiver"
received
lines_are zcrx-send sent.lines 'end error explain interval start warning' \
	'all JSON lines are what the schema says, of each event'

refused 2 'no --page and no --record' 'a page of our own' "$send" h 1 --hello --page 4096
refused 2 'not a time' 'no time at all' "$send" h 1 --hello=0
refused 2 'not a time' 'a receiver that waits no time' "$bin/zcrx-recv" --hello=0
refused 2 'smaller --record' 'a record of 16 pages' "$bin/zcrx-recv" --backend copy -p 1 --hello --record 16

tap_done
