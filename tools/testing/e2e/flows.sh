#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# Two receivers with a queue each, and a socket read with read(2) whose flow comes to one of these
# queues, at the same time: every byte of each is right, and tcpdump sees the payload of a flow
# that goes to user memory. And one receiver with several queues, which zcrx-flow spreads the flows over,
# by an RSS context or by rules.

# shellcheck source=lib.sh disable=SC2317 # functions are called by name
. "$(dirname "$0")/lib.sh"
# shellcheck source=queues-lib.sh
. "$here/queues-lib.sh"

size=${ZCRX_TEST_SIZE:-24M}
# packets that tcpdump takes; the software's aggregates are up to 64 KB each
packets=300

# What the driver counted: bytes that went to user memory
to_user_memory() { ethtool -S eth0 | sed -n 's/^ *rx_total_zc_bytes: //p'; }

start_receiver() { # QUEUE PORT
	"$bin/zcrx-recv" -i eth0 -q "$1" -p "$2" --json -o "$work/output.$2" >"$work/recv.$2" 2>&1 &
	receivers[$2]=$!
	wait_for 5 listens "$2" || tap_diag "$(cat "$work/recv.$2")"
}

# until its receiver ends it is not known to be complete
has_all() { [ "$(stat -c %s "$work/output.$1.part")" -eq "$(stat -c %s "$work/input.$1")" ]; } # PORT

end_receiver() { # PORT WHO
	local rc=0

	kill -TERM "${receivers[$1]}"
	wait "${receivers[$1]}" || rc=$?
	tap_eq "$rc" 0 "$2 ends well" || tap_diag "$(cat "$work/recv.$1")"
}

guest_flows() {
	local reader tap p before zc sent=0
	local -a receivers=()

	tap_ok "zcrx-flow up, port 9999 to queue 3" flow_up
	for p in 9998 9997; do
		tap_ok "a rule for port $p to queue 2" ethtool -N eth0 flow-type tcp4 dst-port "$p" action 2
	done
	start_receiver 3 9999
	start_receiver 2 9998
	nc -l 9997 >"$work/output.9997" &
	reader=$!
	wait_for 5 listens 9997
	before=$(to_user_memory)
	tcpdump -Z root -i eth0 -B 32768 -c "$packets" -w "$work/flow.pcap" 'tcp dst port 9998 and greater 200' 2>"$work/tcpdump.err" &
	tap=$!
	wait_for 5 grep -q 'listening on' "$work/tcpdump.err"

	peer "for p in 9997 9998 9999; do
		nc -N $ZCRX_GUEST \$p <$work/input.\$p & sent+=(\$!); done
		for s in \${sent[@]}; do wait \$s || exit; done"
	tap_eq $? 0 "all three senders end well" || tap_diag "$(cat "$peer_out")"
	for p in 9999 9998; do
		tap_ok "port $p: the receiver has every byte" wait_for 30 has_all "$p"
	done
	wait "$reader"
	tap_eq $? 0 "the reader ends well"
	tap_ok "tcpdump has $packets packets" wait_for 5 kill_not_needed "$tap"
	sent=$(($(to_user_memory) - before))
	end_receiver 9999 "the receiver of queue 3"
	end_receiver 9998 "the receiver of queue 2"

	for p in 9999 9998; do
		zc=$(recv_value zero_copy_percent "$work/recv.$p")
		tap_ok "port $p: $zc % without a copy, at least 90" at_least "$zc" 90 || tap_diag "$(cat "$work/recv.$p")"
		sent=$((sent - $(recv_value zc_bytes "$work/recv.$p")))
	done
	tap_ok "$sent bytes of the third went to user memory, at least nine in ten" \
		test "$sent" -ge $(($(stat -c %s "$work/input.9997") * 9 / 10))
}

kill_not_needed() { ! kill -0 "$1" 2>/dev/null; } # PID: it has ended

# The payload of each packet in the capture, by its place in the stream, against what was sent
check_capture() {
	local from to hex first='' n=0 wrong=0

	# absolute sequence numbers: tcpdump has not seen where the connection began
	while read -r from to hex; do
		n=$((n + 1))
		[ -n "$first" ] || first=$from
		cmp -s <(xxd -r -p <<<"${hex: -$((2 * (to - from & 0xffffffff)))}") \
			<(tail -c +$(((from - first & 0xffffffff) + 1)) "$work/input.9998" | head -c $((to - from & 0xffffffff))) || wrong=$((wrong + 1))
	done < <(tcpdump -n -S -x -r "$work/flow.pcap" 2>/dev/null | awk '
		/^[0-9]/ { if (hex) print range, hex; hex = range = ""
			if (match($0, /seq [0-9]+:[0-9]+/)) { range = substr($0, RSTART + 4, RLENGTH - 4); sub(":", " ", range) } }
		/^\t/ { sub(/^[^:]*:/, ""); gsub(/ /, ""); hex = hex $0 }
		END { if (hex) print range, hex }')
	tap_ok "tcpdump: $n packets with payload" test "$n" -ge $((packets - 5))
	tap_eq "$wrong" 0 "tcpdump: each has the bytes that were sent"
}

main() {
	local p

	need_kernel "$kernel"
	make_work
	for p in 9997 9998 9999; do
		head -c "$size" /dev/urandom >"$work/input.$p"
	done
	vm "three flows" flows --mtu 4168
	for p in 9997 9998 9999; do
		tap_eq "$(sha256sum <"$work/output.$p")" "$(sha256sum <"$work/input.$p")" "port $p: equal sha256"
	done
	check_capture
	# the older firmware has no RSS contexts
	vm "spread by rules" spread_rules --mtu 4168 --emu-arg --rfs=v2
	vm "spread by RSS" spread_rss --mtu 4168 --emu-arg --rfs=v3 --emu-arg --queue-restart
}

e2e_main "$@"
