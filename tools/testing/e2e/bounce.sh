#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 120
# smp
#
# All DMA goes through bounce buffers (kernel parameter swiotlb=force), as with a device that
# does not reach all memory, or a guest whose memory is encrypted. User memory then has the data
# only if the driver hands each buffer over between device and processor (DMA-API). The region
# is bounced as well: that is told by the kernel's count of slots in use. QEMU only, as User Mode
# Linux has no bounce buffers. ZCRX_TEST_SIZE: of each transfer (default 24M)

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

arch=x86_64
size=${ZCRX_TEST_SIZE:-24M}
region=$((16 << 20))
slot=2048
output=/run/output

slots() { cat /sys/kernel/debug/swiotlb/io_tlb_used; }

# TITLE SENDER: every byte is right, also when all of the region's pages were used again
bounced() {
	local title=$1 sender=$2 before

	before=$(slots)
	recv_start --once --region "$region" --require-zerocopy=90 -o "$output"
	# the pages that the queue had are unmapped at the same time
	tap_ok "$title: the region takes $(($(slots) - before)) slots more, of $((region / slot))" \
		test $(($(slots) - before)) -ge $((7 * region / (8 * slot)))
	peer "$sender"
	tap_eq $? 0 "$title: the sender ends well" || tap_diag "$(cat "$peer_out")"
	receiver_ends 0 "$title: the receiver ends well, nine in ten without a copy"
	tap_ok "$title: every byte is right" cmp "$work/input" "$output"
	rm -f "$output"
	# pages that were pooled are unmapped when the pools are gone, up to a second later
	tap_ok "$title: and gives them back" wait_for 5 slots_back "$before"
}

slots_back() { [ "$(slots)" -lt $(($1 + region / slot / 4)) ]; }

guest_bounce() {
	tap_ok "debugfs" sh -c 'mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug'
	tap_ok "a small ring" ethtool -G eth0 rx 63
	tap_ok "zcrx-flow up" flow_up
	bounced "nc" "nc -N $ZCRX_GUEST $port <$work/input"
	bounced "zcrx-send" "$bin/zcrx-send $ZCRX_GUEST $port -f $work/input"
	tap_fails "a region for which there are too few slots: is refused in words" "ZC117 cannot bind eth0 queue $queue: .*ENOMEM" \
		"$bin/zcrx-recv" -i eth0 -q $queue -p $port --require-zerocopy --region 512M
}

main() {
	need_kernel "$kernel"
	make_work
	head -c "$size" /dev/urandom >"$work/input"
	vm "whole NIC restart" bounce --mtu 4168 --mem 2G --append swiotlb=131072,force
	vm "queue restart" bounce --mtu 4168 --mem 2G --append swiotlb=131072,force --emu-arg --rfs=v3 --emu-arg --queue-restart
}

e2e_main "$@"
