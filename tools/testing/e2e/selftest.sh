#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 900
#
# The series' kselftest of the user interface (drivers/net/hw/zc_rx), built by the kernel's own make
# with gcc and with clang, without a warning; then run in the guest, with a NIC that restarts as
# a whole and with one that restarts a queue

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

tests=drivers/net/hw/zc_rx
programs='zc_rx_reg zc_rx_ctrl zc_rx_ring zc_rx_recv zc_rx_end'
dir=$top/build/selftest

# What "make headers" and the programs need of the source
paths='Makefile Kbuild Kconfig include scripts arch/x86 tools/include tools/scripts usr/include
	tools/testing/selftests/Makefile tools/testing/selftests/lib.mk tools/testing/selftests/kselftest
	tools/testing/selftests/kselftest.h tools/testing/selftests/kselftest_harness.h
	tools/testing/selftests/'$tests

# build COMPILER: like somebody who tests a kernel
build() {
	make -s -C "$dir/src/tools/testing/selftests" O="$dir/$1" KHDR_INCLUDES="-isystem $dir/headers/usr/include" \
		CC="$1" TARGETS=$tests USERCFLAGS=-Werror
}

# The results of the harness, which has no dash before the name, and tells why before that
retell_ktap() { # PREFIX FILE
	local line why=''

	while IFS= read -r line; do
		case $line in
		'ok '*'# SKIP'*)
			line=${line#ok * }
			tap_skip "$1${line%% #*}" "${line#*# SKIP }"
			;;
		'ok '*) tap_result 0 "$1${line#ok * }" ;;
		'not ok '*) tap_result 1 "$1${line#not ok * }" || tap_diag "$why" ;;
		1..*) ktap_plan=$((ktap_plan + ${line#1..})) ;;
		'#  RUN '*) why='' ;;
		'# '*) why+=${why:+$'\n'}${line#\# } ;;
		esac
	done <"$2"
}

guest_selftest() { # COMPILER
	local p before ktap_plan=0 rc=0

	# few buffers in the NIC's ring, so that the tests can use up a small region
	tap_ok "a small ring" ethtool -G eth0 rx 63
	# where the kernel has such: User Mode Linux has none
	[ ! -e /proc/sys/vm/nr_hugepages ] || tap_ok "huge pages" sysctl -q vm.nr_hugepages=16
	before=$tap_run
	for p in $programs; do
		NETIF=eth0 ZC_RX_QUEUE=$queue ZC_RX_DISRUPT=1 ZC_RX_SLOW=$((5 * slow)) \
			"$dir/$1/kselftest/$tests/$p" >"$work/ktap" 2>&1
		retell_ktap "$p: " "$work/ktap"
		tap_ok "$p ran to its end" grep -q '^# Totals:' "$work/ktap" || tap_diag "$(tail -n 20 "$work/ktap")"
	done
	tap_eq "$((tap_run - before - $(wc -w <<<"$programs")))" "$ktap_plan" "each test that was planned has a result"
	# where there is nothing to test it is skipped, with a reason and status 4
	run env NETIF=lo "$dir/$1/kselftest/$tests/zc_rx_end" || rc=$?
	tap_eq "$rc" 4 "with a virtual interface: exit status"
	tap_eq "$(grep -c '^1..0 # SKIP lo: virtual interface' <<<"$out")" 1 "... and why" || tap_diag "$out"
}

guest_no_device() {
	local rc=0

	run env -u NETIF "$dir/gcc/kselftest/$tests/zc_rx_reg" || rc=$?
	tap_eq "$rc" 4 "without an interface: exit status"
	tap_eq "$(grep -c '^1..0 # SKIP NETIF is not set' <<<"$out")" 1 "... and why" || tap_diag "$out"
	rc=0
	run env NETIF=eth0 "$dir/gcc/kselftest/$tests/zc_rx_ring" || rc=$?
	tap_eq "$rc" 4 "on a kernel without the series: exit status"
	tap_eq "$(grep -c '^1..0 # SKIP this kernel has no IORING_REGISTER_ZC_RX_IFQ' <<<"$out")" 1 "... and why" ||
		tap_diag "$out"
}

main() {
	need_kernel "$kernel"
	make_work
	tap_ok "the source's files" "$top/scripts/kernel-tree" files "$dir/src" $paths
	tap_ok "the kernel's own headers" make -s -C "$dir/src" O="$dir/headers" headers
	for compiler in gcc clang; do
		if command -v $compiler >/dev/null; then
			tap_ok "builds with $compiler, without a warning" build $compiler
		else
			tap_skip "builds with $compiler, without a warning" "no $compiler"
		fi
	done
	vm "whole NIC restart" selftest --emu-arg --rfs=v2 -- gcc
	vm "queue restart" selftest --emu-arg --rfs=v3 --emu-arg --queue-restart -- gcc
	if [ "$arch" = um ]; then
		need_kernel stock
		vm_kernel=stock vm "no device" no_device
	fi
}

e2e_main "$@"
