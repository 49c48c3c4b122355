# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Test Anything Protocol for test scripts; source it. What a tested command
# prints is kept in $out (see run) and shown when the test fails.

tap_run=0
tap_failed=0
out=''

tap_diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# tap_result OK TEXT: OK is 0 for passed
tap_result() {
	tap_run=$((tap_run + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_run - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_run - $2"
	fi
	return "$1"
}

# tap_ok TEXT COMMAND...: the command has to succeed
tap_ok() {
	local text=$1

	shift
	if run "$@"; then
		tap_result 0 "$text"
	else
		tap_result 1 "$text" || true
		tap_diag "failed with $status: $*"
		tap_diag "$out"
		return 1
	fi
}

# tap_fails TEXT PATTERN COMMAND...: the command has to fail with exit status
# 1..124 and say something that matches the extended regular expression
tap_fails() {
	local text=$1 pattern=$2

	shift 2
	if run "$@"; then
		tap_result 1 "$text" || true
		tap_diag "succeeded, but should not: $*"
	elif [ "$status" -ge 125 ] || ! grep -qE -- "$pattern" <<<"$out"; then
		tap_result 1 "$text" || true
		tap_diag "failed with $status, wanted a message like: $pattern"
	else
		tap_result 0 "$text"
		return
	fi
	tap_diag "$out"
	return 1
}

# tap_eq GOT WANT TEXT
tap_eq() {
	if [ "$1" = "$2" ]; then
		tap_result 0 "$3"
	else
		tap_result 1 "$3" || true
		tap_diag "got:  $1"
		tap_diag "want: $2"
		return 1
	fi
}

# tap_skip TEXT REASON
tap_skip() {
	tap_run=$((tap_run + 1))
	echo "ok $tap_run - $1 # SKIP $2"
}

tap_skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

tap_done() {
	echo "1..$tap_run"
	exit $((tap_failed > 0))
}

# run COMMAND...: output of both kinds in $out, exit status in $status
run() {
	status=0
	out=$("$@" 2>&1 </dev/null) || status=$?
	return "$status"
}
