#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 1200
# long
#
# The tools on other versions of Linux, as Debian ships them: two without zero copy receive, and those
# that have upstream's, from the first that Debian has. In QEMU, with two processors.
#
#	ZCRX_TEST_KERNELS    which (default: 5.10 6.1 6.16 6.17 6.18 7.2); what Debian has no more is skipped

# shellcheck source=lib.sh disable=SC2317,SC2016 # functions are called by name; the peer's variables
. "$(dirname "$0")/lib.sh"

arch=x86_64
# without KVM, on processors that others use as well
vm_limit=250
versions=${ZCRX_TEST_KERNELS:-5.10 6.1 6.16 6.17 6.18 7.2}

# zcrx-send out of the guest, each way to send
sends() {
	local way

	for way in '' --zerocopy --sendfile; do
		peer_start "timeout $((20 * slow)) nc.openbsd -l $port </dev/null >$work/got"
		# shellcheck disable=SC2086 # none, or one
		tap_ok "zcrx-send${way:+ $way}" "$bin/zcrx-send" "$ZCRX_PEER" "$port" --wait 5 -f "$work/input" $way || tap_diag "$out"
		peer_wait "$peer_id"
		tap_ok "zcrx-send${way:+ $way}: every byte is right" cmp "$work/input" "$work/got"
	done
}

# no zero copy receive: who asks for it is told so, and what copies is there
guest_copies() {
	local release why='does not have it' code=ZC010 backend=copy

	release=$(uname -r)
	! older_than 6.1 || why='has no IORING_SETUP_DEFER_TASKRUN' code=ZC004 backend=epoll
	tap_fails "rbuf: refused, with the version" "Linux ${release//./\\.} $why" timeout -s INT $((10 * slow)) \
		"$bin/zcrx-recv" -i eth0 -q "$queue" -p "$port" --backend rbuf
	tap_eq "$status" 3 "with exit status 3"
	# not a transfer(): auto says why, in lines longer than those of a report
	stream "$bin/zcrx-send $ZCRX_GUEST $port -f $work/input" --busy-poll 50 -o "$output"
	tap_eq "$sent $received" "0 0" "auto: both end well" || tap_diag "$(cat "$work/recv.err")"
	tap_ok "auto: every byte is right" cmp "$work/input" "$output"
	rm -f "$output"
	tap_ok "auto took $backend" grep -q "\"backend\":\"$backend\",\"backend_auto\":true" "$work/recv.json"
	tap_ok "$code is why" grep -q "refused: rbuf ($code " "$work/recv.err"
	! older_than 6.9 || tap_ok "it does not busy-poll, and says so" grep -q ZC091 "$work/recv.err"
	transfer "$backend, as $code advises" 0 0 "nc -N $ZCRX_GUEST6 $port <$work/input" --backend "$backend"
	sends
}

# Nothing else would tell that all of it is copied
elsewhere() {
	local port=$((port + 1))

	recv_start --once --verify
	peer "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 1M"
	receiver_ends 0 "a flow that is not steered: every byte is right"
	tap_ok "and it is said that it comes by another queue" grep -q "ZC127 .* by another queue of eth0 than $queue," "$work/recv.err" ||
		tap_diag "$(cat "$work/recv.err")"
}

# upstream's zero copy receive
guest_receives() {
	local before release share=99

	release=$(uname -r)
	! older_than 7.2 || share=0
	before=$(ethtool -n eth0; ethtool -x eth0)
	tap_ok "zcrx-flow up" flow_up
	tap_ok "check: all is well" "$bin/zcrx-recv" check -i eth0 -q "$queue" -p "$port" || tap_diag "$out"
	transfer "from zcrx-send" "$share" 99 "$bin/zcrx-send $ZCRX_GUEST $port -f $work/input" --rcvbuf 8M
	tap_ok "auto took upstream" grep -q '"backend":"upstream","backend_auto":true' "$work/recv.json"
	if older_than 7.2; then
		tap_ok "copies are not counted, and that is said with the version" \
			grep -qF "ZC089 Linux $release does not tell" "$work/recv.err" || tap_diag "$(cat "$work/recv.err")"
		tap_ok "so their share is not known" grep -qF '(? % zero copy' "$work/recv.err" || tap_diag "$(cat "$work/recv.err")"
		tap_ok "  nor in the JSON lines" grep -q '"event":"end".*"zero_copy_percent":null,' "$work/recv.json"
		recv_start --once --discard --require-zerocopy
		peer "$bin/zcrx-send $ZCRX_GUEST $port -f $work/input"
		receiver_ends 4 "and who requires one gets none"
		tap_fails "a flow that is steered: nothing to say" '' grep -q ZC127 "$work/recv.err"
		elsewhere
	else
		tap_fails "copies are counted" '' grep ZC089 "$work/recv.err"
	fi
	transfer "from nc" "$share" 0 "nc -N $ZCRX_GUEST6 $port <$work/input"
	tap_ok "bound and unbound, five times" "$bin/ifq-restart" eth0 "$queue" 5
	transfer "after that" "$share" 0 "$bin/zcrx-send $ZCRX_GUEST $port -f $work/input"
	sends
	tap_ok "zcrx-flow down" "$top/scripts/zcrx-flow" down eth0 --quiet
	tap_eq "$(ethtool -n eth0; ethtool -x eth0)" "$before" "rules and RSS are as they were"
}

# what no counter tells, the device does
guest_proof() {
	tap_ok "zcrx-flow up" flow_up
	recv_start --once -o /run/output --dump-frags /run/frags
	peer "$bin/zcrx-send $ZCRX_GUEST $port -f $work/input"
	receiver_ends 0 "the receiver ends well"
	tap_ok "every byte is right" cmp "$work/input" /run/output
	cp /run/frags "$work"
}

main() {
	local version said rc fn

	make_work
	head -c 8000123 /dev/urandom >"$work/input"
	for version in $versions; do
		rc=0
		vm_kernel=debian-$version
		get_kernel "$vm_kernel" || rc=$?
		if [ $rc -eq 3 ]; then
			tap_skip "Linux $version" "${said##*$'\n'}"
			continue
		fi
		tap_eq "$rc" 0 "Linux $version is there" || tap_diag "$said"
		fn=copies
		! grep -q '^CONFIG_IO_URING_ZCRX=y' "$("$top/scripts/debian-get" "kernel-$version")/config" || fn=receives
		vm "Linux $version" $fn --mtu 4148
		[ $fn = receives ] || continue
		vm "Linux $version, proof" proof --mtu 4148 --dma-trace "$work/dma"
		check_dma "Linux $version"
	done
}

e2e_main "$@"
