#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# Zero copy as the device sees it: every payload byte of the flow that the NIC
# writes goes into a page of the registered region, and each piece that zcrx-recv
# reports without a copy is where the NIC put that part of the stream. ZCRX_TEST_SIZE: of each
# stream (default 24M, at least 6M)

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

guest_receive() { # ADDRESS
	tap_ok "zcrx-flow up" flow_up
	# see transfer.sh: slow with 9p
	recv_start --once --require-zerocopy=90 -o /run/output --dump-frags /run/frags
	peer "nc -N $1 $port <$work/input"
	receiver_ends 0 "the receiver ends well"
	cp /run/output /run/frags "$work"
}

check() { # TITLE MTU ADDRESS
	local title=$1

	rm -f "$work/frags" "$work/dma" "$work/output"
	vm "$title" receive --mtu "$2" --dma-trace "$work/dma" -- "$3"
	check_dma "$title"
	tap_ok "$title: the region's pages are known" test "$(value pages)" -gt 0
	tap_ok "$title: the device wrote payload" test "$(value writes)" -gt 1000
	tap_eq "$(value crossing)" 0 "$title: no write crosses a page"
	tap_ok "$title: and the bytes are those that were sent" cmp "$work/input" "$work/output"
	# that this can fail: pages that are not the region's, pieces that are elsewhere
	awk '$1 == "pages" { $4 = int($4 / 64) } { print }' "$work/frags" >"$work/frags.few"
	result=$(compare_logs "$work/frags.few" "$work/dma")
	tap_ok "$title: a few of the pages would not do" test "$(value outside)" -gt 0
	awk '$1 == "frag" { $3 += 4096 } { print }' "$work/frags" >"$work/frags.moved"
	result=$(compare_logs "$work/frags.moved" "$work/dma")
	tap_ok "$title: nor another part of the stream" test "$(value stray)" -gt 1000
}

main() {
	need_kernel "$kernel"
	make_work
	head -c "${ZCRX_TEST_SIZE:-24M}" /dev/urandom >"$work/input"
	check "MTU 1500, IPv4" 1500 192.0.2.2
	check "MTU 4148, IPv4" 4148 192.0.2.2
	check "MTU 9000, IPv6" 9000 2001:db8::2
}

e2e_main "$@"
