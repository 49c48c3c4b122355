#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 1500
# long
#
# zc-faults: each allocation and each copy from and to user space of the calls of zero copy receive
# fails once. Takes a kernel with fault injection:
#
#	ZCRX_TEST_KERNEL=debug tools/testing/e2e/faults-uapi.sh
#
# On others these are skipped. ZCRX_TEST_SECONDS is how long each call is tried (default: 60) beyond
# its first 300 places: where that is too little for all of them it is every second, third, ...

# shellcheck source=lib.sh disable=SC2317 # functions are called by name
. "$(dirname "$0")/lib.sh"
# shellcheck source=life-lib.sh
. "$(dirname "$0")/life-lib.sh"

seconds=${ZCRX_TEST_SECONDS:-60}

guest_faults() {
	local what=(--seconds "$seconds" --slow "$slow")

	[ -z "${ZCRX_TEST_CALL:-}" ] || what+=(--only "$ZCRX_TEST_CALL")
	life_run zc-faults "${what[@]}"
}

main() {
	need_kernel "$kernel"
	make_work
	vm_limit=$((900 + seconds * 20))
	vm "whole NIC" faults --mtu 4148 --emu-arg --rfs=v2
	vm "one queue" faults --mtu 4148 --emu-arg --rfs=v3 --emu-arg --queue-restart
}

e2e_main "$@"
