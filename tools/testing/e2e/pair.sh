#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
# alone
#
# A cable between two emulated NICs: two of one guest, each in a network namespace of
# its own, then one each of two guests

# shellcheck source=lib.sh disable=SC2317,SC2086,SC2016 # functions are called by name
. "$(dirname "$0")/lib.sh"

ctl() { "$bin/bnxt-emu" ctl "$@"; }
counter() { ctl "$1" stats | awk -v n="$2" '$1 == n { print $2 }'; }
far() { ip netns exec peer "$@"; }
rate() { awk '/receiver/ { print $(NF - 2), $(NF - 1); exit }' <<<"$out"; }

# file FROM TO ADDRESS_OF_TO: "near" or "far" ends
file() {
	local rc=0 to=() from=()

	[ "$1" = near ] || from=(ip netns exec peer)
	[ "$2" = near ] || to=(ip netns exec peer)
	"${to[@]}" timeout 30 nc -l 7001 >"$work/output" &
	until "${from[@]}" timeout 30 nc -N "$3" 7001 <"$work/input"; do sleep 0.05; done
	wait $! || rc=$?
	tap_eq "$rc $(sha256sum <"$work/output")" "0 $(sha256sum <"$work/input")" "a file from the $1 end to the $2, sha256 equal"
}

guest_two_nics() {
	local frames bytes end

	tap_ok "ping, IPv4" ping -q -c 10 -i 0.02 "$ZCRX_PEER"
	tap_ok "ping, IPv6" ping -q -c 10 -i 0.02 "$ZCRX_PEER6"
	iperf_server 5201 far
	run iperf3 -c "$ZCRX_PEER" -t 1
	tap_eq $status 0 "iperf3 one way, $(rate)" || tap_diag "$out"
	run iperf3 -c "$ZCRX_PEER" -t 1 -R
	tap_eq $status 0 "iperf3 the other way, $(rate)" || tap_diag "$out"
	run iperf3 -c "$ZCRX_PEER6" -t 1 -P 4 --bidir
	tap_eq $status 0 "iperf3 both ways at once, IPv6" || tap_diag "$out"
	for end in "$ZCRX_EMU_CTL" "$ZCRX_EMU_CTL1"; do
		frames=$(counter "$end" backend_tx_frames) bytes=$(counter "$end" backend_tx_bytes)
		tap_ok "large frames pass whole: $((bytes / frames)) bytes on average" test $((bytes / frames)) -gt 3000
		tap_eq "$(counter "$end" backend_tx_lost)" 0 "the cable lost nothing"
	done
	file near far "$ZCRX_PEER"
	file far near "$ZCRX_GUEST"

	ctl "$ZCRX_EMU_CTL" fault set drop=1%,corrupt=0.5%
	ctl "$ZCRX_EMU_CTL1" fault set reorder=1%
	file near far "$ZCRX_PEER"
	file far near "$ZCRX_GUEST"
	tap_ok "with loss, disorder and corruption on the cable" test "$(counter "$ZCRX_EMU_CTL" fault_rx_drop)" -gt 0 -a \
		"$(counter "$ZCRX_EMU_CTL" fault_tx_corrupt)" -gt 0 -a "$(counter "$ZCRX_EMU_CTL1" fault_rx_reorder)" -gt 0
	ctl "$ZCRX_EMU_CTL" fault clear
	ctl "$ZCRX_EMU_CTL1" fault clear

	ctl "$ZCRX_EMU_CTL" fault set rate=50M
	run iperf3 -c "$ZCRX_PEER" -t 1 -f k
	tap_ok "a cable of 50 Mbit/s: iperf3 gets $(rate)" \
		awk -v r="$(awk '/receiver/ { print $(NF - 2); exit }' <<<"$out")" 'BEGIN { exit !(r > 25000 && r < 51000) }'
	tap_eq "$(counter "$ZCRX_EMU_CTL" wire_tx_overflow)" 0 "and it loses nothing"
	ctl "$ZCRX_EMU_CTL" fault clear

	ctl "$ZCRX_EMU_CTL" link down
	tap_ok "cable out: no carrier" wait_for 3 sh -c "! grep -q 1 /sys/class/net/eth0/carrier"
	ctl "$ZCRX_EMU_CTL" link up
	tap_ok "cable in: carrier" wait_for 3 grep -q 1 /sys/class/net/eth0/carrier
	tap_ok "traffic then" ping -q -c 3 -i 0.2 -W 5 "$ZCRX_PEER"
}

guest_zero_copy() {
	tap_ok "zcrx-flow up" flow_up
	recv_start --verify --once
	run far "$bin/zcrx-send" "$ZCRX_GUEST" "$port" --pattern --bytes 64M
	tap_eq $status 0 "the sender ends well" || tap_diag "$out"
	receiver_ends 0 "the receiver finds the pattern"
	tap_ok "$(recv_value zero_copy_percent) % without a copy, at least 90" at_least "$(recv_value zero_copy_percent)" 90
}

# Two guests; this is the one that is looked at
guest_one_of_two() {
	local rc=0

	# it may take longer to boot
	wait_for 10 ping -q -c 1 -W 1 "$ZCRX_PEER" >/dev/null
	tap_ok "ping" ping -q -c 5 -i 0.1 -W 5 "$ZCRX_PEER"
	timeout 30 nc -l 7001 >"$work/output" &
	until timeout 30 nc -N "$ZCRX_PEER" 7001 <"$work/input"; do sleep 0.05; done
	wait $! || rc=$?
	tap_eq "$rc $(sha256sum <"$work/output")" "0 $(sha256sum <"$work/input")" "a file there and back, sha256 equal"
	: >"$work/done"
	tap_ok "the other guest leaves: no carrier" wait_for 10 sh -c "! grep -q 1 /sys/class/net/eth0/carrier"
}

# The other guest sends back what it gets
start_other() {
	(
		cd "$work" || exit
		timeout -k 5 $((60 * slow)) "$top/scripts/zcrx-vm" run --arch "$arch" --kernel "$stock" --rw "$work" --cable "$work/cable" --other-end -- sh -c \
			'nc -l 7001 >got; until nc -N $ZCRX_PEER 7001 <got; do sleep 0.05; done; while [ ! -e done ]; do sleep 0.1; done'
	) </dev/null >"$work/other.out" 2>&1 &
	other=$!
}

main() {
	local rc=0

	need_kernel "$stock"
	need_kernel "$kernel"
	make_work
	head -c 8000000 /dev/urandom >"$work/input"
	vm_kernel=$stock
	vm "two NICs" two_nics --nics 2
	start_other
	vm "two guests" one_of_two --cable "$work/cable"
	wait $other || rc=$?
	tap_eq $rc 0 "two guests: the other one ends well" || tap_diag "$(tail -n 20 "$work/other.out")"
	vm_kernel=$kernel
	vm "zero copy" zero_copy --nics 2 --mtu 4148
}

e2e_main "$@"
