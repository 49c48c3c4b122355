#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 240
#
# What people have at hand, on the other end: every common netcat, socat, curl and bash as senders
# into zcrx-recv with the copying backend, and as receivers of zcrx-send, on this kernel, over lo.
# Programs go by their own names, since who is "nc" depends on the machine.

set -u
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=host-lib.sh
. "$here/host-lib.sh"

head -c 20000123 /dev/urandom >data
# curl speaks telnet, where a byte of 255 is a command, and is slow at it
head -c 200000 data | base64 >text

sum() { sha256sum <"$1"; }

# sender TITLE FILE COMMAND: what has to be there is the first word of the command
sender() {
	local title=$1 input=$2 sink

	for sink in file -; do
		if ! command -v "${3%% *}" >/dev/null; then
			tap_skip "$title" "no ${3%% *} (scripts/setup installs it)"
			return
		fi
		receive --once --page-mss -o "$sink"
		timeout 60 bash -c "$3" <"$input" >answer 2>sent
		tap_eq $? 0 "$title: the sender ends well" || tap_diag "$(cat sent)"
		ended 0 '  the receiver ends well'
		[ "$sink" = file ] || mv stdout file
		tap_eq "$(sum file)" "$(sum "$input")" "  the same sha256, $([ "$sink" = - ] && echo 'standard output' || echo 'file')"
		tap_eq "$(stat -c %s answer)" 0 '  nothing is said to the sender'
	done
}

for host in 127.0.0.1 ::1; do
	sender "nc.openbsd to $host" data "nc.openbsd -N $host $port"
	sender "ncat to $host" data "ncat --send-only $host $port"
	sender "socat to $host" data "socat -u STDIN TCP:$([ $host = ::1 ] && echo '[::1]' || echo $host):$port"
	# it does not end with its input, but when told to
	sender "curl to $host" text "curl -s -m 2 telnet://$([ $host = ::1 ] && echo '[::1]' || echo $host):$port; [ \$? = 28 ]"
	sender "bash to $host" data "bash -c 'exec cat >/dev/tcp/$host/$port'"
	sender "zcrx-send to $host" data "$bin/zcrx-send $host $port 2>&1 | grep -q ^sent"
done
sender 'nc.traditional' data "nc.traditional -q 0 127.0.0.1 $port"
sender 'socat with small writes' data "socat -u -b 1460 STDIN TCP:127.0.0.1:$port,nodelay"
sender 'dd in odd pieces into ncat' data "dd bs=4999 status=none | ncat --send-only 127.0.0.1 $port"

# into TITLE COMMAND: a receiver that writes to standard output, and ends when the sender does
into() {
	local title=$1 how status

	if ! command -v "${2%% *}" >/dev/null; then
		tap_skip "$title" "no ${2%% *} (scripts/setup installs it)"
		return
	fi
	for how in '' --zerocopy --sendfile; do
		timeout 60 bash -c "$2" >file 2>heard </dev/null &
		for _ in $(seq 200); do
			listening && break
			sleep 0.02
		done
		status=0
		# shellcheck disable=SC2086 # none is none
		send 127.0.0.1 "$port" -f data $how || status=$?
		wait
		tap_eq "$status" 0 "$title${how:+, $how}: the sender ends well" || tap_diag "$(cat sent)"
		tap_eq "$(sum file)" "$(sum data)" '  the same sha256'
		says '^sent 19\.1 MB ' sent '  and it says so'
	done
}

into 'zcrx-send into nc.openbsd' "nc.openbsd -l $port"
into 'zcrx-send into nc.traditional' "nc.traditional -l -p $port"
into 'zcrx-send into ncat' "ncat -l --recv-only $port"
into 'zcrx-send into socat' "socat -u TCP-LISTEN:$port,reuseaddr STDOUT"

tap_done
