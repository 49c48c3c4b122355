#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
# alone
#
# The unmodified driver at the limits of the data path: rings of the largest and
# smallest sizes, all interrupt vectors, tags put in and taken out by the NIC or
# not, interrupts as seldom as they are set, XDP programs

# shellcheck source=lib.sh disable=SC2317,SC2016,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

seconds=${ZCRX_TEST_SECONDS:-1}

# iperf3 both ways and one way with many streams; the peer is the client
traffic() { # TITLE [PORT-OPTION...]
	local title=$1 way

	shift
	pgrep -x iperf3 >/dev/null || iperf_server 5201
	for way in '' -R; do
		iperf_peer "iperf3 -c $ZCRX_GUEST -t $seconds $way $*"
		tap_eq $? 0 "$title: iperf3 $way" || tap_diag "$(tail -n 5 "$peer_out")"
	done
}

# ethtool -g: Pre-set maximum (1) or current (2) value of RX or TX
ring_size() { ethtool -g eth0 | awk -v what="$1:" -v nth="$2" '$1 == what && ++n == nth { print $2 }'; }

set_rings() { # RX TX
	tap_ok "ethtool -G rx $1 tx $2" ethtool -G eth0 rx "$1" tx "$2"
	tap_eq "$(ring_size RX 2) $(ring_size TX 2)" "$1 $2" "ethtool -g shows that"
	traffic "rx $1 tx $2"
}

guest_rings() {
	local rx tx

	rx=$(ring_size RX 1)
	tx=$(ring_size TX 1)
	tap_eq "$rx $tx" '2047 2047' "largest rings, with aggregation buffers"
	set_rings "$rx" "$tx"
	ethtool -G eth0 tx $((tx + 1)) 2>/dev/null
	tap_ok "one more is refused" test $? -ne 0
	# BNXT_MIN_TX_DESC_CNT: MAX_SKB_FRAGS + 2
	set_rings 64 19
	ethtool -K eth0 rx-gro-hw off
	rx=$(ring_size RX 1)
	tap_eq "$rx" 8191 "largest ring without aggregation buffers"
	set_rings "$rx" "$tx"
	set_rings 511 511
}

guest_vectors() { # QUEUES
	local n used

	tap_eq "$(ethtool -l eth0 | awk '/^Combined/ { print $2 }' | xargs)" "$1 $1" "ethtool -l: $1 queues, all in use"
	tap_eq "$(grep -c eth0-TxRx /proc/interrupts)" "$1" "each has an interrupt"
	traffic "$1 queues" -P 64
	sleep 1.1
	used=0
	for ((n = 0; n < $1; n++)); do
		[ "$(ethtool -S eth0 | sed -n "s/^ *\[$n\]: rx_ucast_packets: //p")" -gt 0 ] && used=$((used + 1))
	done
	tap_ok "64 flows came to $used of the queues" test "$used" -gt $(($1 / 2))
	used=$(awk '/eth0-TxRx/ && $2 > 0' /proc/interrupts | wc -l)
	tap_ok "and $used interrupts were raised" test "$used" -gt $(($1 / 2))
}

# Two NICs of one guest, as hosts do not always have VLANs. Whatever one end leaves to its
# NIC, the other gets the same
guest_vlan() {
	local rx tx ns="ip netns exec peer"

	tap_ok "VLAN 7 on one end" sh -c "ip link add link eth0 name eth0.7 type vlan id 7 &&
		ip addr add 198.51.100.2/24 dev eth0.7 && ip link set eth0.7 up"
	tap_ok "and on the other" $ns sh -c "ip link add link eth1 name eth1.7 type vlan id 7 &&
		ip addr add 198.51.100.1/24 dev eth1.7 && ip link set eth1.7 up"
	iperf_server 5201
	for rx in on off; do
		for tx in on off; do
			tap_ok "ethtool -K rxvlan $rx txvlan $tx" ethtool -K eth0 rxvlan $rx txvlan $tx
			tap_ok "ping" ping -q -c 5 -i 0.02 -W 5 198.51.100.1
			tap_ok "iperf3 both ways" $ns sh -c "iperf3 -c 198.51.100.2 -t 1 && iperf3 -c 198.51.100.2 -t 1 -R"
		done
	done
	tap_ok "tagged frames were received" test "$(counter rx_tagged_frames)" -gt 1000
	tap_ok "and sent" test "$(counter tx_tagged_frames)" -gt 1000
	tap_ok "ping without a tag" ping -q -c 5 -i 0.02 "$ZCRX_PEER"
}

# A counter of the emulator
counter() { "$bin/bnxt-emu" ctl stats | awk -v n="$1" '$1 == n { print $2 }'; }

interrupts() { awk '/eth0-TxRx/ { n += $2 } END { print n }' /proc/interrupts; }

# Sets $made: interrupts for small packets that come at 10000 a second, for two seconds
stream_interrupts() {
	local before

	before=$(interrupts)
	iperf_peer "iperf3 -u -c $ZCRX_GUEST -b 8M -l 100 -t 2"
	tap_eq $? 0 "a stream of small packets" || tap_diag "$(tail -n 5 "$peer_out")"
	made=$(($(interrupts) - before))
}

guest_coalesce() {
	local many

	iperf_server 5201
	ethtool -C eth0 adaptive-rx off
	tap_ok "ethtool -C rx-usecs 60 rx-frames 1" ethtool -C eth0 rx-usecs 60 rx-frames 1
	stream_interrupts
	many=$made
	tap_ok "ethtool -C rx-usecs 5000 rx-frames 500" ethtool -C eth0 rx-usecs 5000 rx-frames 500
	stream_interrupts
	tap_ok "it makes $made interrupts, not $many" test "$made" -gt 10 -a $((made * 2)) -lt "$many"
}

guest_xdp() { # PEER-INTERFACE
	local before n

	tap_ok "ping" ping -q -c 3 -i 0.1 "$ZCRX_PEER"
	tap_ok "a program that passes is attached" "$bin/xdp-load" eth0 pass
	tap_ok "ping" ping -q -c 3 -i 0.1 -W 5 "$ZCRX_PEER"
	traffic pass
	tap_ok "one that drops" "$bin/xdp-load" eth0 drop
	before=$(counter queue_rx_ucast_packets)
	# the neighbour's entry must not time out first
	peer "ip neigh replace $ZCRX_GUEST lladdr $(cat /sys/class/net/eth0/address) dev $1; ping -q -c 5 -i 0.1 -W 1 $ZCRX_GUEST"
	tap_eq $? 1 "ping from the peer gets no answer"
	tap_eq $(($(counter queue_rx_ucast_packets) - before)) 5 "but the NIC delivered it"
	tap_ok "one that sends back" "$bin/xdp-load" eth0 tx
	before=$(counter queue_tx_ucast_packets)
	peer "ping -q -c 5 -i 0.1 -W 1 $ZCRX_GUEST"
	n=$(($(counter queue_tx_ucast_packets) - before))
	tap_eq $n 5 "each packet of ping goes back"
	tap_ok "without a program" "$bin/xdp-load" eth0 off
	tap_ok "ping" ping -q -c 3 -i 0.1 -W 5 "$ZCRX_PEER"
	traffic off
}

main() {
	vm_kernel=$stock
	need_kernel "$stock"
	make_work
	vm "ring sizes" rings --mtu 1500
	vm "32 vectors" vectors --mtu 1500 --queues 32 -- 32
	vm VLAN vlan --mtu 1500 --nics 2
	vm coalescing coalesce --mtu 1500 --queues 1
	vm XDP xdp --mtu 1500 -- tap0
	vm "XDP, MTU 9000" xdp --mtu 9000 -- tap0
}

e2e_main "$@"
