#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 400
#
# zc-uapi in the guest: what user space may do wrong with the new interface, with
# a NIC that restarts as a whole and with one that restarts a queue

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

guest_uapi() {
	local result

	# few buffers in the ring, so that the tests can use them all up
	tap_ok "a small ring" ethtool -G eth0 rx 63
	while IFS= read -r result; do
		case $result in
		'ok '*) tap_result 0 "${result#ok * - }" ;;
		'not ok '*) tap_result 1 "${result#not ok * - }" ;;
		1..*) plan=${result#1..} ;;
		*) tap_diag "$result" ;;
		esac
	done < <("$bin/zc-uapi" eth0 1 2>&1)
	tap_eq "$((tap_run - 1))" "${plan:-none}" "zc-uapi ran to its end"
}

main() {
	need_kernel "$kernel"
	make_work
	vm "whole NIC restart" uapi --emu-arg --rfs=v2
	vm "queue restart" uapi --emu-arg --rfs=v3 --emu-arg --queue-restart
}

e2e_main "$@"
