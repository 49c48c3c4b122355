#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 4000
# long
#
# The user interface and its rings fuzzed (zc-fuzz), with senders that never end. Afterwards nothing
# may be left, and a transfer works at once. ZCRX_TEST_SECONDS is how long at most (default:
# 15), ZCRX_TEST_CALLS and ZCRX_TEST_ENTRIES how many calls and refill entries at least, and then at
# most 3600 s; ZCRX_TEST_SEED is what it begins with (default: the time).

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

calls=${ZCRX_TEST_CALLS:-0}
entries=${ZCRX_TEST_ENTRIES:-0}
seconds=${ZCRX_TEST_SECONDS:-15}
seed=${ZCRX_TEST_SEED:-$(date +%s)}
short=--short
if [ $((calls + entries)) -gt 0 ]; then
	seconds=${ZCRX_TEST_SECONDS:-3600}
	short=
fi

# Small rings of the NIC, so that regions can be; the flows of zc-fuzz's three ports to its queues
set_up() {
	local p

	ethtool -L eth0 combined 4 &&
		ethtool -G eth0 rx 127 &&
		ip link set eth0 mtu 4148 up &&
		ethtool -K eth0 ntuple on &&
		ethtool -X eth0 equal 1 || return
	for p in 1 2 3; do
		ethtool -N eth0 flow-type tcp4 dst-port $((9996 + p)) action $p || return
	done
}

# Who is still there, and where
left_behind() {
	local d t

	for d in /proc/[0-9]*; do
		[ "$(cat "$d/comm" 2>/dev/null)" = zc-fuzz ] || continue
		for t in "$d"/task/*; do
			echo "$t $(sed -n 's/^State://p' "$t/status") $(tr '\n' ' ' <"$t/stack")"
		done
	done
}

no_fuzz_left() { ! pgrep -x zc-fuzz >/dev/null; }

guest_fuzz() {
	local before p

	tap_ok "the interface is set up" set_up
	rm -f "$work/enough"
	before=$(available)
	for p in 9997 9998 9999; do
		peer_start "$(endless_sender $p)"
	done
	"$bin/zc-fuzz" -i eth0 --seconds "$seconds" --calls "$calls" --entries "$entries" --seed "$seed" --slow "$slow" \
		$short >"$work/said-fuzz" 2>&1
	retell '' "$work/said-fuzz"
	tap_ok "zc-fuzz ran to its end" grep -q '^1\.\.' "$work/said-fuzz"
	: >"$work/enough"
	tap_ok "none of its processes is left" wait_for 10 no_fuzz_left || tap_diag "$(left_behind)"
	tap_ok "no page pool waits for pages" wait_for 10 no_pool_detached
	tap_ok "memory is back" wait_for 10 memory_back "$before" || tap_diag "$((before - $(available))) kB are gone"
	# not the port to which a last sender may still be on its way
	port=9990
	ethtool -N eth0 flow-type tcp4 dst-port $port action $queue >/dev/null
	recv_start --once --verify --require-zerocopy=90
	peer "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 4M --wait 5"
	tap_eq $? 0 "a transfer right afterwards: the sender ends well" || tap_diag "$(cat "$peer_out")"
	(sleep $((20 * slow)); kill -KILL "$recv_pid" 2>/dev/null) &
	receiver_ends 0 "... and the receiver"
}

main() {
	need_kernel "$kernel"
	make_work
	# where the whole NIC restarts for each binding, some times a second, hardly anything arrives
	vm_limit=$((4 * seconds + 300)) vm "fuzz" fuzz --mtu 4148 --queues 4 --emu-arg --rfs=v3 --emu-arg --queue-restart
}

e2e_main "$@"
