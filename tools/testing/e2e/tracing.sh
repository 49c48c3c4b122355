#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# The trace events of io_uring_zc_rx: each comes when what it is about happens, and says the
# same as the receiver's own report.

# shellcheck source=lib.sh disable=SC2317 # functions are called by name
. "$(dirname "$0")/lib.sh"

trace=/sys/kernel/tracing
size=$((8 << 20))

# events NAME: their fields, one event a line
events() { sed -n "s/.*: io_zc_rx_$1: //p" "$work/trace"; }
# sum_of FIELD: of the lines of stdin
sum_of() { sed -n "s/.*\b$1=\(-\{0,1\}[0-9]*\).*/\1/p" | awk '{ n += $1 } END { print n + 0 }'; }

traced() { # COMMAND...: what it caused is in $work/trace
	echo >"$trace/trace"
	"$@"
	cat "$trace/trace" >"$work/trace"
}

transfer() {
	recv_start --once --verify
	peer "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes $size"
	wait "$recv_pid"
	tap_eq $? 0 "a transfer" || tap_diag "$(cat "$work/recv.err")"
	tap_ok "its memory comes home" wait_for 5 no_pool_detached
	# what the last pool lets go of is freed by a worker
	wait_for 5 grep -q ': io_zc_rx_free: ' "$trace/trace"
}

# One that does not read for so long that its memory fills up, as nothing comes back
transfer_stopped() {
	recv_start --once --region 16M --rcvbuf 32M
	kill -STOP "$recv_pid"
	peer "timeout -s KILL $((2 * slow)) $bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 64M --wait 5"
	kill -CONT "$recv_pid"
	wait "$recv_pid"
}

guest_tracing() {
	local event ifindex copied

	ifindex=$(cat /sys/class/net/eth0/ifindex)
	mountpoint -q "$trace" || mount -t tracefs tracefs "$trace"
	tap_ok "the events can be turned on" sh -c "echo 1 >$trace/events/io_uring_zc_rx/enable"
	echo 20000 >"$trace/buffer_size_kb"
	tap_ok "a small ring" ethtool -G eth0 rx 511
	tap_ok "zcrx-flow up" flow_up

	traced transfer
	tap_eq "$(events bind | sed 's/ nr_bufs=[0-9]*//')" "ifindex=$ifindex queue=$queue ret=0" "one binding, which went well"
	tap_eq "$(events bind | sum_of nr_bufs)" $((64 << 8)) "of 64 MB in pages of 4 KB"
	tap_eq "$(events recv | grep -v 'ret=-' | sum_of ret)" "$size" "receives announce each byte"
	tap_eq "$(events copy | sum_of len)" "$(recv_value copied_bytes)" "copies are those of the report"
	tap_eq "$(events unbind)" "ifindex=$ifindex queue=$queue" "the queue is given back"
	tap_eq "$(events free)" "ifindex=$ifindex queue=$queue" "... and freed, when all has come home"

	echo $((32 << 20)) >/proc/sys/net/core/rmem_max
	traced transfer_stopped
	tap_eq "$(events alloc_fail | sort -u)" "ifindex=$ifindex queue=$queue" "the NIC finds no free page"
	copied=$(recv_value copy_spare_bytes)
	tap_ok "pages of the kernel are copied: $copied bytes" at_least "$copied" 1
	tap_eq "$(events copy | grep why=spare | sum_of len)" "$copied" "... and by the trace"

	tap_ok "a smaller ring" ethtool -G eth0 rx 63
	traced "$bin/zc-uapi" eth0 1 >"$work/uapi"
	for event in bad_rqe cq_full; do
		tap_ok "$event: $(events "$event" | wc -l) times" test "$(events "$event" | wc -l)" -ge 1
	done
	tap_ok "a binding that is refused" grep -q 'ret=-' <(events bind)
	tap_ok "copies out of other pages" grep -q "why=foreign" <(events copy)
	tap_eq "$(events bind | grep -c 'ret=0')" "$(events unbind | wc -l)" "as many bindings as ends of them"
	tap_eq "$(find "$trace/events/io_uring_zc_rx" -mindepth 1 -maxdepth 1 -type d | wc -l)" 8 "there are no more events"
	echo 0 >"$trace/events/io_uring_zc_rx/enable"
}

main() {
	need_kernel "$kernel"
	make_work
	vm "tracing" tracing --mtu 4168
}

e2e_main "$@"
