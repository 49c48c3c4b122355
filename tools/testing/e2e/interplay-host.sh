#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 240
#
# What people have at hand as receivers of zcrx-send, on this kernel, over lo: every common netcat,
# and socat. Programs go by their own names, since who is "nc" depends on the machine. As senders they
# are in matrix.sh.

set -u
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=host-lib.sh
. "$here/host-lib.sh"

head -c 20000123 /dev/urandom >data

sum() { sha256sum <"$1"; }

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
