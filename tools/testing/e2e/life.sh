#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 900
# long
#
# zc-life: receivers that end in all orders, and that end the same way again and again while
# senders never do; with a NIC that restarts as a whole and one that restarts a queue.
#
#	ZCRX_TEST_ROUNDS=1000 tools/testing/e2e/life.sh
#
# ZCRX_TEST_ROUNDS is how many rounds of each kind (default: 4). ZCRX_TEST_ORDERS is all, or none;
# by default each NIC gets another quarter. With ZCRX_TEST_ORDER='kill -9,down' there is but that one, and no
# rounds.

# shellcheck source=lib.sh disable=SC2317 # functions are called by name
. "$(dirname "$0")/lib.sh"
# shellcheck source=life-lib.sh
. "$(dirname "$0")/life-lib.sh"

rounds=${ZCRX_TEST_ROUNDS:-4}

guest_life() { # PART: of the orders, 0 to 3
	local what=() noise=6000

	case ${ZCRX_TEST_ORDERS:-quarter} in
	all) what=(--orders 0/1) ;;
	quarter) what=(--orders "$1/4") ;;
	esac
	[ "$rounds" -eq 0 ] || what+=(--rounds "$rounds")
	[ -z "${ZCRX_TEST_ORDER:-}" ] || what=(--order "$ZCRX_TEST_ORDER")
	# half a page each; caches come and go by more in a few rounds
	[ "$rounds" -lt 500 ] || noise=$((2 * rounds))
	# KASAN keeps what was freed for a while
	[ ! -e /sys/kernel/debug/kmemleak ] || noise=$((noise + 30000))
	life_run zc-life --slow "$slow" --noise "$noise" "${what[@]}"
}

main() {
	need_kernel "$kernel"
	make_work
	vm_limit=$((250 + rounds * 8))
	vm "whole NIC" life --mtu 4148 --emu-arg --rfs=v2 -- 0
	vm "one queue" life --mtu 4148 --emu-arg --rfs=v3 --emu-arg --queue-restart -- 2
}

e2e_main "$@"
