#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The test runner itself: what it counts, and what it must not take for passed

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
runner=$here/../run

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# sample NAME, with the script on stdin
sample() {
	{
		echo '#!/bin/sh'
		cat
	} >"$dir/$1"
	chmod 755 "$dir/$1"
}

# tap_counts TEXT LAST_LINE STATUS TEST...
tap_counts() {
	local text=$1 want=$2 code=$3 t
	local -a tests=()

	shift 3
	for t in "$@"; do tests+=("$dir/$t"); done
	run "$runner" --log "$dir/log" --timeout 2 "${tests[@]}"
	tap_eq "$(tail -n 1 <<<"$out"), $status" "$want, $code" "$text" || tap_diag "$out"
}

sample good <<<'echo "ok 1 - a"; echo "# not ok in a comment"; echo "ok 2 - b"; echo 1..2'
sample plan-first <<<'echo 1..1; echo "ok 1 - a"'
sample bad <<<'echo "ok 1 - a"; echo "not ok 2 - b"; echo 1..2; exit 1'
sample quiet-bad <<<'echo "not ok 1 - b"; echo 1..1'
sample skip <<<'echo "ok 1 - a # SKIP none here"; echo "ok 2 - b"; echo 1..2'
sample skip-all <<<'echo "1..0 # SKIP no root"'
sample dies <<<'echo "ok 1 - a"; kill -SEGV $$'
sample no-plan <<<'echo "ok 1 - a"'
sample short <<<'echo "ok 1 - a"; echo 1..2'
sample silent <<<'exit 0'
sample status <<<'echo "ok 1 - a"; echo 1..1; exit 3'
sample bail <<<'echo "ok 1 - a"; echo "Bail out! no device"; echo 1..1; exit 1'
sample hangs <<<'echo "ok 1 - a"; sleep 60; echo 1..1'
sample slow <<<'# timeout: 10
sleep 3; echo "ok 1 - a"; echo 1..1'

tap_counts "passing tests" "3 passed, 0 failed, 0 skipped" 0 good plan-first
tap_counts "a failed one" "1 passed, 1 failed, 0 skipped" 1 bad
tap_counts "a failed one, exit status 0" "0 passed, 1 failed, 0 skipped" 1 quiet-bad
tap_counts "skipped ones" "1 passed, 0 failed, 2 skipped" 0 skip skip-all
tap_counts "a program that dies" "1 passed, 1 failed, 0 skipped" 1 dies
tap_counts "no plan" "1 passed, 1 failed, 0 skipped" 1 no-plan
tap_counts "fewer results than planned" "1 passed, 1 failed, 0 skipped" 1 short
tap_counts "no output at all" "0 passed, 1 failed, 0 skipped" 1 silent
tap_counts "exit status without a failed result" "1 passed, 1 failed, 0 skipped" 1 status
tap_counts "bail out" "1 passed, 1 failed, 0 skipped" 1 bail
tap_counts "time limit" "1 passed, 1 failed, 0 skipped" 1 hangs
tap_counts "a script's own time limit" "1 passed, 0 failed, 0 skipped" 0 slow
tap_counts "a test that is not there" "0 passed, 1 failed, 0 skipped" 1 nowhere
tap_counts "one failure among many" "4 passed, 1 failed, 2 skipped" 1 good bad skip-all skip
tap_ok "the log is kept" grep -q '^ok 1 - a' "$(find "$dir/log" -name '*good.log')"
tap_fails "no test" 'usage:' "$runner"
tap_done
