#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# xdp.sh - speed of the real driver on the emulated NIC
#
# A guest with the unmodified driver gets a capture replayed as fast as it takes
# it (zcrx-vm --replay), and an XDP program drops each frame, sends it back, or
# gives it to a stack where nobody listens. That is the least that a driver
# can do with a frame: all else is slower. Measured are frames a second, and the
# CPU time a frame of the emulator and of the guest's kernel, as the host counts
# it. ZCRX_BENCH_SECONDS: of each measurement (default 3); ZCRX_BENCH_KERNEL:
# stock (default) or another of zcrx-vm

# shellcheck source=../e2e/lib.sh disable=SC2317 # functions are called by name
. "$(dirname "$0")/../e2e/lib.sh"

seconds=${ZCRX_BENCH_SECONDS:-3}
kernel=${ZCRX_BENCH_KERNEL:-stock}

# Runs beside the emulator: time in ns, clock ticks of both processes, frames that the port got
# and sent, frames that found no buffer
sample() {
	cat <<'END'
ticks() { cat $(pgrep -f "$1" | sed 's|.*|/proc/&/stat|') 2>/dev/null | sed 's/.*) //' |
	awk '{ n += $12 + $13 } END { print n + 0 }'; }
stats=$($EMU ctl stats)
counter() { awk -v n="$1" '$1 == n || $1 == n ":" { print $2 }' <<<"$stats"; }
echo "$(date +%s%N) $(ticks '[b]nxt-emu --socket') $(ticks '[u]mid=guest') \
$(counter rx_total_frames) $(counter tx_total_frames) $(counter rx_stat_discard)"
END
}

# take WORD: sets WORD_ns, WORD_emu, WORD_guest, WORD_rx, WORD_tx, WORD_lost
take() {
	peer "EMU=$bin/bnxt-emu; $(sample)" || return
	# shellcheck disable=SC2229 # the names are made here
	read -r "$1_ns" "$1_emu" "$1_guest" "$1_rx" "$1_tx" "$1_lost" <"$peer_out"
}

guest_measure() { # ACTION...
	local action

	for action in "$@"; do
		"$bin/xdp-load" eth0 "$action" || { echo "error $action"; continue; }
		# the link comes back
		wait_for 5 sh -c 'ip link show eth0 | grep -q LOWER_UP'
		"$bin/bnxt-emu" ctl replay start >/dev/null || { echo "error replay"; continue; }
		sleep 0.5
		take a
		sleep "$seconds"
		take b
		"$bin/bnxt-emu" ctl replay stop >/dev/null
		# shellcheck disable=SC2154 # set by take
		echo "result $action $((b_ns - a_ns)) $((b_emu - a_emu)) $((b_guest - a_guest)) $((b_rx - a_rx)) $((b_tx - a_tx)) $((b_lost - a_lost))"
	done
	# powering off with a program attached makes the driver complain
	"$bin/xdp-load" eth0 off
}

# ns of a memcpy() of so many bytes, as bench-nic measures it
copy_ns() { "$bin/bench-nic" --memcpy "$1"; }

run_guest() { # MTU CAPTURE ACTION...
	local mtu=$1 file=$2

	shift 2
	rm -rf "$work/peer"
	mkdir "$work/peer"
	(cd "$work" && timeout -s KILL 120 "$top/scripts/zcrx-vm" run --kernel "$kernel" --rw "$work" --queues 1 \
		--mtu "$mtu" --replay "$file,loop=forever,start=ctl" --peer "$here/../e2e/peer.sh $work/peer" \
		-- "$self" --guest measure "$work" "$@" </dev/null 2>"$work/said")
}

main() {
	local size bytes action ns emu guest rx tx lost copy hz failed=0 ok
	hz=$(getconf CLK_TCK)

	need_kernel "$kernel"
	make_work
	printf '%s, %s CPUs, kernel %s of the guest, %s s a line\n\n' \
		"$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$kernel" "$seconds"
	printf '%-10s %8s %9s %9s %9s %9s %8s %8s %7s\n' '' 'bytes of' '' '' 'emulator' 'guest' 'memcpy' 'emulator' 'not'
	printf '%-10s %8s %9s %9s %9s %9s %8s %8s %7s\n' XDP 'a frame' Mpkt/s Gbit/s ns/pkt ns/pkt ns/pkt ratio taken
	for size in 64 1500 9000; do
		case $size in
		64) bytes=60 ;;	# and the FCS
		*) bytes=$((size + 14)) ;;
		esac
		"$bin/bench-nic" --pcap "$work/frames" --payload $((bytes - 42)) || return
		copy=$(copy_ns "$bytes") || return
		while read -r ok action ns emu guest rx tx lost; do
			case $ok in
			result) ;;
			1..*) continue ;;
			*) echo "$ok $action"; failed=1; continue ;;
			esac
			awk -v a="$action" -v bytes="$bytes" -v ns="$ns" -v emu="$emu" -v guest="$guest" -v rx="$rx" -v tx="$tx" \
				-v lost="$lost" -v hz="$hz" -v copy="$copy" 'BEGIN {
				n = rx - lost
				if (n < 1) { print a ": no frame came"; exit 1 }
				e = emu / hz * 1e9 / n
				printf "%-10s %8d %9.3f %9.2f %9.0f %9.0f %8.1f %8.1f %6.2f%%%s\n", a, bytes, n * 1e3 / ns, n * bytes * 8 / ns,
					e, guest / hz * 1e9 / n, copy, e / copy, 100 * lost / rx,
					a == "tx" ? sprintf("  (%.1f%% came back)", 100 * tx / n) : ""
			}' || failed=1
		done < <(run_guest $((size < 1500 ? 1500 : size)) "$work/frames" drop tx pass)
		[ -s "$work/peer/1.out" ] || { sed 's/^/# /' "$work/said"; failed=1; }
	done
	return $failed
}

if [ "${1:-}" = --guest ]; then
	# shellcheck disable=SC2034 # lib.sh's
	no_end_rows=1
	e2e_main "$@"
	exit 1
fi
main
