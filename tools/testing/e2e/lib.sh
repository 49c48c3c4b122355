# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2317 # used by name, or by those who source this
#
# What the end-to-end tests share. A test is a script on the host, which boots
# guests with scripts/zcrx-vm; what happens inside is a function of the same
# script, named guest_NAME. Its TAP lines become the test's.
#
# ZCRX_TEST_KERNEL names the patched kernel to test (default: zc); debug has
# KASAN, lockdep and the like. ZCRX_TEST_ARCH=x86_64 makes the guests QEMU's, with
# ZCRX_TEST_CPUS processors (default: 2). ZCRX_TEST_SLOW is how many times longer than User
# Mode Linux things may take (default: 1; without KVM QEMU needs 5, its debug kernel 12).

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
self=$(readlink -f "$0")
top=$(cd "$here/../../.." && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
# what a tested command printed and how it ended (see tap.sh)
out=''
status=0

kernel=${ZCRX_TEST_KERNEL:-zc}
arch=${ZCRX_TEST_ARCH:-um}
cpus=${ZCRX_TEST_CPUS:-2}
slow=${ZCRX_TEST_SLOW:-1}
# the kernels without the series, of Linux 6.12 and of one that has a zero copy receive of its own
stock=stock upstream=upstream
[ "$arch" = um ] || stock=debian-6.12 upstream=debian-7.3
bin=$top/build/gcc
port=9999
queue=3

# A directory that guest and peer both see, and may write
make_work() {
	work=$(mktemp -d "${TMPDIR:-/var/tmp}/zcrx-test.XXXXXX")
	trap 'rm -rf "$work"' EXIT
}

# get_kernel NAME: what was said is in $said, status 3 is a source that cannot be had
get_kernel() {
	case $arch:$1 in
	um:*) said=$("$top/scripts/kernel-tree" image "$1" 2>&1 >/dev/null) ;;
	*:debian-*) said=$({ "$top/scripts/debian-get" qemu && "$top/scripts/debian-get" "kernel-${1#debian-}"; } 2>&1 >/dev/null) ;;
	*) said=$({ "$top/scripts/debian-get" qemu && "$top/scripts/kernel-tree" image "$1-x86"; } 2>&1 >/dev/null) ;;
	esac
}

# need_kernel NAME: end here where it cannot be built; that is a failure, but for a
# source that cannot be had, which skips all
need_kernel() {
	local said rc=0

	[[ $1 == */* ]] && return
	get_kernel "$1" || rc=$?
	case $rc in
	0) ;;
	3)
		echo "1..0 # SKIP kernel $1 cannot be had: ${said##*$'\n'}"
		exit 0
		;;
	*)
		echo "not ok 1 - kernel $1 can be built"
		echo "# ${said//$'\n'/$'\n# '}"
		echo 1..1
		exit 1
		;;
	esac
}

# columns_at_once FUNCTION COLUMN...: a table's columns, each a test of its own in a subshell
columns_at_once() {
	local column why

	for column in "${@:2}"; do
		"$1" "$column" >"$work/$column" 2>&1 &
	done
	wait
	for column in "${@:2}"; do
		retell '' "$work/$column"
		why=$(sed -n 's/^1\.\.0 # SKIP //p' "$work/$column")
		[ -z "$why" ] || tap_skip "$column" "$why"
		grep -q '^1\.\.' "$work/$column" || tap_result 1 "$column: it came to its end"
	done
}

# retell PREFIX FILE: the results in FILE, renumbered, become the test's
retell() {
	local line

	while IFS= read -r line; do
		case $line in
		'ok '* | 'not ok '*)
			[[ $line =~ ^((not\ )?ok)\ [0-9]*\ -\ (.*)$ ]]
			tap_run=$((tap_run + 1))
			[ "${BASH_REMATCH[1]}" = ok ] || tap_failed=$((tap_failed + 1))
			echo "${BASH_REMATCH[1]} $tap_run - $1${BASH_REMATCH[3]}"
			;;
		1..*) ;;
		*) echo "# ${line#\# }" ;;
		esac
	done <"$2"
}

# vm TITLE FUNCTION [zcrx-vm OPTION...] [-- ARGUMENT...]: boots a guest and calls
# guest_FUNCTION there, with the ARGUMENTs. TITLE stands before its results, and
# one more result tells whether the guest ended well, with nothing in its log.
vm() {
	local title=$1 fn=$2 rc=0 start=$SECONDS why='' limit=$((${vm_limit:-120} * slow))
	local -a options=()

	shift 2
	[ "$arch" = um ] || options=(--cpus "$cpus")
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	rm -rf "$work/peer" "$work/tap"
	mkdir "$work/peer"
	(
		cd "$work" || exit 125
		timeout -k 10 "$limit" "$top/scripts/zcrx-vm" run --arch "$arch" --kernel "${vm_kernel:-$kernel}" --rw "$work" \
			--kernel-log "$work/kernel-log" --peer "$here/peer.sh $work/peer" \
			${options[@]+"${options[@]}"} -- "$self" --guest "$fn" "$work" "$@" </dev/null >"$work/tap" 2>"$work/said"
	) || rc=$?
	retell "$title: " "$work/tap"
	tap_result $((rc != 0 || ! $(grep -c '^1\.\.' "$work/tap"))) "$title: the guest ends well, its log is clean" || {
		[ $((SECONDS - start)) -lt "$limit" ] || why="it was ended after $limit seconds, "
		tap_diag "${why}exit status $rc (124: the log has a complaint, 125: the guest broke)"
		grep -v '^\[#\]' "$work/said" | tail -n 30 | sed 's/^/# | /'
	}
}

# ---------------------------------------------------------------------------
# In the guest

# nap SECONDS: a sleep that starts no program, which takes User Mode Linux longer than most naps.
# The descriptor is made here and not at the first nap, as that changes $!
exec {nap_fd}<> <(:)
nap() { read -rt "$1" -u "$nap_fd" || true; }

# The peer's shell (peer.sh) takes commands by way of files
peer_count=0
peer_start() { # COMMAND: sets $peer_id
	peer_count=$((peer_count + 1))
	peer_id=$peer_count
	printf '%s\n' "$1" >"$work/peer/$peer_id.cmd"
	: >"$work/peer/$peer_id.go"
}

peer_wait() { # ID: exit status of the command; its output is in $peer_out
	local i rc

	for ((i = 0; i < ${peer_limit:-30} * 50 * slow; i++)); do
		if [ -e "$work/peer/$1.rc" ]; then
			peer_out=$work/peer/$1.out
			read -r rc <"$work/peer/$1.rc"
			return "$rc"
		fi
		nap 0.02
	done
	tap_diag "the peer did not end: $(cat "$work/peer/$1.cmd")"
	return 124
}

peer() { # COMMAND
	peer_start "$1"
	peer_wait "$peer_id"
}

# In the guest: whether the emulator gets a CPU as soon as it wants one. Who may not ask for that
# goes without
emulator_first() { # on|off
	case $1 in
	on) peer "chrt --all-tasks --rr --pid 1 \$(pidof bnxt-emu)" ;;
	off) peer "chrt --all-tasks --other --pid 0 \$(pidof bnxt-emu)" ;;
	esac
}

# In the guest: the self test, until both of its loopbacks were good once. The driver waits for
# 1 ms for its frame to come back (bnxt_poll_loopback()), and may read another one first. On a busy
# machine the emulator has used its time up when the interface has just been opened and the frame of
# the MAC loopback comes: it has to wait for longer than that.
loopbacks() {
	local said mac=1 phy=1 i

	emulator_first on
	for ((i = 0; i < 20 && mac + phy; i++)); do
		said=$(ethtool -t eth0 offline)
		! grep -q 'Mac loopback.*0$' <<<"$said" || mac=0
		! grep -q 'Phy loopback.*0$' <<<"$said" || phy=0
	done
	emulator_first off
	echo "$said"
	return $((mac + phy))
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
	local i n=$(($1 * 20 * slow))

	shift
	for ((i = 0; i < n; i++)); do
		"$@" && return
		nap 0.05
	done
	return 1
}

# Where the NIC is on its bus
nic_address() { basename "$(readlink /sys/class/net/eth0/device)"; }

# Resets of the firmware that the driver went along with, by what it says when it is back.
# "devlink health diagnose" tells, too, but it deadlocks while the firmware is in an error:
# bnxt_fw_diagnose() holds fw_health->lock when it reports that
fw_resets() { dmesg | sed -n 's/.*recovery watchdog.*(healthy), resets: \([0-9]*\)$/\1/p' | tail -n 1; }
fw_reset_after() { [ "$(fw_resets)" -gt "$1" ]; }

# listens PORT [PREFIX...]: PREFIX is what runs ss elsewhere
listens() { "${@:2}" ss -Hltn "sport = :$1" | grep -q .; }
listening() { listens "$port"; }

# iperf_server PORT [PREFIX...]: iperf3 -D returns before the server listens
iperf_server() {
	"${@:2}" iperf3 -s -D -p "$1" >/dev/null && wait_for 5 listens "$@"
}

# iperf_peer COMMAND: what the peer runs with iperf3 against the guest's server, which between two
# clients listens anew
iperf_peer() {
	wait_for 5 listens 5201
	peer "$1"
}

# recv_start OPTION...: sets $recv_pid; output in $recv_out or else $work/recv.json, and in $work/recv.err.
# $recv_wrap is what runs it
recv_wrap=()
recv_out=''
recv_start() {
	${recv_wrap[@]+"${recv_wrap[@]}"} "$bin/zcrx-recv" -i "$ZCRX_IF" -q "$queue" -p "$port" --json "$@" \
		>"${recv_out:-$work/recv.json}" 2>"$work/recv.err" &
	recv_pid=$!
	wait_for 5 listening || tap_diag "$(cat "$work/recv.err")"
}

recv_value() { # FIELD [FILE]: of the last line with results
	sed -n "/\"event\":\"end\"/s/.*\"$1\":\([0-9.]*\).*/\1/p" "${2:-$work/recv.json}"
}

# stream COMMAND RECEIVER_OPTION...: the peer's COMMAND sends one stream. How both ended is in $sent
# and $received
stream() {
	recv_start --once "${@:2}"
	sent=0 received=0
	peer "$1" || sent=$?
	wait "$recv_pid" || received=$?
}

# In the guest's memory: each piece written would be a message to the host with 9p, which takes a
# debug kernel in QEMU 10 ms
output=/run/output

# transfer TITLE MIN_ZERO_COPY MIN_ALIGNED COMMAND RECEIVER_OPTION...: one stream, of $work/input, of which
# every byte has to arrive in a file, and at least so many % without a copy and page-aligned. The reports
# are collected in $work/lines
transfer() {
	local title=$1 zc=$2 aligned=$3

	stream "${@:4}" -o "$output"
	tap_eq "$sent" 0 "$title: the sender ends well" || tap_diag "$(cat "$peer_out")"
	tap_eq "$received" 0 "$title: the receiver ends well" || tap_diag "$(cat "$work/recv.err")"
	cat "$work/recv.json" >>"$work/lines"
	tap_ok "$title: every byte is right" cmp "$work/input" "$output"
	rm -f "$output"
	[ "$zc" -eq 0 ] || tap_ok "$title: $(recv_value zero_copy_percent) % without a copy, at least $zc" \
		at_least "$(recv_value zero_copy_percent)" "$zc"
	[ "$aligned" -eq 0 ] || tap_ok "$title: $(recv_value aligned_percent) % page-aligned, at least $aligned" \
		at_least "$(recv_value aligned_percent)" "$aligned"
	tap_fails "$title: the kernel's counters agree" '' grep -q ZC084 "$work/recv.err"
	tap_eq "$(grep -E '^.{81}' "$work/recv.err" | grep -vE '^(zcrx-recv: (auto|ZC)|  region .* to )')" '' "$title: the report fits 80 columns"
}

receiver_ends() { # STATUS TITLE
	local rc=0

	wait "$recv_pid" || rc=$?
	tap_eq "$rc" "$1" "$2" || tap_diag "$(cat "$work/recv.err")"
}

# Bytes that wait in the sockets of the receiver's port, also of those that the peer has closed
in_sockets() { ss -Htn state connected "sport = :$port" | awk '{ n += $2 } END { print n + 0 }'; }
so_much_waits() { [ "$(in_sockets)" -gt "$1" ]; }
nothing_waits() { [ "$(in_sockets)" -eq 0 ]; }

# over_areas: data that waits in a socket, while the receiver does not run, needs more than one of
# the region's areas has. Two of three stops or more use up the second one, wherever they begin; it
# can be used up again only when its pages were given back
over_areas() {
	local n stop stops=6

	recv_start --connections $stops --verify --require-zerocopy=90 --region 48M --area 16M --rcvbuf 20M \
		--dump-frags "$work/area-frags"
	tap_ok "areas: the region has three" grep -q '"areas":3,' "$work/recv.json"
	tap_ok "areas: and that is said" grep -q 'region 48 MB in 3 areas' "$work/recv.err"
	for ((stop = 1; stop <= stops; stop++)); do
		kill -STOP "$recv_pid"
		peer_start "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 24M"
		tap_ok "areas: more waits than one holds, stop $stop" wait_for 20 so_much_waits $((16 << 20)) || tap_diag "$(in_sockets)"
		kill -CONT "$recv_pid"
		peer_wait "$peer_id"
		tap_eq $? 0 "areas: the sender ends well, stop $stop" || tap_diag "$(cat "$peer_out")"
		wait_for 20 nothing_waits || tap_diag "still there: $(in_sockets)"
	done
	receiver_ends 0 "areas: every byte is right"
	tap_eq "$(recv_value bytes)" $((stops * (24 << 20))) "areas: and all are there"
	n=$(awk '$1 == "frag" && int($4 / 16777216) == 1 { n++ } END { print n + 0 }' "$work/area-frags")
	tap_ok "areas: $n pages came in the second, which has 4096: they were given back" test "$n" -gt 5000
	tap_fails "areas: the kernel takes back what it is given" '' grep -q ZC085 "$work/recv.err"
	rm -f "$work/area-frags"
}

older_than() { [ "$(printf '%s\n' "$(uname -r)" "$1" | sort -V | head -n 1)" != "$1" ]; } # VERSION

at_least() { awk -v a="${1:-0}" -v b="$2" 'BEGIN { exit !(a >= b) }'; }

flow_up() { "$top/scripts/zcrx-flow" up eth0 --quiet --queue "$queue" --port "$port"; }

# The last rows of every guest, whatever was tested there
nothing_is_left() {
	# a machine that plays the guest (matrix.sh) has page pools of its own; a benchmark has its own rows
	[ -z "${no_end_rows:-}" ] || return 0
	# what lists page pools came with 6.8
	older_than 6.8 || tap_ok "at its end no page pool waits for pages" wait_for 10 no_pool_detached ||
		tap_diag "$("$bin/page-pools" 2>&1)"
	[ ! -w /sys/kernel/debug/kmemleak ] || tap_ok "at its end nothing is unreferenced" nothing_unreferenced
}

# End of a guest_ function: the plan, and the peer's shell
guest_end() {
	nothing_is_left
	: >"$work/peer/stop"
	echo "1..$tap_run"
	exit 0
}

# Compare the device's log (zcrx-vm --dma-trace) with the receiver's (--dump-frags): prints
# NAME=VALUE pairs, which value() takes from $result
compare_logs() { # FRAGS DMA
	awk -v port=$port '
		function hex(s,  i, v) {
			for (i = 3; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
			return v
		}
		FNR == 1 { file++ }
		file == 1 && $1 == "region" { page = $4 }
		file == 1 && $1 == "pages" {
			frame = hex($3)
			for (i = 0; i < $4; i++) { frame_of[$2 + i] = frame + i; ours[frame + i] = 1 }
			pages += $4
		}
		file == 1 && $1 == "frag" { frag[frags++] = $3 " " $4 " " $5 " " $6 }
		file == 2 && $4 == "payload" && $5 == port {
			at = hex($2)
			f = int(at / page)
			writes++
			bytes += $3
			if (!(f in ours)) outside++
			if (int((at + $3 - 1) / page) != f) crossing++
			if (!writes_seen++) first = $7
			pos = $7 - first
			if (pos < 0) pos += 4294967296
			log_of[f] = log_of[f] " " at " " $3 " " pos
		}
		END {
			for (i = 0; i < frags; i++) {
				split(frag[i], w, " ")
				if (w[4] != "zc") { copied++; continue }
				zc++
				f = frame_of[int(w[2] / page)]
				at = f * page + w[2] % page
				n = split(log_of[f], l, " ")
				# where the device aggregates, several writes make up a piece
				while (w[3] > 0) {
					part = 0
					for (k = 1; k < n && part <= 0; k += 3)
						if (l[k] <= at && at - l[k] == w[1] - l[k + 2])
							part = l[k] + l[k + 1] - at
					if (part <= 0) break
					at += part; w[1] += part; w[3] -= part
				}
				if (w[3] > 0) stray++
			}
			print "pages=" pages + 0, "writes=" writes + 0, "bytes=" bytes + 0, "outside=" outside + 0, "crossing=" crossing + 0,
				"zc=" zc + 0, "copied=" copied + 0, "stray=" stray + 0
		}' "$1" "$2"
}

# shellcheck disable=SC2154 # the caller's
value() { sed -n "s/.*\b$1=\([0-9]*\).*/\1/p" <<<"$result"; }

# check_dma TITLE: the device's log of one stream of $work/input, against what its receiver dumped
check_dma() {
	local bytes

	bytes=$(stat -c %s "$work/input")
	result=$(compare_logs "$work/frags" "$work/dma")
	tap_diag "$1: $result"
	tap_eq "$(value outside)" 0 "$1: by the device's log all payload went into pages of the region"
	tap_ok "$1: and none of it into packet heads, where the kernel would copy it uncounted" \
		test "$(value bytes)" -ge "$bytes"
	tap_ok "$1: pieces without a copy" test "$(value zc)" -gt 1000
	tap_eq "$(value stray)" 0 "$1: each is where the device put that part of the stream"
}

# In the guest: what may be left by nobody

no_pool_detached() {
	local pools

	pools=$("$bin/page-pools") && [[ $pools != *detached* ]]
}

available() {
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemAvailable/ { print $2 }' /proc/meminfo
}

memory_back() { test $(($1 - $(available))) -lt 30000; } # BEFORE

# Of the debug kernels: what nobody refers to. Twice, as what is new is not looked at
nothing_unreferenced() {
	echo scan >/sys/kernel/debug/kmemleak
	sleep 5
	echo scan >/sys/kernel/debug/kmemleak
	! grep . /sys/kernel/debug/kmemleak
}

# A command for the peer, until there is $work/enough. A stream that was cut off ends the program;
# the next one begins at once
endless_sender() { # PORT
	echo "while [ ! -e $work/enough ]; do
		timeout -s KILL 10 $bin/zcrx-send $ZCRX_GUEST $1 --pattern --bytes \$((RANDOM * 500)) --wait 3; done
		>/dev/null 2>&1"
}

# Called at the end of each test script: the host's part is main
e2e_main() {
	if [ "${1:-}" = --guest ]; then
		work=$3
		local fn=$2
		shift 3
		"guest_$fn" "$@"
		guest_end
	fi
	main
	tap_done
}
