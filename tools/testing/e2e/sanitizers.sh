#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 400
#
# The emulator with sanitizers through the whole life of a guest: probe, traffic, settings,
# faults, firmware that fails, captures, the driver unbound and bound, power off. No
# sanitizer speaks, and nothing is left allocated. ZCRX_TEST_SECONDS: length of each iperf3 (2)

# shellcheck source=lib.sh disable=SC2317,SC2086,SC2016 # functions are called by name
. "$(dirname "$0")/lib.sh"

seconds=${ZCRX_TEST_SECONDS:-2}

ctl() { "$bin/bnxt-emu" ctl "$@"; }

traffic() { # TITLE [IPERF3-OPTION...]
	local title=$1

	shift
	iperf_peer "iperf3 -c $ZCRX_GUEST -t $seconds $*"
	tap_eq $? 0 "iperf3, $title" || tap_diag "$(tail -n 5 "$peer_out")"
}

settings() {
	ethtool -L eth0 combined 2 && ethtool -X eth0 weight 1 3 && ethtool -G eth0 rx 255 tx 127 &&
		ethtool -C eth0 rx-usecs 100 && ethtool -K eth0 tso off lro on rx-gro-hw off &&
		ethtool -N eth0 flow-type tcp4 dst-port 5201 action 1 && ip link set eth0 mtu 4148 &&
		ethtool -d eth0 >/dev/null && ethtool -m eth0 >/dev/null
}

answers() { ping -q -c 1 -W 1 "$ZCRX_PEER" >/dev/null; }

guest_life() {
	local device

	iperf_server 5201
	traffic "to the guest"
	traffic "from the guest" -R
	traffic "datagrams" -u -b 100M -l 1000
	ctl fault set drop=0.5%,dup=1%,reorder=1%,delay=1%,corrupt=0.5% >/dev/null
	traffic "on a bad wire"
	traffic "on a bad wire, from the guest" -R
	ctl fault clear >/dev/null
	tap_ok "ethtool and ip settings" settings
	traffic "with them"
	tap_ok "ethtool -t online" ethtool -t eth0 online
	tap_ok "ethtool -t offline: both loopbacks" loopbacks
	tap_ok "the firmware fails" ctl fw-error fatal
	sleep 2
	tap_ok "the driver gets over it" wait_for 20 answers
	device=$(nic_address)
	echo "$device" >/sys/bus/pci/drivers/bnxt_en/unbind
	echo "$device" >/sys/bus/pci/drivers/bnxt_en/bind
	tap_ok "unbound and bound" wait_for 5 test -e /sys/class/net/eth0
	ip addr add "$ZCRX_GUEST/24" dev eth0
	ip link set eth0 up
	tap_ok "it works again" wait_for 10 answers
	tap_ok "stats, rings, vnics, filters" sh -c "for what in stats 'stats json' rings vnics filters; do
		'$bin/bnxt-emu' ctl \$what || exit; done"
	# what is open at the end has to be closed
	iperf3 -c "$ZCRX_PEER" -t 1 >/dev/null 2>&1 &
}

# A report goes to a file of its own, FILE.PID
reports() { cat "$work"/asan.* 2>/dev/null; }

main() {
	vm_kernel=$stock
	vm_limit=300
	need_kernel "$stock"
	make_work
	if ! run make -s -C "$top/tools/bnxt-emu" VARIANT=asan; then
		echo "Bail out! bnxt-emu does not build with sanitizers"
		tap_diag "$out"
		exit 1
	fi
	export ZCRX_EMU=$top/build/asan/bnxt-emu
	export ASAN_OPTIONS=log_path=$work/asan:detect_leaks=1
	export UBSAN_OPTIONS=log_path=$work/asan:print_stacktrace=1
	vm "a guest's life" life --mtu 1500 --trace "$work/trace" --pcap "$work/pcap" \
		--dma-trace "$work/dma" --emu-arg --record="$work/record"
	# other ends than a TAP
	vm "two NICs" pair --nics 2
	vm "a replay" replayed --replay "$work/pcap,loop=2"
	tap_eq "$(reports | grep -E 'SUMMARY|runtime error')" "" "no sanitizer spoke" || tap_diag "$(reports | head -n 60)"
}

guest_pair() {
	iperf_server 5201 ip netns exec peer
	tap_ok "iperf3 over the cable" iperf3 -c "$ZCRX_PEER" -t "$seconds"
	tap_ok "and back" iperf3 -c "$ZCRX_PEER" -t "$seconds" -R
}

replay_ends() { ctl replay | grep -q ^stopped; }

guest_replayed() {
	tap_ok "frames arrive" wait_for 10 sh -c '[ "$(cat /sys/class/net/eth0/statistics/rx_packets)" -gt 1000 ]'
	# a guest that has its one processor full of them may not come to power off in time. Some that
	# are not for it, the first guest's own, are no end: of these it sees nothing for a while
	tap_ok "and end" wait_for 60 replay_ends || tap_diag "$(ctl replay)"
}

e2e_main "$@"
