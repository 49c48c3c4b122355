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

# tap_counts TEXT LAST_LINE STATUS [--jobs N] TEST...
tap_counts() {
	local text=$1 want=$2 code=$3 t
	local -a tests=() options=()

	shift 3
	if [ "$1" = --jobs ]; then
		options=("$1" "$2")
		shift 2
	fi
	for t in "$@"; do tests+=("$dir/$t"); done
	run "$runner" --log "$dir/log" --timeout 2 ${options[@]+"${options[@]}"} "${tests[@]}"
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

# Two that meet each other, two that must not, one that must meet nobody
# shellcheck disable=SC2016
meet='# timeout: 30
cd "$(dirname "$0")" || exit 1
met() { for i in $(seq "$1"); do [ -e "at-$2" ] && return; sleep 0.05; done; return 1; }
come() { : >"at-$1"; trap "rm at-$1" EXIT; }
verdict() { [ "$1" -eq 0 ] || echo -n "not "; echo "ok 1"; echo 1..1; }'
sample left <<<"$meet; come left; met 400 right; verdict \$?; met 400 both; rm at-both"
sample right <<<"$meet; come right; met 400 left; verdict \$?; : >at-both; sleep 0.3"
sample apart <<<"$meet; come apart; ! met 10 aside; verdict \$?"
sample aside <<<"$meet; come aside; ! met 10 apart; verdict \$?"
sample loner <<<"# alone
$meet; come loner; ! met 6 left && ! met 1 right; verdict \$?"
sample after <<<"$meet; ! met 1 loner; verdict \$?"
sample quick <<<'echo "ok 1"; echo 1..1'
sample good-too <<<'echo "ok 1"; echo 1..1'

tap_counts "two at once" "2 passed, 0 failed, 0 skipped" 0 --jobs 2 left right
tap_counts "one after the other" "2 passed, 0 failed, 0 skipped" 0 --jobs 1 apart aside
tap_counts "no more than that" "3 passed, 0 failed, 0 skipped" 0 --jobs 2 left right after
tap_counts "one that is alone" "4 passed, 0 failed, 0 skipped" 0 --jobs 2 left right loner after
tap_counts "the same, first" "3 passed, 0 failed, 0 skipped" 0 --jobs 3 loner after quick
tap_counts "two at once: one fails, one hangs, some pass" "6 passed, 2 failed, 1 skipped" 1 --jobs 2 hangs bad good skip quick
tap_eq "$(sed -n 's/^[a-zA-Z]* *[^ ]*\/\([a-z-]*\) .*/\1/p' <<<"$out" | xargs)" "hangs bad good skip quick" "results in the order of the list"
tap_counts "two at once: not there, dies" "3 passed, 3 failed, 0 skipped" 1 --jobs 2 nowhere dies nowhere-else quick good-too
tap_fails "no such number" 'usage:' "$runner" --jobs 0 "$dir/good"

# All that runs ends with the runner
# shellcheck disable=SC2016
sample sleeper <<<'echo $$ >>"$(dirname "$0")/pids"; sleep 60; echo 1..1'
ended() { # SIGNAL STATUS
	local pid rc=0 p

	: >"$dir/pids"
	"$runner" --log "$dir/log" --jobs 2 --beside "echo \$\$ >>$dir/pids; sleep 60" "$dir/sleeper" "$dir/sleeper" >/dev/null 2>&1 &
	pid=$!
	for _ in {1..100}; do
		[ "$(wc -l <"$dir/pids")" -lt 3 ] || break
		sleep 0.05
	done
	tap_eq "$(wc -l <"$dir/pids")" 3 "two tests and a command beside them run"
	kill -"$1" "$pid"
	wait "$pid" || rc=$?
	tap_eq "$rc" "$2" "SIG$1 ends the runner"
	while read -r p; do
		! kill -0 "$p" 2>/dev/null || echo "$p"
	done <"$dir/pids" >"$dir/left"
	tap_eq "$(cat "$dir/left")" '' "and all of them"
}
ended TERM 130

# Beside the tests
# shellcheck disable=SC2016
sample waits <<<'cd "$(dirname "$0")"; for i in $(seq 40); do [ -e made ] && break; sleep 0.05; done; cat made; echo 1..1'
run "$runner" --log "$dir/log" --beside "chrt -p \$\$; echo ok 1 >$dir/made; echo \$\$ >$dir/pids; sleep 60" "$dir/waits"
tap_eq "$(tail -n 1 <<<"$out"), $status" "1 passed, 0 failed, 0 skipped, 0" "a command beside the tests makes what one needs"
tap_ok "by the class for what nobody waits for" grep -q SCHED_IDLE "$dir/log/beside.log"
tap_fails "it is ended with the last test" '' kill -0 "$(cat "$dir/pids")"
run "$runner" --log "$dir/log" --beside "exit 3" "$dir/good"
tap_eq "$(tail -n 1 <<<"$out"), $status" "2 passed, 0 failed, 0 skipped, 0" "how it ends is no test's result"
tap_fails "no test" 'usage:' "$runner"
tap_done
