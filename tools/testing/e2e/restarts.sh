#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
# long
#
# A queue is bound and unbound while the firmware refuses a command, each one of those that this
# takes, once. Whether the kernel then refuses the binding or goes on: afterwards the interface is
# up, and a receiver gets its data without a copy.

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

queue=1

ctl() { "$bin/bnxt-emu" ctl "$@" >/dev/null; }

# Commands that come at any time, and are no part of a restart
timer='PORT_QSTATS|PORT_QSTATS_EXT|PORT_PHY_QCFG'

# FILE: "COMMAND K" a line, K of the same came before it
calls_of() {
	ctl flush
	awk -v skip="^($timer)\$" '$2 == "HWRM" && $3 !~ skip { print $3, n[$3]++ + 0 }' "$1"
}

# Ends the receiver, if there is one
unbind() {
	kill -INT "$recv_pid" 2>/dev/null
	wait "$recv_pid" || true
}

bind_queue() {
	"$bin/zcrx-recv" -i eth0 -q $queue -p $port --require-zerocopy >"$work/recv.json" 2>"$work/recv.err" &
	recv_pid=$!
	wait_for 5 settled
}

# Bound, or refused
settled() { listening || ! kill -0 "$recv_pid" 2>/dev/null; }

# TITLE: the interface is up, and a receiver gets all without a copy
works() {
	local rc=0 sent=0

	if ! ip link show eth0 | grep -q '[<,]UP[,>]'; then
		tap_result 1 "$1: the interface is up"
		ip link set eth0 up
		return
	fi
	recv_start --once --verify --require-zerocopy=90
	peer "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 256K --wait 5" || sent=$?
	[ $sent -eq 0 ] || kill -INT "$recv_pid" 2>/dev/null
	wait "$recv_pid" || rc=$?
	tap_ok "$1: then a receiver works" test "$rc $sent" = "0 0" ||
		tap_diag "$(cat "$work/recv.err" "$peer_out")"
}

steer() { ethtool -N eth0 flow-type tcp4 dst-port $port action $queue; }
steered() { ethtool -n eth0 | grep -q "^Filter:"; }

# PHASE CALLS: PHASE is bind or unbind
refuse_each() {
	local cmd k n=0

	while read -r -u 3 cmd k; do
		n=$((n + 1))
		[ "$1" = bind ] || bind_queue
		ctl fault set "hwrm-fail=$cmd:count=1:after=$k"
		[ "$1" = unbind ] || bind_queue
		unbind
		wait_for 1 hit
		tap_ok "$1, $cmd $k: is refused" hit
		ctl fault clear
		steered || tap_ok "$1, $cmd $k: the driver has lost the rule, and here it is again" steer
		works "$1, $cmd $k was refused"
	done 3<"$2"
	tap_ok "$1: $n commands" at_least $n 5
}

hit() { "$bin/bnxt-emu" ctl stats | grep -q '^fault_hwrm_fail:* *[1-9]'; }

guest_faults() { # queue|whole: what restarts
	tap_ok "other traffic leaves the queue alone" ethtool -X eth0 equal $queue
	tap_ok "the flow goes to it" steer
	works "no fault"
	# the timer's commands would come in between
	ethtool -C eth0 stats-block-usecs 0

	ctl trace on "$work/bind.trace"
	bind_queue
	calls_of "$work/bind.trace" >"$work/bind"
	ctl trace on "$work/unbind.trace"
	unbind
	calls_of "$work/unbind.trace" >"$work/unbind"
	ctl trace off
	refuse_each bind "$work/bind"
	refuse_each unbind "$work/unbind"

	# neither the new rings nor the old ones; of the whole NIC the latter is an open that fails
	if [ "$1" = queue ]; then
		ctl fault set hwrm-fail=RING_ALLOC:count=2
		bind_queue
		unbind
		ctl fault clear
		works "both sets of rings were refused"
	fi

	ctl fault set hwrm-fail=RING_ALLOC
	bind_queue
	unbind
	tap_ok "all rings are refused: the reason is given" grep -q "restart" "$work/recv.err" || tap_diag "$(cat "$work/recv.err")"
	ctl fault clear
	ip link set eth0 up
	works "all rings were refused"

	ctl fault set hwrm-fail=RING_ALLOC:count=1:after=2
	tap_fails "rings of another size are refused" "old ones are back" ethtool -G eth0 rx 300
	ctl fault clear
	tap_eq "$(ethtool -g eth0 | awk '/^RX:/ { n = $2 } END { print n }')" 511 "and have the size that they had"
	works "rings of another size were refused"
}

vm_limit=300

main() {
	need_kernel "$kernel"
	make_work
	vm "one queue" faults --queues 2 --emu-arg --rfs=v3 --emu-arg --queue-restart -- queue
	vm "whole NIC" faults --queues 2 --emu-arg --rfs=v2 -- whole
}

e2e_main "$@"
