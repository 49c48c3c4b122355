#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# Without copies, from whatever sends: equal bytes from each, and a greeting that zcrx-send and
# zcrx-recv exchange over a bound queue. interplay-host.sh has more senders

# shellcheck source=lib.sh disable=SC2317 # functions called by name
. "$(dirname "$0")/lib.sh"

guest_senders() {
	tap_ok "zcrx-flow up" flow_up
	transfer nc.openbsd 90 0 "nc.openbsd -N $ZCRX_GUEST $port <$work/input" --page-mss
	transfer nc.traditional 90 0 "nc.traditional -q 0 $ZCRX_GUEST $port <$work/input" --page-mss
	transfer ncat 90 0 "ncat --send-only $ZCRX_GUEST6 $port <$work/input" --page-mss
	transfer socat 90 0 "socat -u STDIN TCP:$ZCRX_GUEST:$port <$work/input" --page-mss
	transfer 'zcrx-send --hello' 90 99 "$bin/zcrx-send $ZCRX_GUEST $port --hello -f $work/input" --hello
	transfer 'zcrx-send --hello --zerocopy' 90 99 \
		"$bin/zcrx-send $ZCRX_GUEST6 $port --hello --zerocopy -f $work/input" --hello
	transfer 'zcrx-send --hello --sendfile' 90 99 \
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
