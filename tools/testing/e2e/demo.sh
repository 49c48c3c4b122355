#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
# alone
#
# The demo, with a small file

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

main() {
	need_kernel "$kernel"
	make_work
	tap_ok "the demo passes" "$top/scripts/demo" --size 64M --dir "$work" --kernel "$kernel"
	run "$top/scripts/demo" --size 1x
	tap_eq "$status" 2 "a size that is none is refused"
	run "$top/scripts/demo" --size 1M --dir "$work" --kernel /nonexistent
	tap_eq "$status" 1 "a kernel that is not there fails it"
}

e2e_main "$@"
