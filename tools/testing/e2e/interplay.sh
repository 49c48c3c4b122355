#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# Without copies, from whatever sends: equal bytes from each, and a greeting that zcrx-send and
# zcrx-recv exchange over a bound queue. interplay-host.sh has more senders

# shellcheck source=lib.sh disable=SC2317 # functions called by name
. "$(dirname "$0")/lib.sh"

output=/run/output

# sender TITLE MIN_ALIGNED COMMAND RECEIVER_OPTION...
sender() {
	local title=$1 aligned=$2 command=$3 rc=0

	shift 3
	recv_start --once -o "$output" "$@"
	peer "$command"
	tap_eq $? 0 "$title: the sender ends well" || tap_diag "$(cat "$peer_out")"
	wait "$recv_pid" || rc=$?
	tap_eq "$rc" 0 "$title: the receiver ends well" || tap_diag "$(cat "$work/recv.err")"
	tap_ok "$title: every byte is right" cmp "$work/input" "$output"
	rm -f "$output"
	tap_ok "$title: $(recv_value zero_copy_percent) % without a copy, at least 90" \
		at_least "$(recv_value zero_copy_percent)" 90
	tap_ok "$title: $(recv_value aligned_percent) % page-aligned, at least $aligned" \
		at_least "$(recv_value aligned_percent)" "$aligned"
	tap_fails "$title: the kernel's counters agree" '' grep -q ZC084 "$work/recv.err"
}

guest_senders() {
	tap_ok "zcrx-flow up" flow_up
	sender nc.openbsd 0 "nc.openbsd -N $ZCRX_GUEST $port <$work/input" --page-mss
	sender nc.traditional 0 "nc.traditional -q 0 $ZCRX_GUEST $port <$work/input" --page-mss
	sender ncat 0 "ncat --send-only $ZCRX_GUEST6 $port <$work/input" --page-mss
	sender socat 0 "socat -u STDIN TCP:$ZCRX_GUEST:$port <$work/input" --page-mss
	sender 'zcrx-send --hello' 99 "$bin/zcrx-send $ZCRX_GUEST $port --hello -f $work/input" --hello
	sender 'zcrx-send --hello --zerocopy' 99 \
		"$bin/zcrx-send $ZCRX_GUEST6 $port --hello --zerocopy -f $work/input" --hello
	sender 'zcrx-send --hello --sendfile' 99 \
		"$bin/zcrx-send $ZCRX_GUEST $port --hello --sendfile -f $work/input" --hello
}

# From the guest, whose NIC takes pages where they are
guest_sends() {
	local rc=0

	peer_start "timeout 60 nc.openbsd -l $port >$work/arrived"
	nap 1
	"$bin/zcrx-send" "$ZCRX_PEER" "$port" --wait 10 --zerocopy -f "$work/input" --json >"$work/sent.json" 2>"$work/sent" || rc=$?
	tap_eq "$rc" 0 "zcrx-send --zerocopy from the guest" || tap_diag "$(cat "$work/sent")"
	peer_wait "$peer_id"
	tap_ok '  every byte is right' cmp "$work/input" "$work/arrived"
	tap_ok "  and none was copied: $(tail -n 1 "$work/sent")" grep -q '"sends_copied":0,' "$work/sent.json"
}

main() {
	need_kernel "$kernel"
	make_work
	head -c "${ZCRX_TEST_SIZE:-20000123}" /dev/urandom >"$work/input"
	vm 'senders' senders --mtu 4168
	vm 'from the guest' sends --mtu 4168
}

e2e_main "$@"
