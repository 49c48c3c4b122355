# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # used by those who source this, or by rows of driver.table
#
# What rows of driver.table call in the guest, beside programs. Lines that begin with
# "note: " are shown even if the row is as expected.

# shellcheck source=lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

pci=''	# where the NIC is
# of RSS: with a random one some tests of spreading would fail now and then
hash_key=6d:5a:56:da:25:5b:0e:c2:41:67:25:3d:43:a3:8f:b0:d0:ca:2b:cb:ae:7b:30:b4:77:cb:2d:a3:80:30:f2:0c:6a:42:b7:3b:be:ac:01:fa
zero_key=00$(printf ':00%.0s' {1..39})

ctl() { "$bin/bnxt-emu" ctl "$@"; }

reach() { ping -q -c 2 -i 0.02 -s 24 -W 5 "${1:-$ZCRX_PEER}"; }

# again COMMAND: until it succeeds, at most 5 times
again() {
	local i

	for i in 1 2 3 4; do
		"$@" && return
		sleep 0.2
	done
	"$@"
}

times() { # N COMMAND
	local i n=$1 bad=0 start=$SECONDS

	shift
	for ((i = 0; i < n; i++)); do
		"$@" >/dev/null || bad=$((bad + 1))
	done
	echo "note: $n times, $bad failed, $((SECONDS - start)) s"
	[ $bad -eq 0 ]
}

# ---------------------------------------------------------------------------
# Which queue frames come to

frames=4000	# of one test; an eighth of them is more than the light traffic in the background
marks=20	# frames behind them, by whose arrival it is known that they are through

# What makes frames (see frames.c) of KIND that differ in what RSS hashes
frame_spec() { # KIND PORT|PROTOCOL|ETHERTYPE
	case $1 in
	tcp4 | udp4) echo "ip4=$ZCRX_PEER,$ZCRX_GUEST ${1%4}=20000,$2 ports=512" ;;
	tcp6 | udp6) echo "ip6=$ZCRX_PEER6,$ZCRX_GUEST6 ${1%6}=20000,$2 ports=512" ;;
	ip4) echo "ip4=192.0.2.100,$ZCRX_GUEST proto=$2 sources=100" ;;
	ip6) echo "ip6=2001:db8::100,$ZCRX_GUEST6 proto=$2 sources=100" ;;
	ether) echo "type=$2" ;;
	esac
}

# send_frames KIND PORT [KEY=VALUE...]: the peer sends $frames frames; sets $got to how many came
# to each queue
send_frames() {
	local spec address
	local -a before

	# what comes later overrides
	read -r address </sys/class/net/eth0/address
	spec="dst=$address $(frame_spec "$1" "$2") ${*:3}"
	read -ra before < <("$bin/queue-counts" eth0)
	peer "$bin/frames tap0 $frames $spec && $bin/frames tap0 $marks dst=ff:ff:ff:ff:ff:ff type=0x88b6" || {
		cat "$peer_out"
		return 1
	}
	read -ra got < <("$bin/queue-counts" eth0 $frames $marks "${before[@]}")
	[ ${#got[@]} -gt 1 ] || return
	got=("${got[@]:1}")
}

# goes KIND PORT [KEY=VALUE...]: prints the queues that got a good part of such frames, or none
goes() {
	local i IFS=' '
	local -a got hit=()

	send_frames "$@" || return
	for i in "${!got[@]}"; do
		[ "${got[i]}" -lt $((frames / 8)) ] || hit+=("$i")
	done
	IFS=,
	echo "queues ${hit[*]:-none}"
}

# shares KIND PORT [KEY=VALUE...]: prints how many percent of them, to the nearest 5, came to each
# queue: with the same key, flows and table always the same. On a busy machine rings run out of
# buffers: again then, at most 5 times
shares() {
	local i sum=0 try
	local -a got

	for ((try = 0; try < 5 && sum < frames; try++)); do
		send_frames "$@" || return
		sum=0
		for i in "${got[@]}"; do
			sum=$((sum + i))
		done
	done
	for i in "${!got[@]}"; do
		# shellcheck disable=SC2017 # rounded on purpose
		got[i]=$(((got[i] * 20 + frames / 2) / frames * 5))
	done
	echo "shares ${got[*]}"
}

# ---------------------------------------------------------------------------
# Counters

stat_sum() { ethtool -S eth0 | awk -v n="$1:" '{ sub(/^ *\[[0-9]+\]: /, "") } $1 == n { s += $2 } END { printf "%.0f\n", s }'; }

# The device brings its counters every quarter of a second
counters_come() { nap $((slow * 4 / 10)).$((slow * 4 % 10)); }

# delta NAME COMMAND...: how much a counter of ethtool -S, over all queues, grows by it. What was
# before has to be in, too
delta() {
	local name=$1 before

	counters_come
	before=$(stat_sum "$name")
	shift
	"$@" || return
	counters_come
	echo "$name $(($(stat_sum "$name") - before))"
}

device_counter() { ctl stats | sed -n "s/^$1[ :=]*//p"; }

# device_delta NAME COMMAND...: likewise of the device itself, which knows at once; whatever the
# command's status
device_delta() {
	local name=$1 before

	before=$(device_counter "$name")
	shift
	"$@"
	echo "$name $(($(device_counter "$name") - before))"
}

# receives BYTES: a stream from the peer; prints how many packets went up the stack
receives() {
	local before id rc

	before=$(awk '/^Ip: [0-9]/ { print $4 }' /proc/net/snmp)
	nc -l 7100 >"$work/received" &
	id=$!
	peer "until head -c $1 /dev/zero | nc -N $ZCRX_GUEST 7100; do sleep 0.05; done"
	rc=$?
	wait $id
	echo "$(($(awk '/^Ip: [0-9]/ { print $4 }' /proc/net/snmp) - before)) packets"
	[ $rc -eq 0 ] && [ "$(stat -c %s "$work/received")" = "$1" ]
}

# Sets $peer_packets
count_peer_packets() {
	peer "sed -n 's/^ *tap0: *[0-9]* *\([0-9]*\) .*/\1/p' /proc/net/dev"
	peer_packets=$(cat "$peer_out")
}

# sends BYTES: a stream to the peer; prints how many packets its TAP got (large ones whole)
sends() {
	local before id

	count_peer_packets
	before=$peer_packets
	peer_start "nc -l 7200 | wc -c"
	id=$peer_id
	wait_for 5 sh -c "head -c $1 /dev/zero | nc -N $ZCRX_PEER 7200"
	peer_wait "$id"
	[ "$(cat "$peer_out")" = "$1" ] || return
	count_peer_packets
	echo "$((peer_packets - before)) packets"
}

# Of queues: packets and bytes received, packets and bytes sent, lost; of the port: the first
# four and filter misses; of the interface: the first four
all_counts() {
	ethtool -S eth0 | awk '
		function net(name,  v) { getline v <("/sys/class/net/eth0/statistics/" name); return v }
		function cast(way, what) { return s[way "_ucast_" what] + s[way "_mcast_" what] + s[way "_bcast_" what] }
		{ sub(/^ *\[[0-9]+\]: /, ""); sub(/:/, "", $1); s[$1] += $2 }
		END {
			printf "%.0f %.0f %.0f %.0f %.0f ", cast("rx", "packets"), cast("rx", "bytes"), cast("tx", "packets"),
				cast("tx", "bytes"), s["rx_discards"] + s["rx_errors"]
			printf "%.0f %.0f %.0f %.0f %.0f ", s["rx_good_frames"], s["rx_bytes"], s["tx_good_frames"], s["tx_bytes"],
				s["rx_filter_miss"]
			printf "%.0f %.0f %.0f %.0f\n", net("rx_packets"), net("rx_bytes"), net("tx_packets"), net("tx_bytes")
		}'
}

# all_counts twice: what is the same thing has to have grown by the same
compare_counts() { # BEFORE AFTER LEAST
	awk -v a="$1" -v b="$2" -v least="$3" '
		function check(text, got, want) {
			printf "%s: %d, %d%s\n", text, got, want, got == want ? "" : " DIFFERENT"
			bad += got != want
		}
		BEGIN {
			split(a, x)
			split(b, y)
			for (i in y)
				d[i] = y[i] - x[i]
			check("received: port = queues + filter misses + lost", d[6], d[1] + d[10] + d[5])
			# of a frame that no filter takes, or no ring has room for, the bytes are in the port only
			if (!d[10] && !d[5])
				check("received bytes: port = queues + 4 a frame", d[7], d[2] + 4 * d[1])
			check("sent: port = queues", d[8], d[3])
			check("sent bytes: port = queues + 4 a frame", d[9], d[4] + 4 * d[3])
			check("received: interface = queues", d[11], d[1])
			check("received bytes: interface = queues", d[12], d[2])
			check("sent: interface = queues", d[13], d[3])
			check("sent bytes: interface = queues", d[14], d[4])
			if (d[1] + d[5] < least)
				print "only " d[1] + d[5] " arrived", bad++
			exit bad > 0
		}'
}

# sums [COMMAND...]: the same counted by queues, port and interface, of traffic of all sorts
sums() {
	local before='' now i

	# until nothing moves: the driver reads the port's counters once a second, the queues' more often
	for ((i = 0; i < 5; i++)); do
		now=$(all_counts)
		[ "$now" != "$before" ] || break
		before=$now
		sleep 1.2
	done
	"${@:-true}" >/dev/null || return
	goes udp4 7001 len=300 >/dev/null
	goes ether 0x88b5 dst=ff:ff:ff:ff:ff:ff >/dev/null
	ping -q -c 20 -i 0.01 -s 1000 "$ZCRX_PEER" >/dev/null
	for ((i = 0; i < 5; i++)); do
		sleep 0.6
		compare_counts "$before" "$(all_counts)" $((2 * frames + 20)) >"$work/sums" && break
	done
	cat "$work/sums"
	[ $i -lt 5 ]
}

# ---------------------------------------------------------------------------
# Rules and RSS contexts

# rule ARGUMENT...: adds one, whose number is $rule then
rule() {
	local said

	# this ethtool says so when it fails, and ends with 0
	said=$(ethtool -N eth0 "$@" 2>&1)
	echo "$said"
	[[ $said =~ Added\ rule\ with\ ID\ ([0-9]+) ]] || return
	rule=${BASH_REMATCH[1]}
	rules+=("$rule")
}

unrule() { ethtool -N eth0 delete "$rule"; }

unrule_all() {
	local r

	for r in ${rules[@]+"${rules[@]}"}; do
		ethtool -N eth0 delete "$r" 2>/dev/null
	done
	rules=()
}

# context ARGUMENT...: a new RSS context, whose number is $context then
context() {
	local said

	said=$(ethtool -X eth0 context new "$@" 2>&1) || {
		echo "$said"
		return 1
	}
	context=${said##* }
	echo "$said"
}

# ---------------------------------------------------------------------------
# Down and up

# IPv6 addresses go with the interface
down_up() {
	ip link set eth0 down && ip link set eth0 up && ip -6 addr replace "$ZCRX_GUEST6/64" dev eth0 nodad || return
	wait_for 2 carrier 1 && ping -q -c 1 -W 5 "$ZCRX_PEER"
}

rebind() {
	echo "$pci" >/sys/bus/pci/drivers/bnxt_en/unbind && echo "$pci" >/sys/bus/pci/drivers/bnxt_en/bind || return
	wait_for 5 test -d /sys/class/net/eth0 || return
	ethtool -L eth0 combined 4 && ip link set eth0 mtu 1500 up || return
	ip addr add "$ZCRX_GUEST/24" dev eth0 && ip addr add "$ZCRX_GUEST6/64" dev eth0 nodad || return
	ethtool -C eth0 stats-block-usecs 250000
	wait_for 2 carrier 1 && ping -q -c 1 -W 5 "$ZCRX_PEER"
}

# Sets $emulator_kb, its own memory
measure_emulator() {
	peer "sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\).*/\1/p' /proc/\$(pidof bnxt-emu)/status"
	emulator_kb=$(cat "$peer_out")
}

guest_kb() {
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemAvailable/ { print $2 }' /proc/meminfo
}

# no_growth COMMAND...: it leaves the emulator no larger than it was, but for 1 MB (the guest's
# memory, which the emulator shares, does not count)
no_growth() {
	local before guest rc

	measure_emulator
	before=$emulator_kb guest=$(guest_kb)
	"$@"
	rc=$?
	measure_emulator
	echo "note: emulator $before kB, then $emulator_kb kB; available in the guest $guest kB, then $(guest_kb) kB"
	[ $((emulator_kb - before)) -lt 1024 ] && return $rc
}

# ---------------------------------------------------------------------------
# Settings that have no program, or one that is too old

# split [on|off|auto [THRESHOLD]]: header/data split
split() { "$bin/zcrx-split" eth0 "$@"; }

carrier() { [ "$(cat /sys/class/net/eth0/carrier)" = "$1" ]; }

# fec ENCODING: the link is there, with that one
fec() { ethtool --show-fec eth0 | tee /dev/stderr | grep -q "Active FEC encoding: $1\$" && carrier 1; }

# link_downs: how often the device lost its link, as of the driver's last look, which it
# takes once a second
link_downs() { ethtool -S eth0 | sed -n 's/^ *link_down_events: //p'; }
link_downs_are() { [ "$(link_downs)" = "$1" ]; }

# counts_a_lost_link: one that is lost once makes one more
counts_a_lost_link() {
	local before

	sleep 2
	before=$(link_downs)
	ctl link down && wait_for 5 carrier 0 && ctl link up && wait_for 5 carrier 1 &&
		wait_for 5 link_downs_are $((before + 1)) && sleep 2 && link_downs_are $((before + 1))
}

# ---------------------------------------------------------------------------
# Firmware that fails

# fw_error KIND: until the driver has the NIC running again; says how long that took
fw_error() {
	local start=$EPOCHREALTIME before

	before=$(fw_resets)
	ctl fw-error "$1" || return
	wait_for 30 fw_reset_after "$before" || return
	again reach >/dev/null || return
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "note: back after %.1f s\n", b - a }'
}
