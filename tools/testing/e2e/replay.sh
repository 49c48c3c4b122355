#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
# alone
#
# Captures: what one guest got is written to a file, and played to another one, which
# gets the same; as fast as it takes frames, many times over, and at the recorded pace

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

ctl() { "$bin/bnxt-emu" ctl "$@"; }
count=300

# Datagrams that nobody here listens for, as the stack counts them
udp_no_port() { awk '$1 == "Udp:" && $2 ~ /^[0-9]/ { print $3 }' /proc/net/snmp; }
stat_sum() { ethtool -S eth0 | awk -v n="$1" '{ sub(/^.*\]: /, ""); sub(/^ */, "") } $1 == n ":" { s += $2 } END { printf "%.0f\n", s }'; }

# Two files: many datagrams at once, and a few with pauses between them
guest_record() {
	local before

	ctl pcap on "$work/many.pcapng"
	before=$(udp_no_port)
	peer "head -c $((count * 1000)) $work/input >$work/sent; for ((i = 0; i < $count; i++)); do
		dd if=$work/sent bs=1000 skip=\$i count=1 status=none >/dev/udp/$ZCRX_GUEST/7000; done"
	tap_eq "$(($(udp_no_port) - before))" $count "$count datagrams come in"
	tap_ok "pcap off" ctl pcap off
	tap_ok "pcap on another file" ctl pcap on "$work/slow.pcapng"
	peer "for i in 1 2 3 4 5 6; do echo \$i >/dev/udp/$ZCRX_GUEST/7000; sleep 0.2; done"
	tap_ok "pcap off" ctl pcap off
}

replay_ends() { ctl replay | grep -q ^stopped; }

guest_many() {
	local before frames

	before=$(udp_no_port)
	tap_ok "replay start" ctl replay start
	tap_ok "it ends" wait_for 20 replay_ends
	tap_diag "$(ctl replay)"
	tap_eq "$(($(udp_no_port) - before))" $((count * 50)) "50 times the same datagrams"
	frames=$(ctl stats | awk '$1 == "backend_rx_frames" { print $2 }')
	tap_eq "$(ctl stats | awk '$1 == "rx_total_frames" { print $2 }')" "$frames" "the device got every frame"
	sleep 1.2
	tap_eq "$(stat_sum rx_discards)" 0 "none was dropped for want of a buffer"
	tap_eq "$(stat_sum rx_l4_csum_errors)" 0 "none has a wrong checksum"
	# again, to see what is in them
	timeout 10 nc -u -l -w 2 7000 >"$work/got" &
	wait_for 5 sh -c 'ss -Hlun sport = :7000 | grep -q .'
	ctl replay start
	sleep 0.5
	ctl replay stop
	wait
	tap_eq "$(head -c 1000 "$work/got" | sha256sum)" "$(head -c 1000 "$work/sent" | sha256sum)" "the payload is what was sent"
}

guest_slow() {
	local before took

	before=$(udp_no_port)
	took=$(date +%s%N)
	ctl replay start
	wait_for 20 replay_ends
	took=$((($(date +%s%N) - took) / 1000000))
	tap_eq "$(($(udp_no_port) - before))" 6 "all datagrams"
	tap_ok "took $took ms, as long as when it was recorded" test $took -ge 900 -a $took -lt 4000
	tap_fails "what is not there is refused" "start or stop" ctl replay backwards
}

# Bad files and options: what is wrong, and what to do
bad_input() {
	local emu=("$bin/bnxt-emu" --socket "$work/nic")

	head -c 1000 "$work/input" >"$work/noise"
	head -c 100 "$work/many.pcapng" >"$work/short.pcapng"
	tap_fails "no capture" "give a pcap or pcapng" "${emu[@]}" --replay "$work/noise"
	tap_fails "no file" "No such file" "${emu[@]}" --replay "$work/nothing"
	tap_fails "no speed" "fast or recorded" "${emu[@]}" --replay "$work/many.pcapng,speed=slow"
	tap_fails "no key" "speed=, loop=, dir=, start=" "${emu[@]}" --replay "$work/many.pcapng,often=1"
	tap_fails "two back ends" "one of" "${emu[@]}" --replay "$work/many.pcapng" --tap tap0
}

main() {
	need_kernel "$stock"
	make_work
	head -c 400000 /dev/urandom >"$work/input"
	vm_kernel=$stock
	vm "record" record --emu-arg --no-gso
	vm "fast" many --queues 1 --replay "$work/many.pcapng,dir=in,loop=50,start=ctl"
	vm "recorded" slow --replay "$work/slow.pcapng,dir=in,speed=recorded,start=ctl"
	bad_input
}

e2e_main "$@"
