#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
#
# Whole transfers: nc and zcrx-send, IPv4 and IPv6, three MTUs; what arrives is
# what was sent, and how much of it came without a copy. ZCRX_TEST_SIZE: of each (default
# 48M)

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions called by name
. "$(dirname "$0")/lib.sh"

size=${ZCRX_TEST_SIZE:-48M}

# Where a page and its headers fit the MTU, zcrx-send has to get all aligned
guest_transfers() { # MTU
	local mtu=$1 aligned4=0 aligned6=0

	[ "$mtu" -lt 4148 ] || aligned4=99
	[ "$mtu" -lt 4168 ] || aligned6=99
	tap_ok "zcrx-flow up" flow_up
	transfer "nc, IPv4" 90 0 "nc -N $ZCRX_GUEST $port <$work/input"
	tap_ok "the report knows the queue's interrupt" \
		grep -q '"interrupt":{"number":[0-9]*,"name":"eth0-TxRx-'"$queue"'"' "$work/recv.json"
	transfer "nc, IPv6" 90 0 "nc -N $ZCRX_GUEST6 $port <$work/input"
	transfer "zcrx-send, IPv4, busy polling" 90 $aligned4 "$bin/zcrx-send $ZCRX_GUEST $port -f $work/input" --busy-poll 50
	tap_ok "busy polling: the kernel takes it" grep -q '"busy_poll_us":50,' "$work/recv.json"
	transfer "zcrx-send, IPv6" 90 $aligned6 "$bin/zcrx-send $ZCRX_GUEST6 $port -f $work/input"
	if [ "$mtu" = 1500 ]; then
		transfer "copying receive" 0 0 "nc -N $ZCRX_GUEST $port <$work/input" --backend copy
		tap_eq "$(recv_value zero_copy_bytes)" 0 "copying receive: claims no zero copy"
	fi
}

four_files() {
	local f

	[ "$(find /run/dir -type f ! -name '*.part' | wc -l)" -eq 4 ] || return
	for f in /run/dir/*; do cmp "$work/input" "$f" || return; done
}

# Several at once, and one after the other
guest_connections() {
	local i cmd=''

	tap_ok "zcrx-flow up" flow_up
	recv_start --verify --connections 8
	for i in 1 2 3 4 5; do
		cmd+="$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 8M >send.$i 2>&1 & "
	done
	peer "$cmd wait"
	for i in 6 7 8; do
		peer "$bin/zcrx-send $ZCRX_GUEST6 $port --pattern --bytes 3M"
		tap_eq $? 0 "connection $i" || tap_diag "$(cat "$peer_out")"
	done
	receiver_ends 0 "the receiver finds the pattern in every stream"
	tap_eq "$(recv_value bytes)" $((5 * (8 << 20) + 3 * (3 << 20))) "all bytes of 8 connections"

	# a file each, while all compete for the region
	mkdir -p /run/dir
	recv_start --connections 4 --hash sha256 --region 16M -o /run/dir/
	peer "for i in 1 2 3 4; do nc -N $ZCRX_GUEST $port <$work/input & done; wait"
	receiver_ends 0 "four connections into a directory"
	cat "$work/recv.json" >>"$work/lines"
	tap_ok "each has its file, and each is right" four_files
	tap_eq "$(grep -o '"sha256":"[0-9a-f]*"' "$work/recv.json" | sort -u)" \
		"\"sha256\":\"$(sha256sum <"$work/input" | cut -d ' ' -f 1)\"" "and each hash"
	# the slower they are written, the more finds the region empty
	tap_ok "$(recv_value zero_copy_percent) % without a copy" at_least "$(recv_value zero_copy_percent)" 20
	rm -r /run/dir

	over_areas
	transfer "longer buffers than this series has" 90 0 "nc -N $ZCRX_GUEST $port <$work/input" --rx-buf-len 16K
	tap_ok "longer buffers: that is said" grep -q 'ZC129 .*16 KB are refused (EOPNOTSUPP)' "$work/recv.err"

	# the end by signal is a clean one, with the report
	recv_start
	peer_start "$bin/zcrx-send $ZCRX_GUEST $port --pattern"
	sleep 0.5
	kill -INT "$recv_pid"
	receiver_ends 0 "SIGINT ends the receiver well"
	tap_ok "with a report" at_least "$(recv_value bytes)" 1
	peer_wait "$peer_id"
	tap_ok "and the sender fails" test $? -ne 0
}

# Twenty lines in 0.4 seconds or more, so far apart that each can be taken alone: TITLE OPTION...;
# completions in $completions
slow_lines() {
	local title=$1 apart

	apart=0.$(printf '%02d' $((slow < 6 ? 2 * slow : 12)))
	shift
	recv_start --once "$@"
	peer "for i in {11..30}; do echo \$i; sleep $apart; done | nc -N $ZCRX_GUEST $port"
	tap_eq $? 0 "$title: the sender ends well" || tap_diag "$(cat "$peer_out")"
	receiver_ends 0 "$title: the receiver ends well"
	tap_eq "$(recv_value bytes)" 60 "$title: all bytes"
	completions=$(recv_value completions)
}

guest_gather() {
	local completions

	tap_ok "zcrx-flow up" flow_up
	slow_lines "woken for each" --gather 0
	tap_ok "woken for each: most lines come alone, in $completions lots" at_least "$completions" 10
	slow_lines "gathered for a second" --gather 1000000
	tap_ok "gathered for a second: few lots, $completions" at_least 5 "$completions"
}

# stall WHAT: the receiver stops for so long that its window closes and the sender probes it
stall() {
	recv_start --once --verify
	peer_start "$bin/zcrx-send $ZCRX_GUEST $port --pattern --time 2"
	nap 0.1
	kill -STOP "$recv_pid"
	nap 1.5
	kill -CONT "$recv_pid"
	peer_wait "$peer_id"
	tap_eq $? 0 "$1: the sender ends well" || tap_diag "$(cat "$peer_out")"
	receiver_ends 0 "$1: the receiver ends well"
}

guest_stalls() {
	local i fix

	tap_ok "zcrx-flow up" flow_up
	# one time in 32 what is left of the window is whole pages by chance
	for i in 1 2 3; do
		stall "stall with the usual window"
		[ "$(recv_value aligned_percent)" = 100.000000 ] || break
	done
	fix=$(sed -n '/ZC131/,$s/^.* \(sysctl net.core.rmem_max=[0-9]*\)$/\1/p' "$work/recv.err")
	tap_eq "$fix" "sysctl net.core.rmem_max=$((128 << 20))" "a page is cut, and ZC131 says so" ||
		tap_diag "$(cat "$work/recv.err")"
	tap_ok "the command that it names" eval "$fix"
	for i in 1 2 3; do
		stall "stall $i"
		tap_eq "$(recv_value aligned_percent)" 100.000000 "stall $i: a window in whole pages, so no page is cut" ||
			tap_diag "$(cat "$peer_out")"
	done
}

# What the region is made of, pages of 4 KiB: the lines "pages FIRST FRAME NUMBER" are its runs
in_huge_pages() { # FRAGS: how much of it lies in pieces of 2 MiB, in %
	awk '
		function low_bits(s) { return (index("0123456789abcdef", substr(s, length(s) - 2, 1)) - 1) % 2 "" substr(s, length(s) - 1) }
		$1 == "pages" { all += $4 }
		$1 == "pages" && $2 % 512 == 0 && low_bits($3) == "000" { huge += $4 - $4 % 512 }
		END { printf "%d\n", all ? huge * 100 / all : 0 }' "$1"
}

# Regions of other pages, and the largest buffer that a ring takes
guest_regions() {
	local frags=$work/region-frags send="$bin/zcrx-send $ZCRX_GUEST $port -f $work/input"

	tap_ok "zcrx-flow up" flow_up
	transfer "1 GiB" 90 0 "$send" --region 1G
	tap_ok "1 GiB: that is the region" grep -q '"region_bytes":1073741824,' "$work/recv.json"
	if [ -e /sys/kernel/mm/transparent_hugepage/enabled ]; then
		echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
		transfer "transparent huge pages" 90 0 "$send" --dump-frags "$frags"
		tap_ok "transparent huge pages: $(in_huge_pages "$frags") % of the region" at_least "$(in_huge_pages "$frags")" 50
		echo never >/sys/kernel/mm/transparent_hugepage/enabled
		transfer "pages of 4 KiB" 90 0 "$send" --dump-frags "$frags"
	fi
	if [ -e /proc/sys/vm/nr_hugepages ]; then
		tap_ok "huge pages" sysctl -q vm.nr_hugepages=32
		transfer "huge pages" 90 0 "$send" --region 64M --hugepages --dump-frags "$frags"
		tap_eq "$(in_huge_pages "$frags")" 100 "huge pages: % of the region"
		tap_eq "$(awk '/^HugePages_Free/ { print $2 }' /proc/meminfo)" 32 "huge pages: all are free again"
	fi
	rm -f "$frags"
}

main() {
	local mtu said rc=0

	need_kernel "$kernel"
	make_work
	head -c "$size" /dev/urandom >"$work/input"
	for mtu in 1500 4148 4168 9000; do
		vm "MTU $mtu" transfers --mtu $mtu -- $mtu
	done
	vm "many connections" connections --mtu 4168
	vm "gathering" gather --mtu 4168
	vm "stalls" stalls --mtu 4148
	vm "regions" regions --mtu 4168 --mem 2G
	said=$("$top/tools/testing/json-lines.sh" "$top/tools/zcrx-recv/report.schema.json" "$work/lines") || rc=$?
	case $rc in
	77) tap_skip 'JSON lines are what the schema says' 'no python3-jsonschema' ;;
	*) tap_eq "$rc" 0 'JSON lines are what the schema says' || tap_diag "$said" ;;
	esac
}

e2e_main "$@"
