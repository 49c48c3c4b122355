#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 1200
# alone
#
# Linux 7.3 with the unmodified driver and its own zero copy receive, on one and on
# two processors. ZCRX_TEST_SIZE is what one transfer carries (default 48M),
# ZCRX_TEST_RESTARTS how often a queue is restarted under traffic (default 20), and
# ZCRX_TEST_SECONDS how long all goes on at once (default 4, on two processors only); the
# whole thing is 1G, 500 and 300. ZCRX_TEST_LIMIT: seconds for one guest (default 150)

# shellcheck source=lib.sh disable=SC2317,SC2016 # functions are called by name
. "$(dirname "$0")/lib.sh"
# shellcheck source=check-lib.sh
. "$here/check-lib.sh"
# shellcheck source=queues-lib.sh
. "$here/queues-lib.sh"

size=${ZCRX_TEST_SIZE:-48M}
restarts=${ZCRX_TEST_RESTARTS:-20}
seconds=${ZCRX_TEST_SECONDS:-4}
limit=${ZCRX_TEST_LIMIT:-150}
other=9998

# Of ethtool -S, over all queues but that of the receiver
others_stat() { # NAME
	ethtool -S eth0 | awk -v n="$1" -v q="[$queue]:" '$1 ~ /^\[/ && $1 != q && $2 == n ":" { s += $3 } END { printf "%.0f\n", s }'
}

# What the peer's TCP sent so far: sets $segments and, of these, $again
peer_tcp() {
	peer 'cat /proc/net/snmp'
	read -r segments again < <(awk '$1 == "Tcp:" && !n { for (n = 2; n <= NF; n++) at[$n] = n; next }
		$1 == "Tcp:" { print $at["OutSegs"], $at["RetransSegs"] }' "$peer_out")
}

guest_probe() { # CPUS
	local rate name

	tap_eq "$(nproc)" "$1" "processors"
	tap_eq "$(ethtool -i eth0 | sed -n 's/^driver: //p')" bnxt_en "driver"
	tap_ok "ping, IPv4" ping -q -c 20 -i 0.02 "$ZCRX_PEER"
	tap_ok "ping, IPv6" ping -q -c 20 -i 0.02 "$ZCRX_PEER6"
	iperf_server 5201
	for name in '' '-R'; do
		iperf_peer "iperf3 -J -c $ZCRX_GUEST -t 1 $name"
		tap_eq $? 0 "iperf3 ${name:-to the guest}" || tap_diag "$(tail -n 5 "$peer_out")"
		rate=$(awk '/"sum_received"/ { on = 1 } on && /bits_per_second/ { printf "%d", $2 / 1e6; exit }' "$peer_out")
		# what two processors get done on a host with fewer idle ones is not the point
		tap_ok "iperf3 ${name:-to the guest}: $rate Mbit/s, at least 10" test "${rate:-0}" -ge 10
	done
}

guest_receive() {
	local copied bytes

	# what the kernel wants first, in words
	recv_refused ZC027 "header/data split by the driver's choice will not do"
	tap_ok "zcrx-flow up" flow_up
	recv_start --once --require-zerocopy=99 -o "$work/output" --dump-frags "$work/frags"
	tap_ok "the backend is upstream" grep -q '"backend":"upstream"' "$work/recv.json"
	peer "$bin/zcrx-send $ZCRX_GUEST $port -f $work/input"
	tap_eq $? 0 "the sender ends well" || tap_diag "$(cat "$peer_out")"
	receiver_ends 0 "the receiver ends well"
	bytes=$(recv_value bytes)
	copied=$(recv_value copy_foreign_bytes)
	tap_eq "$bytes" "$(stat -c %s "$work/input")" "all bytes are there"
	tap_ok "of these copied, as the kernel counts it: $copied, at most 1 %" \
		test "${copied:-$bytes}" -le $((bytes / 100))
	tap_diag "$(tail -n 1 "$work/recv.err")"

	# a flow that nobody steers to the queue is copied, and that shows
	port=$other
	recv_start --once --require-zerocopy=99 --verify
	peer "$bin/zcrx-send $ZCRX_GUEST $other --pattern --bytes 4M"
	receiver_ends 4 "a flow on other queues is not what was required"
	tap_eq "$(recv_value copy_foreign_bytes)" $((4 << 20)) "the kernel counts all of it as copied"
	port=9999
}

# One area after the other, and buffers longer than a page where there are such pages
guest_areas() {
	tap_ok "zcrx-flow up" flow_up
	over_areas
	if [ "$arch" = um ]; then
		recv_start --once --verify --require-zerocopy=90 --rx-buf-len 16K
		tap_ok "long buffers, of pages that lie anywhere: refused, and said" \
			grep -q 'ZC129 .*16 KB are refused (ERANGE)' "$work/recv.err"
		tap_ok "long buffers: pages do" grep -q '"rx_buf_bytes":4096,' "$work/recv.json"
	else
		tap_ok "huge pages" sysctl -q vm.nr_hugepages=40
		recv_start --once --verify --require-zerocopy=90 --hugepages --rx-buf-len 16K --dump-frags "$work/long-frags"
		tap_ok "long buffers: taken" grep -q '"rx_buf_bytes":16384,' "$work/recv.json" || tap_diag "$(cat "$work/recv.err")"
	fi
	peer "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes $size"
	tap_eq $? 0 "long buffers: the sender ends well" || tap_diag "$(cat "$peer_out")"
	receiver_ends 0 "long buffers: every byte is right"
	[ "$arch" = um ] ||
		tap_ok "long buffers: pieces of more than a page" awk '$1 == "frag" && $5 > 4096 { n++ } END { exit !n }' "$work/long-frags"
}

# The driver has no other pages: what finds none in the region is lost, and sent again
guest_exhausted() {
	local send="$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 16M --wait 5" stopped='nap 1.5'

	tap_ok "zcrx-flow up" flow_up
	recv_start --discard --region 1M
	kill -INT "$recv_pid"
	receiver_ends 0 "a region that the NIC's ring uses up: the receiver begins and ends"
	tap_ok "and says so" grep -q 'ZC026 .*ring alone takes' "$work/recv.err" || tap_diag "$(cat "$work/recv.err")"
	much_waits
	warns "a region smaller than what waits in the socket" ZC088 yes "$send" --verify --region 1M
	tap_eq "$(recv_value copied_bytes)" 0 "nothing was copied"
	tap_fails "the ring leaves a part of it" '' grep -q 'ZC026' "$work/recv.err"
	warns "a larger one" ZC088 no "$send" --verify --region 64M

	# rings that are full end a request, or make what comes back wait; nothing is lost
	warns "a small completion ring" ZC082 yes "$send" --verify --cq 4 --region 64M --require-zerocopy=90
	stopped=''
	send="$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 32M --wait 5"
	warns "a small refill ring: all comes back" ZC088 no "$send" --verify --rq 8 --region 16M --require-zerocopy=90
}

# Without a device: the rings are the same, the kernel copies
guest_nodev() {
	local rc=0 iface

	transfer "by the NIC" 0 0 "nc -N $ZCRX_GUEST $port <$work/input" --backend upstream-nodev --region 16M
	tap_ok "it is called what it is" grep -q '"backend":"upstream-nodev","backend_auto":false' "$work/recv.json"
	tap_eq "$(recv_value zero_copy_bytes) $(recv_value copied_bytes)" "0 $(stat -c %s "$work/input")" \
		"and all of it counts as copied"
	tap_ok "it says so at the start" grep -q 'port 9999, .*the kernel copies every byte' "$work/recv.err"
	# what a file keeps and what a large receive buffer has may be more than the region. Here it
	# goes round three times, and most of it is free all the time
	stream "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 48M" --verify --backend upstream-nodev --region 16M --rcvbuf 1M
	tap_eq "$sent $received $(recv_value starved)" '0 0 0' "a region never runs out where refill entries are taken in time" ||
		tap_diag "$(cat "$work/recv.err")"
	transfer "a region that runs out" 0 0 "$bin/zcrx-send $ZCRX_GUEST6 $port -f $work/input" --backend upstream-nodev --region 256K --rq 64

	# nothing of it is the NIC's: over lo as well, and beside a receiver that has the queue
	tap_ok "zcrx-flow up" flow_up
	recv_start --once --verify --require-zerocopy=90
	"$bin/zcrx-recv" -p "$other" --backend upstream-nodev --once --verify 2>"$work/lo.err" &
	wait_for 5 listens "$other" || tap_diag "$(cat "$work/lo.err")"
	"$bin/zcrx-send" 127.0.0.1 "$other" --pattern --bytes 4M 2>"$work/sent"
	tap_eq $? 0 "over lo, as another receiver has the queue" || tap_diag "$(cat "$work/sent")"
	wait $! || rc=$?
	tap_eq "$rc" 0 "  and every byte is right" || tap_diag "$(cat "$work/lo.err")"
	peer "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 4M"
	receiver_ends 0 "which receives its own without a copy"

	tap_fails "--require-zerocopy refuses it" 'contradicts a backend that copies' \
		"$bin/zcrx-recv" --backend upstream-nodev -p "$port" --require-zerocopy
	tap_fails "who may not gets a reason" 'ZC126 .*EPERM' \
		setpriv --bounding-set=-net_admin "$bin/zcrx-recv" --backend upstream-nodev -p "$port"
	for iface in lo eth0; do
		run timeout 5 "$bin/zcrx-recv" -p "$port" -i "$iface" -q 77 --time 0.1
		tap_fails "auto does not choose it ($iface)" '' grep -q 'took upstream-nodev' <<<"$out"
	done
	run "$bin/zcrx-recv" check --backend upstream-nodev -p "$port"
	tap_eq "$status" 0 "check: all it takes is there" || tap_diag "$out"
	tap_eq "$(sed -n -E 's/^([a-z]+) +(zero copy|capability|interface) .*/\1 \2/p' <<<"$out" | xargs)" \
		"ok zero copy ok capability" "check: and no interface is asked for"
}

# By rules that say which connection goes where, then by the RSS context of zcrx-flow
guest_several() {
	guest_queues 1-3 1 2 3
	unsteer
	guest_spread_rss
}

recv_refused() { # CODE TITLE
	local rc=0

	timeout 10 "$bin/zcrx-recv" -i eth0 -q "$queue" -p "$port" --once >"$work/recv.json" 2>"$work/recv.err" || rc=$?
	tap_ok "$2: status 3, $1" sh -c "test $rc = 3 && grep -q $1 $work/recv.err" || tap_diag "$(cat "$work/recv.err")"
}

# zcrx-recv check of this kernel, see check.sh: what is not ready after boot is mended, one command after
# the other, until the kernel binds the queue
guest_check() {
	local process

	finds "as it is after boot" 'ZC027 ZC108 ZC109'
	says "the backend is upstream" '^ok +zero copy .*--backend upstream'
	says "the threshold is told" 'with a threshold of [1-9]'
	mend "header/data split" ZC027 'zcrx-split eth0 on 0'
	finds "header/data split, mended" 'ZC108 ZC109'
	mend "RSS" ZC109 "ethtool -X eth0 equal $queue"
	finds "RSS, mended" ZC108
	mend "steering" ZC108 "zcrx-flow up eth0 --queue $queue --port $port"
	finds "all is well, and the queue can be bound" '' --bind
	wait_for 10 queue_free

	zcrx-split eth0 auto 0 >/dev/null
	check --bind
	tap_eq "$(codes)" ZC027 "split by the driver's choice: only the kernel can tell" || tap_diag "$(cat "$work/check.txt")"
	mend "split by the driver's choice" ZC027 'zcrx-split eth0 on 0'
	unshare -Ur zcrx-recv check -i eth0 -q "$queue" -p "$port" --json >"$work/check.json" 2>"$work/check.txt"
	tap_eq "$? $(codes)" '3 ZC012' "root of a user namespace"
	xdp-load eth0 pass generic
	mended "an XDP program" ZC100 'ip link set eth0 xdpgeneric off'

	port=9998
	recv_start
	port=9999
	finds "another receiver" ZC016
	tap_eq "$(member command ZC016)" '' "this kernel does not tell who: there is no command"
	kill "$recv_pid"
	wait "$recv_pid"
	wait_for 10 queue_free
	finds "the queue is free" ''

	xsk-bind eth0 "$queue" copy &
	process=$!
	tap_ok "an AF_XDP socket on the queue" wait_for 5 check_finds ZC102
	wait "$process"
	finds "no AF_XDP socket" ''

	devmem-bind eth0 "$queue" >"$work/devmem" 2>&1 &
	process=$!
	tap_ok "devmem TCP on the queue" wait_for 5 grep -q bound "$work/devmem" || tap_diag "$(cat "$work/devmem")"
	finds "a dma-buf is bound to the queue" ZC101
	kill "$process"
	wait "$process"
	finds "its user has ended" ''
	tap_ok "zcrx-flow down" zcrx-flow down eth0 --quiet
}

queue_free() { check; ! codes | grep -q ZC016; }
check_finds() { check; [ "$(codes)" = "$1" ]; }

# A receiver that is killed while data comes; then the queue can be bound at once, and
# is an ordinary one again in between
guest_teardown() {
	local i threshold

	threshold=$("$bin/zcrx-split" eth0 | cut -d' ' -f2)
	tap_ok "zcrx-flow up" flow_up
	for i in 1 2 3; do
		recv_start --verify
		peer_start "$bin/zcrx-send $ZCRX_GUEST $port --pattern"
		sleep 0.5
		kill -KILL "$recv_pid"
		wait "$recv_pid" 2>/dev/null
		peer_wait "$peer_id"
		# the kernel unbinds behind the receiver's back
		wait_for 10 rebound || tap_diag "$(cat "$work/recv.err")"
		tap_ok "killed, and bound again, $i" grep -q '"event":"start"' "$work/recv.json"
	done
	"$bin/zcrx-recv" -i eth0 -q "$queue" -p "$port" --once --verify --backend copy 2>"$work/recv.err" >/dev/null &
	recv_pid=$!
	wait_for 5 listening
	peer "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 8M"
	receiver_ends 0 "the queue serves an ordinary receiver"
	tap_ok "zcrx-flow down" "$top/scripts/zcrx-flow" down eth0 --quiet
	tap_eq "$("$bin/zcrx-split" eth0 on 0)" "was auto $threshold" "which leaves header/data split as it was"
}

# Bytes have begun to arrive: a line of the report says so
flowing() { grep -q '"event":"interval".*"bytes":[1-9]' "$work/recv.json"; }

start_transfer() {
	recv_start --interval 0.1 --verify
	peer_start "$bin/zcrx-send $ZCRX_GUEST $port --pattern --wait 5"
	wait_for 10 flowing || tap_diag "nothing arrives: $(cat "$work/recv.err")"
}

# A transfer of 4 MB, without a copy: the queue is free and whole
works_again() { # TITLE
	recv_start --once --verify --require-zerocopy=90
	peer "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 4M --wait 5"
	tap_eq $? 0 "$1: the next sender ends well" || tap_diag "$(cat "$peer_out")"
	receiver_ends 0 "$1: the next receiver finds the queue free"
}

# What the receiver has to live with: the interface goes and comes, rings and queues are
# set anew, the driver leaves; and with its own end while the interface is down
guest_interface() {
	local before device i

	ethtool -L eth0 combined 5
	tap_ok "zcrx-flow up" flow_up
	start_transfer
	for i in 1 2 3; do
		ip link set eth0 down
		sleep 0.1
		ip link set eth0 up
		sleep 0.4
	done
	ethtool -G eth0 rx 255
	sleep 0.3
	tap_ok "fewer queues than the receiver needs: refused" eval '! ethtool -L eth0 combined 2 2>/dev/null'
	tap_ok "more queues" ethtool -L eth0 combined 6
	before=$(wc -l <"$work/recv.json")
	tap_ok "down and up, rings and queues set: data flows again" wait_for 10 flowing_since "$before"
	kill -INT "$recv_pid"
	receiver_ends 0 "and each byte was there"

	start_transfer
	ip link set eth0 down
	kill -KILL "$recv_pid"
	wait "$recv_pid" 2>/dev/null
	ip link set eth0 up
	works_again "killed while down"

	start_transfer
	device=$(nic_address)
	echo "$device" >/sys/bus/pci/drivers/bnxt_en/unbind
	tap_ok "driver unbound: the interface is gone" test ! -e /sys/class/net/eth0
	kill -INT "$recv_pid"
	receiver_ends 0 "driver unbound: the receiver ends"
	"$top/scripts/zcrx-flow" down eth0 --quiet
	echo "$device" >/sys/bus/pci/drivers/bnxt_en/bind
	tap_ok "driver bound again" wait_for 5 test -e /sys/class/net/eth0
	ethtool -L eth0 combined 4
	ip link set eth0 mtu 4148 up
	ip addr add "$ZCRX_GUEST/24" dev eth0
	tap_ok "driver bound again: zcrx-flow up" flow_up
	works_again "driver bound again"
	tap_ok "no page pool waits for pages" wait_for 5 no_pool_detached
}

flowing_since() { # LINE
	tail -n "+$(($1 + 1))" "$work/recv.json" | grep -q '"event":"interval".*"bytes":[1-9]'
}

# A control connection and three streams
iperf_runs() { [ "$(ss -Htn state established "sport = :$1" | wc -l)" -ge 4 ]; } # PORT

# Streams both ways, while one queue is restarted over and over, and all of them whenever
# their number changes. They keep to two others: what upstream's zero copy receive puts
# into its memory an ordinary socket cannot read (EFAULT). As many queues as are just
# enough for the one that is bound the kernel refuses, one more it takes
guest_stress() {
	local end error mb=$((15 * seconds)) loops=0 n rc=0 sent restarter ids=()

	"$bin/zcrx-split" eth0 on 0 >/dev/null
	ethtool -X eth0 equal 2
	iperf_server 5201
	iperf_server 5202
	peer_limit=$((seconds + 60))
	# As long as the changes take, or longer: on a busy machine each retransmission may meet one of them.
	# It ends with some MB on their way, which do not count as received
	peer_start "iperf3 -J -c $ZCRX_GUEST -p 5201 -P 3 -b 40M -n ${mb}M"
	ids+=("$peer_id")
	peer_start "iperf3 -J -c $ZCRX_GUEST -p 5202 -P 3 -b 40M -n ${mb}M -R"
	ids+=("$peer_id")
	# how long a new connection takes meanwhile is not the point
	tap_ok "the streams run" wait_for 10 eval "iperf_runs 5201 && iperf_runs 5202"
	(while [ ! -e "$work/enough" ]; do "$bin/ifq-restart" eth0 2 10 || exit; done) >"$work/restarts" 2>&1 &
	restarter=$!
	end=$((SECONDS + seconds))
	while ((SECONDS < end && !rc)); do
		for n in 4 6 5; do
			ethtool -L eth0 combined "$n" || rc=$?
			sleep 0.4
		done
		loops=$((loops + 1))
	done
	: >"$work/enough"
	wait "$restarter" || rc=$?
	tap_eq "$rc" 0 "$((3 * loops)) changes of the number of queues, $(grep -c 'bound and unbound' "$work/restarts")0 bindings of one" ||
		tap_diag "$(tail -n 5 "$work/restarts")"
	for n in "${ids[@]}"; do
		peer_wait "$n"
		tap_eq $? 0 "iperf3 ends well" || tap_diag "$(tail -n 5 "$peer_out")"
		sent=$(awk '/"sum_received"/ { on = 1 } on && /"bytes"/ { printf "%.0f", $2; exit }' "$peer_out")
		error=$(sed -n 's/^\t"error":\t//p' "$peer_out")
		tap_ok "with $((${sent:-0} >> 20)) of $mb MB, at least half${error:+, $error}" at_least "${sent:-0}" $((mb << 19)) ||
			tap_diag "$(tail -n 60 "$peer_out")"
	done
	tap_ok "all works afterwards" ping -q -c 20 -i 0.02 "$ZCRX_PEER"
}

rebound() {
	"$bin/zcrx-recv" -i eth0 -q "$queue" -p "$port" --json --time 0.01 >"$work/recv.json" 2>"$work/recv.err" &
	recv_pid=$!
	wait_for 1 listening
	kill -INT "$recv_pid"
	wait "$recv_pid"
}

# One queue is bound and unbound, a restart each, over and over, while streams that are
# compared byte by byte come in on the others. Their windows are smaller than the rings,
# so that a guest that is short of processor time drops nothing for that. Some are
# sent again, as the driver stops the transmit queue of the same number as well, with the
# acknowledgements that are in it.
guest_restarts() {
	local discards segments again before_segments before_again said sender

	tap_ok "zcrx-flow up" flow_up
	discards=$(others_stat rx_discards)
	peer_tcp
	before_segments=$segments before_again=$again
	"$bin/zcrx-recv" -i eth0 -p "$other" --backend copy --verify --rcvbuf 64K --json >"$work/recv.json" 2>"$work/recv.err" &
	recv_pid=$!
	wait_for 5 sh -c "ss -Hltn 'sport = :$other' | grep -q ."
	peer_start "$bin/zcrx-send $ZCRX_GUEST $other --pattern -P 4"
	sender=$peer_id
	sleep 0.3
	said=$("$bin/ifq-restart" eth0 "$queue" $((restarts / 2)) 2>&1)
	tap_eq $? 0 "the queue is restarted $restarts times"
	tap_diag "$said"
	sleep 0.3
	peer_tcp
	kill -INT "$recv_pid"
	receiver_ends 0 "the streams on other queues have every byte"
	peer_wait "$sender"
	tap_ok "and there are many: $(recv_value bytes)" at_least "$(recv_value bytes)" $((4 << 20))
	tap_eq "$(others_stat rx_discards)" "$discards" "the NIC dropped nothing on the other queues"
	again=$((again - before_again)) segments=$((segments - before_segments))
	tap_ok "$again of $segments segments were sent again, at most 3 %" \
		test "$segments" -gt 0 -a $((again * 100)) -le $((3 * segments))
}

main() {
	local cpus dma

	vm_kernel=$upstream
	vm_limit=$limit
	need_kernel "$vm_kernel"
	make_work
	head -c "$size" /dev/urandom >"$work/input"
	for cpus in 1 2; do
		rm -f "$work/enough"
		vm "$cpus CPU" probe --cpus $cpus -- $cpus
		rm -f "$work/output" "$work/frags"
		dma=()
		[ $cpus -ne 1 ] || dma=(--dma-trace "$work/dma")
		vm "$cpus CPU, receive" receive --cpus $cpus --mtu 4148 ${dma[@]+"${dma[@]}"}
		tap_eq "$(sha256sum <"$work/output")" "$(sha256sum <"$work/input")" "$cpus CPU, receive: sha256"
		[ $cpus -ne 1 ] || check_dma "$cpus CPU, receive"
		vm "$cpus CPU, restarts" restarts --cpus $cpus --mtu 4148
		if [ $cpus -gt 1 ] || [ -n "${ZCRX_TEST_SECONDS:-}" ]; then
			vm "$cpus CPU, stress" stress --cpus $cpus --mtu 4148 --queues 6
		fi
	done
	make_inputs 2000{1,2,3,9} 2001{1,2,3}
	vm "three queues" several --cpus 2 --mtu 4148
	vm "queues' ends" ends --cpus 2 --mtu 4148 --queues 6
	# payload in memory of another queue upstream's receive refuses
	vm "queues crossed" crossed --mtu 4148 -- ZC042
	vm "without a device" nodev --mtu 4148
	vm "areas" areas --mtu 4148
	vm "check" check --mtu 4148
	vm "a small region" exhausted --mtu 4148
	vm "teardown" teardown --mtu 4148
	vm "interface" interface --cpus 2 --mtu 4148 --queues 6
}

e2e_main "$@"
