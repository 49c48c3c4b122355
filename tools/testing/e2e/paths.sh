#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
#
# Where packets of a bound queue may go (skb-paths): with each of the stack's ways the data is
# right, no page of the user's region is used again too early, and all come home. Two NICs in one
# guest: the peer is the test kernel, too. ZCRX_TEST_PATHS: only these tests, names with commas
# between them.

# shellcheck source=lib.sh disable=SC2317 # functions are called by name
. "$(dirname "$0")/lib.sh"

guest_paths() {
	local before
	local -a names=() only=()

	IFS=, read -ra names <<<"${1:-}"
	[ ${#names[@]} -eq 0 ] || mapfile -t only < <(printf -- '--only\n%s\n' "${names[@]}")
	# all that comes, whatever it is, comes to the bound queue
	tap_ok "a small ring" ethtool -G eth0 rx 127
	tap_ok "all traffic on queue $queue" ethtool -X eth0 start "$queue" equal 1
	before=$(available)
	BNXT_EMU=$bin/bnxt-emu "$bin/skb-paths" --slow "$slow" ${only[@]+"${only[@]}"} eth0 "$queue" >"$work/said-paths" 2>&1
	retell '' "$work/said-paths"
	tap_ok "skb-paths ran to its end" grep -q '^1\.\.' "$work/said-paths"
	tap_ok "memory is back" wait_for 5 memory_back "$before" || tap_diag "$((before - $(available))) kB are gone"
}

main() {
	need_kernel "$kernel"
	make_work
	vm_limit=300
	vm "paths" paths --nics 2 --mtu 9000 --emu-arg --rfs=v3 --emu-arg --queue-restart -- "${ZCRX_TEST_PATHS:-}"
}

e2e_main "$@"
