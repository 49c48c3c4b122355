#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 400
#
# zc-uapi in the guest: what user space may do wrong with the new interface, with
# a NIC that restarts as a whole and with one that restarts a queue

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

guest_uapi() {
	local result

	# few buffers in the ring, so that the tests can use them all up
	tap_ok "a small ring" ethtool -G eth0 rx 63
	while IFS= read -r result; do
		case $result in
		'ok '*) tap_result 0 "${result#ok * - }" ;;
		'not ok '*) tap_result 1 "${result#not ok * - }" ;;
		1..*) plan=${result#1..} ;;
		*) tap_diag "$result" ;;
		esac
	done < <("$bin/zc-uapi" eth0 1 2>&1)
	tap_eq "$((tap_run - 1))" "${plan:-none}" "zc-uapi ran to its end"
}

# refused TITLE WORDS [RECEIVER_OPTION...]: a registration, by the receiver's message
refused() {
	tap_fails "$1: is refused in words" "$2" \
		timeout $((10 * slow)) "$bin/zcrx-recv" -p $port --require-zerocopy -q 0 "${@:3}"
}

# Interfaces that zero copy receive does not go with
guest_others() {
	local sim

	tap_ok "a simulated device" sh -c 'echo "1 1" >/sys/bus/netdevsim/new_device'
	sim=$(ls /sys/bus/netdevsim/devices/netdevsim1/net)
	refused "a parent without DMA" "virtual interface" -i "$sim"
	if [ "$arch" = um ]; then
		refused "a driver that has it not" "driver has no zero copy receive" -i vec0
		refused "an interrupt that stays where it is" "cannot move interrupt [0-9]+ to CPU 0" -i eth0 --cpu 0
	fi

	tap_ok "header/data split off" "$bin/zcrx-split" eth0 off
	refused "split is off" "header/data split is off: ethtool -G" -i eth0

	tap_ok "a bond" sh -c 'ip link add above type bond && ip link set eth0 down &&
		ip link set eth0 master above && ip link set above up'
	tap_ok "an XDP program of the bond's" "$bin/xdp-load" above pass
	refused "a program of the bond's" "an XDP program is attached to a device above" -i eth0
	tap_ok "without it" "$bin/xdp-load" above off
	refused "a bond" "virtual interface" -i above
	tap_ok "no bond" ip link del above
	tap_ok "header/data split auto" "$bin/zcrx-split" eth0 auto
	tap_fails "a threshold out of range: is refused in words" "exceeds the maximum of 1023" \
		"$bin/zcrx-split" eth0 on 5000
	tap_ok "a threshold alone" "$bin/hds-thresh" eth0 300
	tap_eq "$("$bin/zcrx-split" eth0 | cut -d ' ' -f 2)" 300 "is set"
	tap_fails "a driver without a threshold: is refused in words" \
		"setting the threshold of header/data split is not supported" "$bin/hds-thresh" "$sim" 300
}

# A bond hands its program down to the NIC
guest_bond() {
	recv_start --require-zerocopy
	tap_ok "a bond with a bound queue" sh -c 'ip link add above type bond && ip link set eth0 down &&
		ip link set eth0 master above && ip link set above up'
	tap_fails "a program of the bond's: is refused in words" "memory provider" "$bin/xdp-load" above pass
	tap_ok "the queue is still bound" kill -INT "$recv_pid"
	wait "$recv_pid"
	tap_ok "then a program" "$bin/xdp-load" above pass
	tap_ok "and none" "$bin/xdp-load" above off
}

# A function with fewer receive rings than its queues want, who take two each when headers are split
guest_few_rings() {
	tap_ok "no aggregation, so one ring a queue" ethtool -K eth0 rx-gro-hw off
	tap_ok "more queues" ethtool -L eth0 combined 4
	refused "6 rings for 4 queues" "too few hardware rings for header split: ethtool -L" -i eth0
	tap_fails "split on: is refused in words" "too few hardware rings for header split: ethtool -L" \
		"$bin/zcrx-split" eth0 on
	tap_ok "less queues" ethtool -L eth0 combined 3
	queue=0
	recv_start --require-zerocopy
	tap_ok "6 rings for 3 queues: bound" listening
	kill -INT "$recv_pid"
	wait "$recv_pid"
}

guest_one_ring() {
	refused "one ring" "too few hardware rings for header split" -i eth0
}

main() {
	need_kernel "$kernel"
	make_work
	vm "whole NIC restart" uapi --emu-arg --rfs=v2
	vm "queue restart" uapi --emu-arg --rfs=v3 --emu-arg --queue-restart
	# an interface that is never up: it needs nothing at its other end
	vm "other interfaces" others --append vec0:transport=raw,ifname=none,depth=16
	vm "bond" bond
	vm "few rings" few_rings --emu-arg --rx-rings=6
	vm "one ring" one_ring --emu-arg --rx-rings=1
}

e2e_main "$@"
