#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 200
#
# The KUnit suites of the series, which run when the kernel boots

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

guest_nothing() { :; }

main() {
	local line suite=''

	need_kernel "$kernel"
	make_work
	vm "boot with KUnit" nothing --append 'kunit.enable=1 kunit.filter_glob=io_uring_zc_rx*'
	# KTAP: cases are indented by one level, suites are not
	while IFS= read -r line; do
		[[ $line =~ ^\[\ *[0-9.]+\]\ (.*)$ ]] || continue
		line=${BASH_REMATCH[1]}
		if [[ $line =~ ^\ +\#\ Subtest:\ (.*)$ ]]; then
			suite=${BASH_REMATCH[1]}
		elif [[ $line =~ ^\ +(not\ ok|ok)\ [0-9]+\ (-\ )?(.*)$ ]]; then
			tap_run=$((tap_run + 1))
			[ "${BASH_REMATCH[1]}" = ok ] || tap_failed=$((tap_failed + 1))
			echo "${BASH_REMATCH[1]} $tap_run - $suite: ${BASH_REMATCH[3]}"
		elif [[ $line =~ ^\ +\#\ (.*)$ ]]; then
			tap_diag "${BASH_REMATCH[1]}"
		fi
	done <"$work/kernel-log"
	tap_ok "the suites ran" test $tap_run -gt 5
}

e2e_main "$@"
