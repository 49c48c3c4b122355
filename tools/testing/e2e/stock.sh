#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
# alone
#
# The unmodified driver of Linux 6.12 on the emulated NIC: traffic both ways,
# what ethtool asks and sets, interface down and up. ZCRX_TEST_SECONDS is how long
# each iperf3 runs (default: 1), ZCRX_TEST_DOWN_UP how often the interface goes down and
# up (default: 50). With ZCRX_TEST_ARCH=x86_64 it is Debian's kernel, as it is shipped,
# or that of ZCRX_TEST_KERNEL=debian-7.3.

# shellcheck source=lib.sh disable=SC2317,SC2086,SC2016 # functions are called by name
. "$(dirname "$0")/lib.sh"

seconds=${ZCRX_TEST_SECONDS:-1}
down_ups=${ZCRX_TEST_DOWN_UP:-50}
peer_limit=$((seconds + 30))
vm_limit=$((seconds * 5 + 120))
# QEMU may have to translate each instruction, on processors that others use as well
least_rate=100
[ "$arch" = um ] || least_rate=5

# A number of ethtool -S, over all queues
stat_sum() { ethtool -S eth0 | awk -v n="$1" '{ sub(/^.*\]: /, "", $0) } $1 == n ":" { s += $2 } END { printf "%.0f\n", s }'; }

guest_traffic() {
	local rate before after name

	tap_ok "ping, IPv4" ping -q -c 20 -i 0.02 "$ZCRX_PEER"
	tap_ok "ping, IPv6" ping -q -c 20 -i 0.02 "$ZCRX_PEER6"
	tap_ok "ping that needs fragments" ping -q -c 3 -i 0.2 -s 20000 "$ZCRX_PEER"
	before=$(stat_sum rx_ucast_bytes)
	iperf_server 5201
	for name in '' '-R' '-P 4' '-6'; do
		case $name in
		-6) iperf_peer "iperf3 -J -c $ZCRX_GUEST6 -t $seconds" ;;
		*) iperf_peer "iperf3 -J -c $ZCRX_GUEST -t $seconds $name" ;;
		esac
		tap_eq $? 0 "iperf3 ${name:-to the guest}" || tap_diag "$(tail -n 5 "$peer_out")"
		rate=$(awk '/"sum_received"/ { on = 1 } on && /bits_per_second/ { printf "%d", $2 / 1e6; exit }' "$peer_out")
		tap_ok "iperf3 ${name:-to the guest}: $rate Mbit/s, at least $least_rate" test "${rate:-0}" -ge $least_rate
	done
	after=$(stat_sum rx_ucast_bytes)
	tap_ok "the NIC counts the bytes" test $((after - before)) -gt $((seconds * 100000000 / 8))
	tap_eq "$(stat_sum rx_errors)" 0 "no receive errors"
	# many small ones, as ssh does it
	nc -lk 7777 >"$work/small" &
	name=$!
	wait_for 5 sh -c 'ss -Hltn sport = :7777 | grep -q .'
	peer "for i in \$(seq 50); do echo ping | nc -N -w 5 $ZCRX_GUEST 7777 || exit 1; done"
	tap_eq $? 0 "50 short connections" || tap_diag "$(cat "$peer_out")"
	sleep 0.2
	kill $name
	tap_eq "$(grep -c ping "$work/small")" 50 "each with its line"
}

# The shortest of many round trips, in milliseconds
least_rtt() { ping -q -c 100 -i 0.005 "$ZCRX_PEER" | awk -F'[=/ ]+' '/^rtt/ { print $6 }'; }

guest_settings() {
	local n rule before limit

	tap_eq "$(ethtool -i eth0 | sed -n 's/^driver: //p')" bnxt_en "driver"
	tap_eq "$(ethtool -l eth0 | awk '/^Combined/ { v = $2 } END { print v }')" 4 "ethtool -l: 4 queues"
	for n in 1 2 4; do
		tap_ok "ethtool -L combined $n" ethtool -L eth0 combined $n
		tap_ok "traffic on $n queues" ping -q -c 3 -i 0.02 "$ZCRX_PEER"
	done
	tap_ok "ethtool -X equal 2" ethtool -X eth0 equal 2
	tap_eq "$(ethtool -x eth0 | awk '/^ *[0-9]+:/ { for (i = 2; i <= NF; i++) print $i }' | sort -u | xargs)" '0 1' \
		"ethtool -x shows that"
	tap_ok "ethtool -X weight" ethtool -X eth0 weight 1 0 3 0
	tap_ok "traffic then" ping -q -c 3 -i 0.02 "$ZCRX_PEER"
	tap_ok "ethtool -X default" ethtool -X eth0 default

	# a rule steers: the counters of the queue tell
	rule=$(ethtool -N eth0 flow-type tcp4 dst-port 7001 action 2 | sed -n 's/Added rule with ID //p')
	tap_ok "ethtool -N" test -n "$rule"
	tap_ok "ethtool -n shows it" sh -c 'ethtool -n eth0 | grep -q "Dest port: 7001"'
	before=$(ethtool -S eth0 | sed -n 's/^ *\[2\]: rx_ucast_packets: //p')
	nc -l 7001 >/dev/null &
	peer "until head -c 3000000 /dev/zero | nc -N $ZCRX_GUEST 7001; do sleep 0.1; done"
	wait $!
	sleep 1.1
	n=$(ethtool -S eth0 | sed -n 's/^ *\[2\]: rx_ucast_packets: //p')
	tap_ok "its packets come to queue 2: $((n - before))" test $((n - before)) -gt 500
	tap_ok "ethtool -N delete" ethtool -N eth0 delete "$rule"

	# a lone packet is seen when the interrupt's time has come
	before=$(least_rtt)
	tap_ok "ethtool -C rx-usecs 500" ethtool -C eth0 rx-usecs 500 rx-frames 60
	n=$(least_rtt)
	tap_ok "packets wait for the interrupt: at least $n ms, before $before" at_least "$n" 0.5
	before=$n
	tap_ok "ethtool -C rx-usecs 10" ethtool -C eth0 rx-usecs 10 rx-frames 15 adaptive-rx on
	n=$(least_rtt)
	limit=0.5
	# where QEMU translates, a round trip takes that long without waiting for anything
	[ "$arch" = um ] || limit=$(awk "BEGIN { print $before - 0.3 }")
	tap_ok "and no longer: at least $n ms" at_least "$limit" "$n"

	tap_ok "ethtool -G" ethtool -G eth0 rx 1023 tx 1023
	tap_eq "$(ethtool -g eth0 | awk '/^RX:/ { v = $2 } END { print v }')" 1023 "ethtool -g shows that"
	tap_ok "traffic then" ping -q -c 3 -i 0.02 "$ZCRX_PEER"
	for n in rx-gro-hw ntuple rxhash rx tx tso gro; do
		tap_ok "ethtool -K $n off" ethtool -K eth0 $n off
		tap_ok "traffic then" ping -q -c 2 -i 0.02 "$ZCRX_PEER"
		tap_ok "ethtool -K $n on" ethtool -K eth0 $n on
	done
	tap_ok "ethtool -S has the queues' counters" sh -c 'ethtool -S eth0 | grep -q "\[3\]: rx_ucast_packets"'
	tap_ok "ethtool -S has the port's counters" sh -c 'ethtool -S eth0 | grep -q "rx_total_frames"'
	tap_ok "ethtool eth0 shows a link" sh -c 'ethtool eth0 | grep -q "Link detected: yes"'
	for n in 9000 4148 576 1500; do
		tap_ok "MTU $n" ip link set eth0 mtu $n
		tap_ok "traffic then" ping -q -c 2 -i 0.02 -s 400 "$ZCRX_PEER"
	done
}

# Packets that the NIC merged are cut again where they leave: lengths and
# checksums that the driver made of its completions have to hold
guest_forward() {
	local before n ns="ip netns exec inner"

	ip netns add inner
	ip link add v0 type veth peer name v1 netns inner
	ip addr add 198.51.100.1/24 dev v0
	ip link set v0 up
	$ns ip addr add 198.51.100.2/24 dev v1
	$ns ip link set v1 up
	$ns ip route add default via 198.51.100.1
	echo 1 >/proc/sys/net/ipv4/ip_forward
	ethtool -K v0 tx off tso off gso off >/dev/null 2>&1
	before=$(awk '/^Ip: [0-9]/ { print $7 }' /proc/net/snmp)
	$ns nc -l 7000 >"$work/output" &
	peer "ip route replace 198.51.100.0/24 via $ZCRX_GUEST
		until nc -N 198.51.100.2 7000 <$work/input; do sleep 0.1; done"
	tap_eq $? 0 "a stream to a host behind the guest"
	wait $!
	tap_ok "arrives as it was sent" cmp "$work/input" "$work/output"
	tap_eq "$($ns awk '/^Tcp: [0-9]/ { print $14 + $16 }' /proc/net/snmp)" 0 "without an error of TCP checksums"
	before=$(($(awk '/^Ip: [0-9]/ { print $7 }' /proc/net/snmp) - before))
	n=$($ns awk '/^Ip: [0-9]/ { print $4 }' /proc/net/snmp)
	tap_ok "the guest forwarded $before packets, $n came out" test $((n)) -gt $((3 * before))
}

# Aggregation switched while a stream runs; every byte counts
guest_aggregation() {
	local n bad=0

	sleep 1.2
	tap_eq "$(stat_sum rx_tpa_pkt)" 0 "nothing is aggregated yet"
	nc -l 7000 >"$work/output" &
	n=$!
	peer_start "until (cat $work/input; sleep 1; cat $work/input; sleep 1; cat $work/input) |
		nc -N $ZCRX_GUEST 7000; do sleep 0.1; done"
	for _ in 1 2 3 4 5; do
		for what in 'rx-gro-hw off' 'rx-gro-hw on' 'rx-gro-hw off lro on' 'lro off rx-gro-hw on'; do
			ethtool -K eth0 $what || bad=$((bad + 1))
			sleep 0.1
		done
	done
	tap_eq $bad 0 "rx-gro-hw and lro are switched 20 times under traffic"
	peer_wait "$peer_id"
	tap_eq $? 0 "the stream goes on"
	wait $n
	cat "$work/input" "$work/input" "$work/input" | cmp - "$work/output"
	tap_eq $? 0 "and arrives as it was sent"
	sleep 1.2
	n=$(stat_sum rx_tpa_pkt)
	tap_ok "packets were aggregated: $n" test "$n" -gt 1000
	tap_eq "$(stat_sum rx_tpa_errors)" 0 "without errors"
}

guest_down_up() {
	local i bad=0

	for ((i = 0; i < down_ups; i++)); do
		ip link set eth0 down && ip link set eth0 up || bad=$((bad + 1))
	done
	tap_eq $bad 0 "$down_ups times down and up"
	# IPv6 addresses go with the interface
	tap_ok "traffic after that" ping -q -c 5 -i 0.2 -W 5 "$ZCRX_PEER"
	iperf_server 5201
	peer_start "iperf3 -c $ZCRX_GUEST -t 4 -P 2"
	for ((i = 0; i < 4; i++)); do
		sleep 0.5
		ip link set eth0 down
		ip link set eth0 up
	done
	peer_wait "$peer_id"
	tap_eq $? 0 "4 times during iperf3, which goes on" || tap_diag "$(tail -n 5 "$peer_out")"
}

main() {
	vm_kernel=$stock
	[[ $kernel != debian-* ]] || vm_kernel=$kernel
	need_kernel "$vm_kernel"
	make_work
	vm "MTU 1500" traffic --mtu 1500
	vm "MTU 9000" traffic --mtu 9000
	head -c 30000000 /dev/urandom >"$work/input"
	vm "aggregation" aggregation --mtu 1500
	vm "forwarding" forward --mtu 1500
	vm "settings" settings --mtu 1500
	vm "down and up" down_up --mtu 1500
}

e2e_main "$@"
