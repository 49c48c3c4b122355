#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 1200
# alone
#
# Faults of the wire, the device and its firmware: transfers end and their bytes are
# right, each injected fault is counted by whoever has to notice it, the driver gets
# over all of them. ZCRX_TEST_SECONDS is how long each of six iperf3 runs (default: 1)

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

seconds=${ZCRX_TEST_SECONDS:-1}
peer_limit=$((seconds + 70))

ctl() { "$bin/bnxt-emu" ctl "$@"; }

# The emulator's counters now, and what one of them grew by since snapshot NAME
snapshot() { ctl stats >"$work/stats.$1"; }
value() { awk -v n="$2" '$1 == n { print $2 }' "$work/stats.$1"; }
grown() { echo $(($(value after "$1") - $(value before "$1"))); }

# Counters of the guest, and those of /proc/net files of guest or peer
stat_sum() { ethtool -S eth0 | awk -v n="$1" '{ sub(/^.*\]: /, ""); sub(/^ */, "") } $1 == n ":" { s += $2 } END { printf "%.0f\n", s }'; }
proto() { # FILE PROTOCOL COUNTER
	awk -v p="$2:" -v n="$3" '$1 == p && !at { for (i = 2; i <= NF; i++) if ($i == n) at = i; next }
		$1 == p { print $at; exit }' "$1"
}
peer_proto() { # FILE PROTOCOL COUNTER
	peer "cat $1" && proto "$peer_out" "$2" "$3"
}

# becomes TEXT WANT COMMAND...: its output is WANT, if not now then within 3 s, in which
# the device writes its counters to the driver
becomes() {
	local text=$1 want=$2 got='' i

	shift 2
	for ((i = 0; i < 30; i++)); do
		# no subshell: in one, peer() would lose count of its commands
		"$@" >"$work/got"
		got=$(<"$work/got")
		[ "$got" != "$want" ] || break
		sleep 0.1
	done
	tap_eq "$got" "$want" "$text: $want"
}

# As many as there were before and N more
plus() { echo $(($1 + $2)); }

# Transfers in both directions
transfers() { # TITLE
	iperf_peer "timeout $((seconds + 60)) iperf3 -c $ZCRX_GUEST -t $seconds"
	tap_eq $? 0 "$1: iperf3 to the guest ends, $(rate)" || tap_diag "$(cat "$peer_out")"
	iperf_peer "timeout $((seconds + 60)) iperf3 -c $ZCRX_GUEST -t $seconds -R"
	tap_eq $? 0 "$1: iperf3 from the guest ends, $(rate)" || tap_diag "$(cat "$peer_out")"
	file_to_guest "$1"
	file_from_guest "$1"
}

rate() { awk '/receiver/ { print $(NF - 2), $(NF - 1); exit }' "$peer_out"; }

# wire_case TITLE LIST: the transfers with these faults on; counters before and after
# in snapshots, and frames add up
wire_case() {
	local line

	tap_ok "$1: fault set $2" ctl fault set "$2"
	snapshot before
	transfers "$1"
	sleep 0.2
	snapshot after
	ctl faults >"$work/faults"
	tap_ok "$1: fault clear" ctl fault clear
	while read -r line; do
		tap_diag "$line"
	done <"$work/faults"
	tap_eq "$(grown rx_total_frames)" \
		$(($(grown wire_rx_frames) - $(grown fault_rx_drop) + $(grown fault_rx_dup))) \
		"$1: the device got what was sent, less what was lost, and what was doubled"
	tap_eq "$(grown backend_tx_frames)" \
		$(($(grown wire_tx_frames) - $(grown fault_tx_drop) + $(grown fault_tx_dup))) \
		"$1: so did the peer"
}

guest_wire() {
	local before name bad ip_before peer_before

	iperf_server 5201
	wire_case "1 % loss" drop=1%
	tap_ok "1 % loss: frames were lost both ways" test "$(grown fault_rx_drop)" -gt 0 -a "$(grown fault_tx_drop)" -gt 0
	wire_case "reorder" reorder=1%:gap=5,dup=0.5%
	tap_ok "reorder: frames were both ways" test "$(grown fault_rx_reorder)" -gt 0 -a "$(grown fault_tx_reorder)" -gt 0

	before=$(stat_sum rx_l4_csum_errors)
	name=$(proto /proc/net/snmp Tcp InCsumErrors)
	peer_proto /proc/net/snmp Tcp InCsumErrors >"$work/got"
	peer_before=$(<"$work/got")
	ip_before=$(proto /proc/net/netstat IpExt InCsumErrors)
	wire_case "corruption" corrupt=0.5%,l4-csum=0.5%,ip-csum=0.2%:dir=rx
	bad=$(($(grown fault_rx_corrupt) + $(grown fault_rx_l4_csum)))
	tap_ok "corruption: there was some, both ways" test "$bad" -gt 0 -a "$(grown fault_tx_corrupt)" -gt 0
	becomes "corruption: rx_l4_csum_errors of the driver" "$(plus "$before" "$bad")" stat_sum rx_l4_csum_errors
	becomes "corruption: InCsumErrors of the guest's TCP" "$(plus "$name" "$bad")" proto /proc/net/snmp Tcp InCsumErrors
	becomes "corruption: InCsumErrors of the guest's IP" "$(plus "$ip_before" "$(grown fault_rx_ip_csum)")" \
		proto /proc/net/netstat IpExt InCsumErrors
	becomes "corruption: InCsumErrors of the peer's TCP" \
		"$(plus "$peer_before" $(($(grown fault_tx_corrupt) + $(grown fault_tx_l4_csum))))" \
		peer_proto /proc/net/snmp Tcp InCsumErrors
}

# counted TITLE FAULT COUNTER: the driver's (or its NIC's) COUNTER grows by as much as
# FAULT happened, while a file gets through
counted() {
	local before

	before=$(stat_sum "$3")
	snapshot before
	ctl fault set "$2=2%:dir=rx"
	file_to_guest "$1"
	ctl fault clear
	snapshot after
	tap_ok "$1: it happened" test "$(grown "fault_rx_$2")" -gt 0
	becomes "$1: $3 of the driver" "$(plus "$before" "$(grown "fault_rx_$2")")" stat_sum "$3"
}

file_to_guest() { # TITLE
	local rc=0

	timeout 30 nc -l 7001 >"$work/to-guest" &
	peer "until timeout 30 nc -N $ZCRX_GUEST 7001 <$work/input; do sleep 0.05; done"
	wait $! || rc=$?
	tap_eq "$rc $(sha256sum <"$work/to-guest")" "0 $(sha256sum <"$work/input")" "$1: a file gets through, sha256 equal"
}

file_from_guest() { # TITLE
	peer_start "timeout 30 nc -l 7002 >$work/from-guest"
	until timeout 30 nc -N "$ZCRX_PEER" 7002 <"$work/input"; do sleep 0.05; done
	peer_wait "$peer_id"
	tap_eq "$? $(sha256sum <"$work/from-guest")" "0 $(sha256sum <"$work/input")" "$1: a file gets out, sha256 equal"
}

carrier() { cat /sys/class/net/eth0/carrier; }

# A TX doorbell that is lost is made good by the next on that ring. TCP alone would wait for
# ever: it does not retransmit what is still in the ring (skb_still_in_host_queue()). So there
# are pings, with but one ring to go through.
doorbells_lost() {
	local text="late notifications, lost doorbells" ping

	ping -q -i 0.2 "$ZCRX_PEER" >/dev/null &
	ping=$!
	snapshot before
	# each is a wait for the next ping: a number of them that can be waited for
	ctl fault set late=20%,doorbell=10%:count=15
	file_to_guest "$text"
	ctl fault set late=20%,doorbell=10%:count=15
	file_from_guest "$text"
	ctl fault clear
	snapshot after
	kill $ping
	wait $ping
	tap_ok "$text: there were some" test "$(grown fault_rx_late)" -gt 0 -a \
		"$(grown fault_rx_doorbell)" -gt 0 -a "$(grown fault_tx_doorbell)" -gt 0
}

guest_device() {
	local i

	counted "CRC errors" crc rx_fcs_err_frames
	counted "buffer errors" buffer rx_buf_errors
	counted "no buffers" starve rx_discards
	# on one queue, so that all packets go where a doorbell was lost or the ring failed
	ethtool -L eth0 combined 1
	becomes "one queue: carrier" 1 carrier
	doorbells_lost

	ctl link down
	becomes "cable out: carrier" 0 carrier
	ctl link up
	becomes "cable in: carrier" 1 carrier

	# the ring is dead until the driver closes it
	ctl fault set dma=1:dir=rx:count=1
	ping -q -c 1 -W 1 "$ZCRX_PEER" >/dev/null
	tap_ok "RX DMA refused: a ring fails" sh -c "$bin/bnxt-emu ctl rings | grep -q 'RX of .*FAILED'"
	ip link set eth0 down
	ip link set eth0 up
	tap_ok "RX DMA refused: down and up mends it" ping -q -c 5 -i 0.2 -W 5 "$ZCRX_PEER"

	ctl fault set dma=1:dir=tx:count=1
	ping -q -c 1 -W 1 "$ZCRX_PEER" >/dev/null
	tap_ok "TX DMA refused: a ring fails" sh -c "$bin/bnxt-emu ctl rings | grep -q 'TX of .*FAILED'"
	# the watchdog looks at queues that are stopped because they are full; one socket a
	# packet, since a socket may not have as many on their way
	for ((i = 0; i < 400; i++)); do
		echo >"/dev/udp/$ZCRX_PEER/9"
	done
	tap_ok "TX DMA refused: the watchdog notices" wait_for 15 sh -c 'dmesg | grep -q "NETDEV WATCHDOG"'
	tap_ok "TX DMA refused: the driver resets the device, traffic goes on" \
		wait_for 10 ping -q -c 1 -W 1 "$ZCRX_PEER"
}

# One firmware fault, at the next open: TITLE FAULT PATTERN_IN_LOG. The open fails, the next works
open_fails() {
	ip link set eth0 down
	dmesg -C
	ctl fault set "$2"
	tap_fails "$1: open fails" "" ip link set eth0 up
	tap_ok "$1: and why is in the log" sh -c "dmesg | grep -qE '$3'" || tap_diag "$(dmesg | tail -n 5)"
	tap_eq "$(ctl rings | wc -l)" 0 "$1: no ring is left"
	tap_ok "$1: the next open works" ip link set eth0 up
	tap_ok "$1: traffic then" ping -q -c 2 -i 0.1 -W 5 "$ZCRX_PEER"
}

guest_firmware() {
	local cmd pci=/sys/bus/pci/drivers/bnxt_en dev

	for cmd in STAT_CTX_ALLOC RING_ALLOC VNIC_ALLOC VNIC_RSS_COS_LB_CTX_ALLOC VNIC_CFG VNIC_RSS_CFG CFA_L2_FILTER_ALLOC; do
		open_fails "$cmd refused" "hwrm-fail=$cmd:count=1:error=resource" 'error 0x4'
	done
	open_fails "the 13th RING_ALLOC refused" hwrm-fail=RING_ALLOC:count=1:after=12 'error 0x1$'
	open_fails "VNIC_CFG lost" hwrm-timeout=VNIC_CFG:count=1 'Error \(timeout: [0-9]+\) msg \{0x42'
	open_fails "VNIC_ALLOC answered with another number" hwrm-bad=VNIC_ALLOC:count=1 'out of seq'
	open_fails "VNIC_RSS_CFG never valid" hwrm-bad=VNIC_RSS_CFG:how=valid:count=1 'v:0'

	dev=$(nic_address)
	for cmd in hwrm-fail=FUNC_QCAPS hwrm-bad=FUNC_RESOURCE_QCAPS:how=zeros hwrm-fail=FUNC_DRV_RGTR:error=denied; do
		echo "$dev" >$pci/unbind
		ctl fault set "$cmd:count=1"
		tap_fails "$cmd: probe fails" "" sh -c "echo $dev >$pci/bind"
		tap_ok "$cmd: the next probe works" sh -c "echo $dev >$pci/bind"
	done
	ip link set eth0 up
	ip addr add "$ZCRX_GUEST/24" dev eth0
	tap_ok "traffic then" ping -q -c 3 -i 0.2 -W 5 "$ZCRX_PEER"
	tap_eq "$(ctl faults | grep -c ': on')" 0 "no fault is left" || tap_diag "$(ctl faults)"
}

# The kernel's zero copy receive on a bad wire: TITLE FAULTS
zero_copy_case() {
	local rc=0

	ctl fault set "$2"
	snapshot before
	recv_start --verify --once
	peer "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 24M"
	tap_eq $? 0 "$1: the sender ends well" || tap_diag "$(cat "$peer_out")"
	wait "$recv_pid" || rc=$?
	snapshot after
	ctl fault clear
	tap_eq $rc 0 "$1: the receiver finds the pattern" || tap_diag "$(cat "$work/recv.err")"
	tap_eq "$(recv_value bytes)" $((24 << 20)) "$1: all bytes"
	tap_ok "$1: $(recv_value zero_copy_percent) % without a copy, at least 50" \
		at_least "$(recv_value zero_copy_percent)" 50
}

guest_zero_copy() {
	tap_ok "zcrx-flow up" flow_up
	zero_copy_case "loss" drop=1%
	tap_ok "loss: there was some" test "$(grown fault_rx_drop)" -gt 0
	zero_copy_case "reorder" reorder=2%:gap=4,dup=1%
	tap_ok "reorder: there was some" test "$(grown fault_rx_reorder)" -gt 0
	zero_copy_case "corruption" corrupt=1%,crc=0.5%,buffer=0.5%
	tap_ok "corruption: there was some" test "$(grown fault_rx_corrupt)" -gt 0 -a "$(grown fault_rx_buffer)" -gt 0
}

main() {
	need_kernel "$stock"
	need_kernel "$kernel"
	make_work
	head -c 4000000 /dev/urandom >"$work/input"
	vm_kernel=$stock
	vm_limit=$((seconds * 6 + 120))
	vm "wire" wire
	vm_limit=
	vm "device" device --allow-log 'NETDEV WATCHDOG'
	vm "firmware" firmware --allow-log 'Error \(timeout'
	vm_kernel=$kernel
	vm "zero copy" zero_copy --mtu 4148
}

e2e_main "$@"
