#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 500
# alone
#
# The emulated NIC in QEMU, by vfio-user: Debian's kernel 6.12 with two processors, its
# driver as it is shipped. Short; ZCRX_TEST_ARCH=x86_64 lets other tests run there.
# ZCRX_TEST_SECONDS is how long each iperf3 runs (default: 2)

# shellcheck source=lib.sh disable=SC2317,SC2016 # functions are called by name
. "$(dirname "$0")/lib.sh"

arch=x86_64
vm_kernel=debian-6.12
# without KVM, on processors that others use as well
vm_limit=250
seconds=${ZCRX_TEST_SECONDS:-2}

# Interrupts of the NIC's vectors so far, per vector
interrupts() { awk '/eth0-/ { n = 0; for (i = 2; i <= 3; i++) n += $i; print n }' /proc/interrupts; }

guest_nic() {
	local n rule before rate

	tap_eq "$(nproc)" 2 "two processors"
	tap_ok "Debian's kernel: $(uname -r)" grep -q Debian /proc/version
	tap_eq "$(ethtool -i eth0 | sed -n 's/^driver: //p')" bnxt_en "its driver has the NIC"
	tap_ok "loaded as a module" test -d /sys/module/bnxt_en/sections
	tap_ok "ethtool eth0 shows a link" sh -c 'ethtool eth0 | grep -q "Speed: 100000Mb/s"'
	tap_eq "$(ethtool -l eth0 | awk '/^Combined/ { v = $2 } END { print v }')" 4 "4 queues"
	tap_eq "$(interrupts | wc -l)" 4 "each has its vector"
	tap_ok "ping, IPv4" ping -q -c 20 -i 0.05 "$ZCRX_PEER"
	tap_ok "ping, IPv6" ping -q -c 20 -i 0.05 "$ZCRX_PEER6"

	iperf_server 5201
	# of 32 streams each queue gets some, but once in 2000 times
	for n in '' -R '-P 32'; do
		iperf_peer "iperf3 -J -c $ZCRX_GUEST -t $seconds $n"
		tap_eq $? 0 "iperf3 ${n:-to the guest}" || tap_diag "$(tail -n 5 "$peer_out")"
		rate=$(awk '/"sum_received"/ { on = 1 } on && /bits_per_second/ { printf "%d", $2 / 1e6; exit }' "$peer_out")
		tap_ok "iperf3 ${n:-to the guest}: $rate Mbit/s, at least 5" test "${rate:-0}" -ge 5
	done
	tap_eq "$(interrupts | awk '$1 < 10' | wc -l)" 0 "all vectors were used" || tap_diag "$(interrupts | xargs)"

	# this firmware has the third generation of the flow table, as this kernel can use it
	tap_ok "ethtool -X context new" ethtool -X eth0 context new equal 2
	tap_ok "ethtool -X context delete" ethtool -X eth0 context 1 delete
	rule=$(ethtool -N eth0 flow-type tcp4 dst-port 7001 action 2 | sed -n 's/Added rule with ID //p')
	tap_ok "ethtool -N" test -n "$rule"
	before=$(interrupts | sed -n 3p)
	nc -l 7001 >"$work/got" &
	peer "until head -c 3000000 /dev/zero | nc -N $ZCRX_GUEST 7001; do sleep 0.1; done"
	wait $!
	n=$(interrupts | sed -n 3p)
	tap_ok "its packets come to queue 2: $((n - before)) interrupts" test $((n - before)) -gt 5
	tap_eq "$(stat -c %s "$work/got")" 3000000 "all of them"

	for n in 1 8 4; do
		tap_ok "ethtool -L combined $n" ethtool -L eth0 combined "$n"
		tap_ok "traffic then" ping -q -c 3 -i 0.05 "$ZCRX_PEER"
	done
	tap_ok "ethtool -G" ethtool -G eth0 rx 1023 tx 255
	tap_ok "MTU 9000" ip link set eth0 mtu 9000
	tap_ok "traffic then" ping -q -c 3 -i 0.05 -s 1400 "$ZCRX_PEER"
	for n in 1 2 3; do
		tap_ok "down and up, $n" sh -c 'ip link set eth0 down && ip link set eth0 up'
	done
	tap_ok "traffic then" ping -q -c 3 -i 0.2 -W 5 "$ZCRX_PEER"
	tap_ok "driver away and back" sh -c 'd=$(basename $(readlink /sys/class/net/eth0/device)) &&
		cd /sys/bus/pci/drivers/bnxt_en && echo $d >unbind && echo $d >bind'
	tap_ok "function level reset" sh -c 'ip link set eth0 down &&
		echo 1 >/sys/class/net/eth0/device/reset && ip link set eth0 up'
	ip addr add "$ZCRX_GUEST/24" dev eth0 2>/dev/null
	tap_ok "traffic then" ping -q -c 3 -i 0.2 -W 5 "$ZCRX_PEER"
}

run() { # LIMIT ARGUMENT...: sets $rc
	rc=0
	(cd "$work" && exec timeout -k 10 "$1" "$top/scripts/zcrx-vm" run --arch x86_64 --kernel "$vm_kernel" "${@:2}") \
		>"$work/out" 2>"$work/err" || rc=$?
}

# Processes that a run has started carry this in their environment
marked() {
	local env pid

	for env in /proc/[0-9]*/environ; do
		pid=${env//[^0-9]/}
		[[ $pid != "$$" && $pid != "$BASHPID" ]] || continue
		tr '\0' '\n' <"$env" | grep -qxF "VM_TEST_MARK=$work" && tr '\0' ' ' <"${env%environ}cmdline"
	done 2>/dev/null
}

main() {
	need_kernel "$vm_kernel"
	make_work
	export VM_TEST_MARK=$work
	vm "debian-6.12" nic --cpus 2

	head -c 1000000 /dev/urandom >"$work/random"
	run 60 -- bash -c 'sha256sum; echo lost >&2; touch /etc/x && echo bad; echo kept >file; exit 77' <"$work/random"
	tap_eq "$rc:$(cat "$work/out")" "77:$(sha256sum <"$work/random")" "input, output and exit status"
	tap_ok "stderr is kept apart" grep -qx lost "$work/err"
	tap_eq "$(cat "$work/file")" kept "what it wrote is there"

	: >"$work/out"
	(cd "$work" && exec timeout -s KILL 60 "$top/scripts/zcrx-vm" run --arch x86_64 --kernel "$vm_kernel" -- \
		bash -c 'trap "" INT; echo start; sleep 60') >"$work/out" 2>"$work/err" </dev/null &
	wait_for 40 grep -q start "$work/out"
	for _ in 1 2; do
		kill -INT "$(pgrep -P $!)"
		sleep 0.5
	done
	rc=0
	wait $! || rc=$?
	tap_eq "$rc" 130 "a second SIGINT ends all"
	tap_eq "$(marked)" "" "no process is left"
	tap_ok "no interface, no file is left" test ! -e /sys/class/net/tap0 -a ! -e /dev/shm/vm
}

e2e_main "$@"
