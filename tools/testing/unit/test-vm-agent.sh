#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The host's end of a guest's serial line, with this test as the guest

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"

make -s -C "$top/tools/vm-agent" VARIANT=asan >&2 || tap_skip_all 'vm-agent does not build'
dir=$(mktemp -d) || exit 1
guest='' agent=''
trap 'kill $guest $agent 2>/dev/null; rm -rf "$dir"' EXIT
mkfifo "$dir/to-guest" "$dir/from-guest" "$dir/ready"
exec {to_guest}<>"$dir/to-guest" {from_guest}<>"$dir/from-guest" {ready}<>"$dir/ready"
sleep 60 &
guest=$!

begin() {
	"$top/build/asan/vm-agent" host "$dir" $guest $from_guest $to_guest $ready </dev/null >"$dir/out" 2>"$dir/err" &
	agent=$!
	# until it catches its signals, of which SIGWINCH is the last
	for _ in {1..250}; do
		[ "$(cat /proc/$agent/comm)" != vm-agent ] || ! grep -qE '^SigCgt:.*[89a-f].{6}$' /proc/$agent/status || return
		sleep 0.02
	done 2>/dev/null
}

# came BYTES [SECONDS]: what the guest gets, in hexadecimal
came() { timeout "${2:-5}" head -c "$1" <&$to_guest | od -An -v -tx1 | xargs; }

ended() { # STATUS TEXT
	local rc=0

	wait $agent || rc=$?
	tap_eq "$rc" "$1" "$2" || tap_diag "$(cat "$dir/err")"
}

# The line is a terminal at first, which would send back what comes
begin
kill -USR1 $agent
tap_eq "$(came 1 0.5)" '' 'nothing is sent before the guest says that its line is open'
printf 'l\0\0\0' >&$from_guest
tap_eq "$(came 12)" '73 00 04 00 0a 00 00 00 69 00 00 00' 'then what has come meanwhile: a signal, the end of input'
printf 'o\0\3\0hi\no\0\3\0ho\nx\0\4\0\7\0\0\0' >&$from_guest
ended 7 'the exit status is that of the guest'
tap_eq "$(xargs <"$dir/out")" 'hi ho' 'output is output'

begin
printf 'l\0\0\0i^@^@^@' >&$from_guest
ended 125 'what is no frame'
tap_ok 'is said to be noise' grep -q 'line carries noise' "$dir/err"

begin
kill $guest
ended 125 'a guest that goes'
tap_ok 'is said to be gone' grep -q 'guest ended before its command' "$dir/err"
agent='' guest=''
tap_done
