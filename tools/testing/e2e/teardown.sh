#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
#
# Things that end in the middle of a transfer: receiver, sender, interface,
# driver. After each the queue must work at once, and nothing may be left: no
# page pool with pages out, no locked memory, no memory gone.

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

endless="$bin/zcrx-send \$ZCRX_GUEST $port --pattern --wait 5"

# A short transfer: the queue is free, and receives without a copy
works_again() { # TITLE
	recv_start --once --verify --require-zerocopy=90
	peer "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 4M --wait 5"
	tap_eq $? 0 "$1: the next sender ends well" || tap_diag "$(cat "$peer_out")"
	kill_after 20
	receiver_ends 0 "$1: the next receiver finds the queue free"
}

# So that a test ends when the receiver does not
kill_after() { (sleep $(($1 * slow)); kill -KILL "$recv_pid" 2>/dev/null) & }

nothing_left() { # TITLE
	tap_ok "$1: no page pool waits for pages" wait_for 5 no_pool_detached
}

# Bytes have begun to arrive: a line of the report says so
flowing() { grep -q '"event":"interval".*"bytes":[1-9]' "$work/recv.json"; }

flowing_since() { # LINES that the report had
	tail -n +$(($1 + 1)) "$work/recv.json" | grep -q '"event":"interval".*"bytes":[1-9]'
}

start_transfer() { # RECEIVER_OPTION...
	recv_start --interval 0.1 "$@"
	peer_start "$endless"
	wait_for 10 flowing || tap_diag "nothing arrives: $(cat "$work/recv.err")"
}

guest_receiver_killed() {
	local i before

	flow_up
	works_again "first"
	before=$(available)
	for i in 1 2 3 4 5 6; do
		start_transfer --verify
		# stopped, with data under way in all places, or running
		[ $((i % 2)) -eq 0 ] || { kill -STOP "$recv_pid"; sleep 0.3; }
		kill -KILL "$recv_pid"
		wait "$recv_pid" 2>/dev/null
		works_again "killed, $i"
	done
	nothing_left "killed"
	tap_ok "killed: $(((before - $(available)) / 1024)) MB are gone, 6 regions have 384" \
		test $((before - $(available))) -lt 40000
	tap_ok "killed: zcrx-flow down" "$top/scripts/zcrx-flow" down eth0
}

guest_sender_killed() {
	local rc=0

	flow_up
	recv_start --once --verify
	peer "timeout -s KILL 0.7 $endless"
	kill_after 20
	wait "$recv_pid" || rc=$?
	tap_ok "sender killed: the receiver ends: $rc" test $rc -le 1
	tap_ok "sender killed: with a report" test "$(recv_value bytes)" -gt 0
	works_again "sender killed"
	nothing_left "sender killed"
}

# Start a receiver with MIB of memory to lock and no right to lock more
recv_limited() { # MIB OPTION...
	prlimit --memlock=$(($1 << 20)):$(($1 << 20)) setpriv --bounding-set=-ipc_lock \
		"$bin/zcrx-recv" -i eth0 -q $queue -p $port --require-zerocopy=0 --region 64M "${@:2}" \
		>"$work/recv.json" 2>"$work/recv.err" &
	recv_pid=$!
}

# The memory of one that was killed comes back when the last packet in flight has
# let go of it, not at once
recv_limited_soon() {
	local i

	for i in 1 2 3 4 5 6 7 8 9 10; do
		recv_limited "$@"
		wait_for 1 listening && return
		wait "$recv_pid"
		sleep 0.2
	done
	return 1
}

guest_locked_memory() {
	local i rc=0

	flow_up
	for i in 1 2 3; do
		recv_limited_soon 80 --json --interval 0.1
		tap_result $? "locked memory: registered, $i" || tap_diag "$(cat "$work/recv.err")"
		peer_start "$endless"
		wait_for 10 flowing
		kill -KILL "$recv_pid"
		wait "$recv_pid" 2>/dev/null
	done
	recv_limited 32
	wait "$recv_pid" || rc=$?
	tap_eq $rc 3 "locked memory: more than the limit is refused"
	tap_ok "locked memory: and said so" grep -qi 'memlock\|ulimit -l\|locked' "$work/recv.err" ||
		tap_diag "$(cat "$work/recv.err")"
	rc=0
	setpriv --bounding-set=-net_admin "$bin/zcrx-recv" -i eth0 -q $queue -p $port --require-zerocopy \
		2>"$work/recv.err" || rc=$?
	tap_eq $rc 3 "without CAP_NET_ADMIN: refused"
	tap_ok "without CAP_NET_ADMIN: and said so" grep -q CAP_NET_ADMIN "$work/recv.err" ||
		tap_diag "$(cat "$work/recv.err")"
}

guest_interface_down() {
	local i before

	flow_up
	start_transfer --verify
	for i in 1 2 3; do
		ip link set eth0 down
		sleep 0.3
		ip link set eth0 up
		sleep 0.7
	done
	# the sender waits for longer each time, the longer the interface was away
	before=$(wc -l <"$work/recv.json")
	tap_ok "down and up: data flows again" wait_for 10 flowing_since "$before"
	kill -INT "$recv_pid" 2>/dev/null
	kill_after 20
	receiver_ends 0 "down and up: the receiver ends well"
	works_again "down and up"

	# ends while it is down
	start_transfer --verify
	ip link set eth0 down
	kill -KILL "$recv_pid"
	wait "$recv_pid" 2>/dev/null
	ip link set eth0 up
	sleep 0.5
	works_again "killed while down"

	# the number of queues changes under it: refused, or survived
	start_transfer --verify
	ethtool -L eth0 combined 2 2>/dev/null && ethtool -L eth0 combined 4
	ethtool -G eth0 rx 255
	sleep 1
	kill -INT "$recv_pid"
	kill_after 20
	receiver_ends 0 "rings and queues set meanwhile: the receiver ends well"
	works_again "rings and queues set meanwhile"
	nothing_left "interface"
}

guest_driver_unbound() {
	local device rc=0

	device=$(nic_address)
	flow_up
	start_transfer --verify
	echo "$device" >/sys/bus/pci/drivers/bnxt_en/unbind
	tap_ok "driver unbound: the interface is gone" test ! -e /sys/class/net/eth0
	sleep 0.5
	kill -INT "$recv_pid" 2>/dev/null
	kill_after 20
	wait "$recv_pid" || rc=$?
	tap_ok "driver unbound: the receiver ends: $rc" test $rc -le 3
	tap_ok "driver unbound: zcrx-flow down" "$top/scripts/zcrx-flow" down eth0
	echo "$device" >/sys/bus/pci/drivers/bnxt_en/bind
	wait_for 5 test -e /sys/class/net/eth0
	ethtool -L eth0 combined 4
	ip link set eth0 mtu 4148 up
	ip addr add "$ZCRX_GUEST/24" dev eth0
	sleep 0.3
	tap_ok "driver bound again: zcrx-flow up" flow_up
	works_again "driver bound again"
	nothing_left "driver"
}

# What the user holds when his ring goes, while more comes to the queue than it has pages for. The
# lock that the kernel needs to leave the queue is held by a command that the firmware does not answer
# yet
guest_pages_held() {
	local p other=$((port - 1)) hold emu="$bin/bnxt-emu ctl"

	tap_ok "held: a small ring" ethtool -G eth0 rx 63
	tap_ok "held: the queue for what is steered to it" ethtool -X eth0 equal $queue
	for p in $port $other; do
		tap_ok "held: port $p to the queue" ethtool -N eth0 flow-type tcp4 dst-port $p action $queue
	done
	hold="$emu fault set hwrm-hold=RING_CMPL_RING_CFG_AGGINT_PARAMS:count=1 >/dev/null
		ethtool -C eth0 rx-usecs 20 >/dev/null 2>&1 &
		until $emu stats | grep -q 'fault_hwrm_hold:* *1'; do sleep 0.05; done
		echo held; wait"
	"$bin/held-pages" eth0 $queue $port $other "$hold" "$emu fault clear" >"$work/held" 2>&1 &
	recv_pid=$!
	wait_for 5 listening
	kill_after 30
	peer_start "$bin/zcrx-send $ZCRX_GUEST $port --pattern"
	peer_start "nc $ZCRX_GUEST $other </dev/zero"
	wait "$recv_pid"
	retell "held: " "$work/held"
	tap_ok "held: the program ran to its end" grep -q '^1\.\.' "$work/held"
	"$bin/bnxt-emu" ctl fault clear >/dev/null
	works_again "held"
	nothing_left "held"
}

main() {
	need_kernel "$kernel"
	make_work
	for restart in whole queue; do
		# a kernel with RFS_ACCEL would get the firmware that restarts a queue without asking
		extra='--emu-arg --rfs=v2'
		[ $restart = whole ] || extra='--emu-arg --rfs=v3 --emu-arg --queue-restart'
		vm "$restart restart" receiver_killed --mtu 4148 $extra
		vm "$restart restart" interface_down --mtu 4148 $extra
		vm "$restart restart" driver_unbound --mtu 4148 $extra
		vm "$restart restart" pages_held --mtu 4148 $extra --emu-arg --hwrm-timeout=20000
	done
	vm "sender" sender_killed --mtu 4148
	vm "limits" locked_memory --mtu 4148
}

e2e_main "$@"
