#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
# alone
#
# The demo, with a small file (ZCRX_TEST_SIZE)

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

refused() { # TITLE OPTION...
	run "$top/scripts/demo" "${@:2}"
	tap_eq "$status" 2 "$1 is refused"
}

main() {
	local -a guest=(--arch "$arch" --kernel "$kernel")

	need_kernel "$kernel"
	make_work
	[ "$arch" = um ] || guest+=(--cpus "$cpus")
	tap_ok "the demo passes" "$top/scripts/demo" --size "${ZCRX_TEST_SIZE:-64M}" --dir "$work" "${guest[@]}"
	refused "a size that is none" --size 1x
	refused "an architecture that is none" --arch arm
	refused "a number of processors that is none" --cpus 0
	run "$top/scripts/demo" --size 1M --dir "$work" --arch "$arch" --kernel /nonexistent
	tap_eq "$status" 1 "a kernel that is not there fails it"
}

e2e_main "$@"
