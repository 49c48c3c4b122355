#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 900
#
# Receivers that live and die while others change interface and queues (zc-races), with
# senders that never end. Afterwards nothing may be left: no page pool that waits, no
# memory gone. ZCRX_TEST_SECONDS is how long each guest goes on (default: 15),
# ZCRX_TEST_SEED what it begins with (default: the time).

# shellcheck source=lib.sh disable=SC2317 # functions are called by name
. "$(dirname "$0")/lib.sh"

seconds=${ZCRX_TEST_SECONDS:-15}
seed=${ZCRX_TEST_SEED:-$(date +%s)}
wild_port=9998
plain_port=9997

# What the interface is like in the beginning, and when its driver has come back. The NIC's
# rings are small, so that regions can be.
write_setup() { # FILE
	cat >"$1" <<-END
		ethtool -L eth0 combined 6
		ethtool -G eth0 rx 127
		ip link set eth0 mtu 4148 up
		ip addr replace $ZCRX_GUEST/24 dev eth0
		ethtool -K eth0 ntuple on
		ethtool -X eth0 equal 2
		ethtool -N eth0 flow-type tcp4 dst-port $port action 3
		ethtool -N eth0 flow-type tcp4 dst-port $wild_port action 2
		ethtool -N eth0 flow-type tcp4 dst-port $plain_port action 1
	END
}

write_rebind() { # FILE SETUP
	cat >"$1" <<-END
		cd /sys/bus/pci/drivers/bnxt_en
		device=\$(basename "\$(readlink -f /sys/class/net/eth0/device)")
		echo "\$device" >unbind && sleep 0.1 && echo "\$device" >bind || exit
		for i in 1 2 3 4 5 6 7 8 9 10; do [ -e /sys/class/net/eth0 ] || sleep 0.1; done
		. $2
	END
}

# races OPTION...
races() {
	local before p

	write_setup "$work/setup"
	write_rebind "$work/rebind" "$work/setup"
	tap_ok "the interface is set up" bash -e "$work/setup"
	rm -f "$work/enough"
	before=$(available)
	for p in $port $port $wild_port $plain_port; do
		peer_start "$(endless_sender "$p")"
	done
	tap_diag "seed $seed"
	"$bin/zc-races" -i eth0 --seconds "$seconds" --seed "$seed" --slow $((2 * slow)) \
		"$@" >"$work/said-races" 2>&1
	retell '' "$work/said-races"
	tap_ok "zc-races ran to its end" grep -q '^1\.\.' "$work/said-races"
	: >"$work/enough"
	tap_ok "no page pool waits for pages" wait_for 10 no_pool_detached
	tap_ok "memory is back" wait_for 10 memory_back "$before" || tap_diag "$((before - $(available))) kB are gone"
}

guest_changes() { races --rebind "bash $work/rebind >/dev/null 2>&1"; }
guest_firmware() { races --firmware; }

main() {
	local common=(--mtu 4148 --queues 6) fw

	need_kernel "$kernel"
	make_work
	vm_limit=$((seconds / slow + 150))
	export ZCRX_TEST_SEED=$seed
	for fw in "queues restart:--rfs=v3 --emu-arg --queue-restart" "the NIC restarts:--rfs=v2"; do
		# shellcheck disable=SC2086 # words
		vm "${fw%%:*}" changes "${common[@]}" --emu-arg ${fw#*:}
		# firmware waits for a driver to sign off (0x1a), here for as long as a slow one takes
		# shellcheck disable=SC2086 # words
		vm "the firmware is reset, ${fw%%:*}" firmware "${common[@]}" --emu-arg ${fw#*:} \
			--emu-arg --fw-leave=$((5000 * slow)) --allow-log 'Error \(timeout: [0-9]*\) msg \{0x1a '
	done
}

e2e_main "$@"
