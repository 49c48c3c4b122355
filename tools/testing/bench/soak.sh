#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# soak.sh [SECONDS [BACKEND...]] - one zcrx-recv under mixed load (soak-load) for so long (60), with each of
# the backends (copy epoll rbuf): copy and epoll over lo, in a network namespace of its own, rbuf in a
# guest with the emulated NIC.
#
# Every second the receiver's resident memory is looked at. It is flat when no sample of the last
# third is more than 1 MiB above all of those between a tenth and a third of the time. 10 000 connections
# there have to be, all of them counted. Prints TAP; exit status: 0 all is well, 1 not.

# shellcheck disable=SC2317 # a function is called by name
set -u
dir_here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
seconds=60
connections=10000
growth=1024

# PID FILE: a sample of its resident memory, KiB
sample() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status" >>"$2" 2>/dev/null; }

# FILE: judges the samples; the figures in $rss
flat() {
	rss=$(awk -v growth=$growth '
		{ v[NR] = $1 }
		END {
			for (i = int(NR / 10) + 1; i <= NR / 3; i++) if (v[i] > warm) warm = v[i]
			for (i = int(NR * 2 / 3) + 1; i <= NR; i++) if (v[i] > last) last = v[i]
			printf "%d KiB after warm-up, %d KiB at the end, %d samples", warm, last, NR
			exit !(NR >= 12 && last <= warm + growth)
		}' "$1")
}

# TITLE SAMPLES REPORT LOAD: what all runs are judged by
judge() {
	local loaded counted

	flat "$2"
	tap_result $? "$1: resident memory is flat: $rss"
	loaded=$(sed -n 's/^connections=\([0-9]*\).*/\1/p' "$4")
	counted=$(sed -n '/"event":"end"/s/.*"connections":\([0-9]*\).*/\1/p' "$3")
	tap_ok "$1: $(cat "$4")" test "${loaded:-0}" -ge $connections
	# the kernel tells of some that were reset before they were accepted, and of others not
	tap_ok "$1: ${counted:-no} connections were counted" test "${counted:-0}" -ge $connections -a \
		"${counted:-0}" -le "${loaded:-0}"
}

# In a namespace of its own: BACKEND SECONDS
on_host() {
	local load want=$1

	seconds=$2
	# it starts this script again in there
	set -- --host "$@"
	VARIANT=${VARIANT:-gcc}
	# shellcheck source=../e2e/host-lib.sh
	. "$dir_here/../e2e/host-lib.sh"
	backend=$want
	receive --json --interval 0 --discard
	perl "$dir_here/soak-load" 127.0.0.1 $port "$seconds" $connections >load &
	load=$!
	while kill -0 $load 2>/dev/null; do
		sample "$receiver" samples
		sleep 1
	done
	wait $load
	kill -INT "$receiver"
	received
	tap_eq "$status" 1 "$backend: it ends well, and says that connections broke off" || tap_diag "$(cat talk.txt)"
	judge "$backend" samples stdout load
	tap_done
}

guest_soak() { # SECONDS
	local rc=0

	flow_up
	recv_start --backend rbuf --interval 0 --discard
	peer_start "perl $dir_here/soak-load $ZCRX_GUEST $port $1 $connections"
	until [ -e "$work/peer/$peer_id.rc" ]; do
		sample "$recv_pid" "$work/samples"
		nap 1
	done
	peer_wait "$peer_id"
	kill -INT "$recv_pid"
	wait "$recv_pid" || rc=$?
	tap_eq "$rc" 1 "it ends well, and says that connections broke off" || tap_diag "$(cat "$work/recv.err")"
	judge load "$work/samples" "$work/recv.json" "$peer_out"
	at_least "$(recv_value zero_copy_percent)" 50
	tap_result $? "$(recv_value zero_copy_percent) % without a copy"
}

in_guest() { # SECONDS
	# shellcheck source=../e2e/lib.sh
	. "$dir_here/../e2e/lib.sh"
	need_kernel "$kernel"
	make_work
	vm_limit=$(($1 * 12 + 120)) vm "rbuf" soak --mtu 4148 -- "$1"
	tap_done
}

main() {
	local status=0 b

	[[ ${1:-60} =~ ^[1-9][0-9]*$ ]] || { echo 'usage: soak.sh [SECONDS [copy|epoll|rbuf]...]' >&2; exit 2; }
	seconds=${1:-60}
	[ $# -eq 0 ] || shift
	[ $# -gt 0 ] || set -- copy epoll rbuf
	for b; do
		echo "# $b, $seconds s"
		case $b in
		copy | epoll) "$0" --host "$b" "$seconds" || status=1 ;;
		rbuf) (in_guest "$seconds") || status=1 ;;
		*) echo "soak.sh: $b: not one of copy, epoll, rbuf" >&2; exit 2 ;;
		esac
	done
	exit $status
}

case ${1:-} in
--host) on_host "$2" "$3" ;;
--guest)
	. "$dir_here/../e2e/lib.sh"
	e2e_main "$@"
	;;
*) main "$@" ;;
esac
