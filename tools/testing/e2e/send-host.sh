#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 240
#
# zcrx-send on this kernel, over lo in a network namespace of its own: what it says about
# the shape of its segments, and that it is true

set -u
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=host-lib.sh
. "$here/host-lib.sh"

send=$bin/zcrx-send
head -c 20000123 /dev/urandom >data

# of FILE KEY: a member of the last JSON line
of() { sed -n "\$s/.*\"$2\":\\([^,}]*\\).*/\\1/p" "$1"; }

# json FILE...: all lines are JSON
json() {
	if command -v python3 >/dev/null; then
		tap_ok '  all its lines are JSON' python3 -c \
			'import json, sys; [json.loads(line) for name in sys.argv[1:] for line in open(name)]' "$@"
	else
		tap_skip '  all its lines are JSON' 'no python3'
	fi
}

tap_eq "$("$send" --help | awk 'length > 80')" '' 'help has no line of more than 80 columns'

# ---- --explain ----------------------------------------------------------------

# explains TEXT MTU PAYLOAD ALIGNED DIRECT [ARGUMENT...]: what --explain says with this MTU, and
# that a stream is then really cut so
explains() {
	local text=$1 mtu=$2 payload=$3 aligned=$4 direct=$5

	shift 5
	ip link set lo mtu "$mtu"
	receive "${recv_args[@]}" --connections 2 --discard
	refused 0 'nothing is sent' "explain: $text" "$send" "$host" "$port" --explain --json "$@"
	cp stdout explained
	cp talk.txt told
	send "$host" "$port" --pattern --bytes 1M --json --interval 0 "$@"
	received
	tap_eq "$(of explained payload_bytes) $(of explained aligned_bytes)" "$payload $aligned" \
		"  segments of $payload bytes"
	tap_eq "$(head -n 1 sent.out | sed 's/.*"payload_bytes":\([0-9]*\).*/\1/')" "$payload" '  it is so'
	tap_eq "$(sed 's/.*"direct_blocks":\[\([0-9,]*\)\].*/\1/' explained)" "$direct" "  disks: ${direct:-none}"
}

host=127.0.0.1 recv_args=(--page-mss)
explains 'pages asked for, IPv4' 65536 4096 4096 512,4096
says '^  pages +4096 bytes: take an MSS of 4108 and an MTU of 4148, on both sides$' told '  what a page takes'
says '^  to do +nothing$' told '  nothing to do'
recv_args=()
explains 'the MTU of a page, IPv4' 4148 4096 4096 512,4096
explains 'the MTU of an Ethernet, IPv4' 1500 1448 0 ''
says '^  to do +here: ip link set dev lo mtu 4148$' told '  the command that mends it'
says '^ +receiver: .*zcrx-recv --page-mss$' told '  and that of the receiver'
json explained
recv_args=(--mss 1036)
explains 'blocks asked for, IPv4' 1500 1024 512 512
recv_args=()
explains 'two pages' 9000 8192 4096 512,4096
explains 'pages of 16 KiB' 9000 8948 0 '' --page 16K
says 'MTU of 16436' told '  their MTU'
explains 'pages of 64 KiB' 9000 8948 0 '' --page 64K
says 'no segment can be so long' told '  no MTU is enough for them'
host=::1
explains 'the MTU of a page, IPv6' 4168 4096 4096 512,4096
explains 'that of IPv4, IPv6' 4148 4076 0 ''
says 'ip link set dev lo mtu 4168$' told '  the command that mends it'
ip link set lo mtu 65536
receive --once -o file
"$send" --explain 127.0.0.1 "$port" <data 2>/dev/null
ended 0 'explain sends nothing'
tap_eq "$(stat -c %s file)" 0 '  not a byte'
refused 3 'ZC060' 'explain, and nobody listens' "$send" --explain 127.0.0.1 "$port"

tap_done
