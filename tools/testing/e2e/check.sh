#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 400
#
# zcrx-recv check: what can be wrong with kernel, process, NIC and steering is made wrong, one
# after the other; the check says so, by its code; the command that it prints is executed; and
# the check finds nothing any more. In the end what was made ready by these commands alone
# receives without a copy.

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"
# shellcheck source=check-lib.sh
. "$here/check-lib.sh"

guest_kernel_and_process() {
	finds "no interface" ZC013 -i eth9
	finds "loopback" ZC018 -i lo
	ip link add v0 type veth peer name v1
	ip link set v0 up
	finds "veth" ZC018 -i v0
	ip link del v0

	flow_up
	finds "as it should be" ''
	says "the backend is named" '^ok +zero copy .*--backend rbuf'
	says "and the sum" '^[0-9]+ ok(, [0-9]+ unknown)?: ready'

	sysctl -q kernel.io_uring_disabled=2
	mended "io_uring disabled" ZC001 'sysctl kernel.io_uring_disabled=0'

	setpriv --bounding-set=-net_admin --inh-caps=-net_admin zcrx-recv check -i eth0 -q $queue \
		-p $port --json >"$work/check.json" 2>"$work/check.txt"
	tap_eq "$? $(codes)" '3 ZC011' "no capability"
	says "no capability: the capability is named" 'CAP_NET_ADMIN'

	# the command is one of the shell that starts the receiver
	# shellcheck disable=SC2016 # expanded by that shell
	setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock bash -c '
		check() { zcrx-recv check -i eth0 -q "$0" -p "$1" --json 2>/dev/null; }
		ulimit -l 1024
		said=$(check "$@") && exit 1
		command=$(sed -n "/\"code\":\"ZC020\"/s/.*\"command\":\"\([^\"]*\)\".*/\1/p" <<<"$said")
		echo "$command"
		eval "$command" && check "$@" >/dev/null' $queue $port >"$work/memlock"
	tap_eq "$? $(cat "$work/memlock")" '0 ulimit -l 67584' "locked memory: ZC020, and mended"

	finds "more memory than there is" ZC022 --region 3G
	finds "a smaller region, as it says" '' --region 64M
	if grep -q hugetlbfs /proc/filesystems; then
		mended "huge pages" ZC021 'sysctl vm.nr_hugepages=32' --hugepages
		sysctl -q vm.nr_hugepages=0
	else
		finds "huge pages" ZC021 --hugepages
		says "huge pages: this kernel has none" 'no hugetlbfs'
	fi

	nc -l $port >/dev/null &
	wait_for 5 listening
	finds "a port in use" ZC030
	kill $!
	wait $! 2>/dev/null
	wait_for 5 eval '! listening'
	finds "the port is free" ''
	tap_fails "receiving without a device: too old a kernel" 'ZC125 .*ENOSYS' \
		zcrx-recv --backend upstream-nodev -p $port
}

guest_interface() {
	ethtool -L eth0 combined 4
	wait_for 5 link_is_up
	flow_up
	finds "as it should be" ''
	ip link set eth0 down
	mended "down" ZC015 'ip link set eth0 up'

	finds "no such queue" ZC014 -q 5
	mend "no such queue" ZC014 'ethtool -L eth0 combined 6'
	check -q 5
	tap_eq "$(codes)" 'ZC107' "more queues: there is queue 5, and the rule is not for it"
	finds "more queues than the device can have" ZC014 -q 65000
	tap_eq "$(member command ZC014)" '' "more queues than the device can have: no command"
	says "more queues than the device can have: but words" 'fix: .*-q with one'
	ethtool -L eth0 combined 4

	zcrx-split eth0 off >/dev/null
	mended "header/data split switched off" ZC111 'zcrx-split eth0 on 0'

	ethtool -G eth0 rx 2047
	finds "the ring takes half of the region" ''
	mended "a small region" ZC026 'ethtool -G eth0 rx 511' --region 16M
	ethtool -G eth0 rx 2047
	finds "the default ring" ZC026 --region 32M
	says "the ring's size is told" "this NIC's ring alone takes 32 MiB"
	says "and a region that would do" '--region 40M or more'
	finds "such a region" '' --region 40M
	check --region 39M --bind
	says "the kernel agrees that less is too small" 'kernel: .*more than 4/5'
	finds "and that it will do" '' --region 40M --bind
	ethtool -G eth0 rx 511

	# what zcrx-flow has switched on does not go with a program of the driver
	zcrx-split eth0 auto >/dev/null
	for how in '' generic; do
		xdp-load eth0 pass $how
		finds "an XDP program, ${how:-of the driver}" ZC100
		mend "an XDP program, ${how:-of the driver}" ZC100 "ip link set eth0 xdp${how:-drv} off"
		finds "without XDP program" ''
	done

	# which has taken the aggregation of packets off, and with it the rings for payload
	zcrx-split eth0 off >/dev/null
	check
	says "no rings for payload: it cannot be told" '^unknown +header split .*unless somebody has switched it off'
	check --bind
	tap_eq "$(codes)" ZC111 "but the kernel does" || tap_diag "$(cat "$work/check.txt")"
	says "in its words" 'kernel: +header/data split is off'
	mend "header/data split switched off, no rings for payload" ZC111 'zcrx-split eth0 on 0'
	finds "it is on again" '' --bind

	bnxt-emu ctl link down >/dev/null
	wait_for 5 eval '! link_is_up'
	finds "no link: nothing fails" ''
	tap_eq "$(warnings)" ZC104 "no link: is warned of"
	bnxt-emu ctl link up >/dev/null
	wait_for 5 link_is_up
	finds "the link is back" ''
	tap_eq "$(warnings)" '' "the link is back: no warning"
}

is_free() { check; [ "$status" -eq 0 ]; }
xdp_socket() { awk '$1 == "XDP" && $3 > 0 { n++ } END { exit !n }' /proc/net/protocols; }

guest_owner() {
	local process

	flow_up
	port=9998
	recv_start
	port=9999
	finds "another receiver" ZC016
	says "the process is named" "process $recv_pid \(zcrx-recv\)"
	zcrx-recv -i eth0 -q $queue -p $port --require-zerocopy >"$work/out" 2>"$work/err"
	tap_eq $? 3 "a second receiver is refused"
	tap_ok "for the same reason, and names it too" grep -q "process $recv_pid (zcrx-recv)" "$work/err" ||
		tap_diag "$(cat "$work/err")"
	mend "another receiver" ZC016 "kill $recv_pid"
	wait "$recv_pid"
	wait_for 5 is_free
	finds "the queue is free" ''

	xsk-bind eth0 $queue copy 60 &
	process=$!
	wait_for 5 xdp_socket
	finds "an AF_XDP socket somewhere: nothing fails" ''
	tap_eq "$(warnings)" ZC103 "an AF_XDP socket somewhere: is warned of"
	finds "on which queue it is: the kernel knows, when it is to bind that" ZC017 --bind
	says "in its words" 'kernel: +queue is bound to an AF_XDP socket'
	kill $process
	wait $process
	wait_for 5 eval '! xdp_socket'
	finds "its user has ended" '' --bind
	tap_eq "$(warnings)" '' "no AF_XDP socket: no warning"

	# --cpu: this machine has one, whose interrupts stay where they are
	finds "a processor that is not there" ZC114 --cpu 77 --bind
	says "a processor that is not there: the kernel's words" 'kernel: +CPU 77 is not online'
	if [ "$arch" = um ]; then
		finds "an interrupt that cannot be moved" ZC115 --cpu 0 --bind
	fi

	# a driver that cannot: only the kernel knows, when it is asked to
	echo '1 4' >/sys/bus/netdevsim/new_device
	process=$(basename "$(echo /sys/bus/netdevsim/devices/netdevsim1/net/* | cut -d ' ' -f 1)")
	ip link set "$process" up
	check -i "$process" -q 0 --bind
	tap_ok "a driver that cannot do it: found by binding" grep -q '"check":"bind","result":"failed","code":"ZC019"' \
		"$work/check.json" || tap_diag "$(cat "$work/check.txt")"
	says "with the kernel's words" 'kernel: .*device that does DMA'
	says "it has no filters either" 'FAILED +ntuple +ZC105 '
	says "before that it is not known" '^unknown +driver .*netdevsim'
	echo 1 >/sys/bus/netdevsim/del_device
}

# What only the kernel knows, when it is asked to bind the queue
guest_words() {
	flow_up
	finds "as it should be" '' --bind
	bnxt-emu ctl fault set hwrm-fail=RING_ALLOC:count=1 >/dev/null
	finds "a firmware that refuses a ring" ZC118 --bind
	bnxt-emu ctl fault clear >/dev/null
	wait_for 5 link_is_up
	finds "it refuses none" '' --bind

	zcrx-flow down eth0 --quiet
	ip link add above type bond
	ip link set eth0 down
	ip link set eth0 master above
	ip link set above up
	wait_for 5 link_is_up
	xdp-load above pass
	check --bind
	tap_eq "$(codes)" 'ZC108 ZC109 ZC113' "an XDP program of a bond" || tap_diag "$(cat "$work/check.txt")"
	ip link set above xdp off
	check --bind
	tap_eq "$(codes)" 'ZC108 ZC109' "without it"
}

guest_few_rings() {
	ethtool -K eth0 rx-gro-hw off
	ethtool -L eth0 combined 4
	check --bind
	tap_eq "$(codes)" 'ZC108 ZC109 ZC112' "too few rings to split" || tap_diag "$(cat "$work/check.txt")"
	ethtool -L eth0 combined 2
	check --bind -q 1
	tap_eq "$(codes)" 'ZC108 ZC109' "fewer queues, as it says"
}

guest_steering() {
	local code

	# the NIC as it is after boot
	ethtool -K eth0 ntuple off
	check
	tap_eq "$status $(codes)" '3 ZC106 ZC109' "as it is after boot"
	tap_ok "rules are not looked at where there can be none" grep -q '"check":"steering","result":"skipped"' "$work/check.json"
	mend "ntuple filters off" ZC106 'ethtool -K eth0 ntuple on'
	finds "not steered" 'ZC108 ZC109'
	for queue in 0 1 3; do
		check
		mend "RSS, queue $queue" ZC109 "ethtool -X eth0 $(case $queue in
			0) echo start 1 equal 3 ;;
			1) echo weight 1 0 1 1 ;;
			3) echo equal 3 ;;
			esac)"
		finds "RSS, queue $queue, mended" ZC108
	done
	ethtool -N eth0 flow-type tcp4 dst-port $port action 1
	finds "steered to another queue" ZC107
	says "which one is told" 'leads port 9999 to queue 1, and not to queue 3'
	mend "steered to another queue" ZC107 "ethtool -N eth0 delete $(ethtool -n eth0 | sed -n 's/^Filter: //p')"
	finds "that rule is gone" ZC108
	ethtool -N eth0 flow-type tcp4 dst-port 9998 action $queue
	finds "a rule for another port is none" ZC108
	finds "but without a port any rule will do" '' -p 9998
	ethtool -N eth0 flow-type tcp4 dst-port $port action $queue
	finds "a rule for IPv4" ''
	says "is told to be that" 'IPv4 of port 9999'
	finds "is none for IPv6" ZC108 -6
	ethtool -n eth0 | sed -n 's/^Filter: //p' | while read -r code; do ethtool -N eth0 delete "$code"; done

	# what a refused receiver says besides
	ip link set eth0 down
	zcrx-recv -i eth0 -q $queue -p $port --require-zerocopy --hugepages >"$work/out" 2>"$work/err"
	tap_eq $? 3 "refused"
	tap_ok "the cause comes first" grep -q '^zcrx-recv: ZC021' "$work/err"
	tap_ok "what else is not ready after it" grep -q '^zcrx-recv: ZC015' "$work/err" || tap_diag "$(cat "$work/err")"
	ip link set eth0 up
	wait_for 5 link_is_up

	check
	mend "not steered" ZC108 "zcrx-flow up eth0 --queue 3 --port 9999"
	finds "ready" '' --bind
	recv_start --once --verify --require-zerocopy=99
	peer "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 4M --wait 5"
	tap_eq $? 0 "the sender ends well"
	status=0
	wait "$recv_pid" || status=$?
	tap_eq $status 0 "and all of it came without a copy" || tap_diag "$(cat "$work/recv.err")"
	tap_ok "zcrx-flow down" zcrx-flow down eth0 --quiet
}

# What a receiver that works warns of
guest_warnings() {
	local send="$bin/zcrx-send $ZCRX_GUEST $port --pattern --wait 5" stopped=''

	# not to queue 3, where chance might lead it
	ethtool -X eth0 equal 3
	warns "not steered" ZC081 yes "$send --bytes 4M" --verify
	flow_up
	warns "steered" ZC081 no "$send --bytes 4M" --verify
	warns "a small completion ring" ZC082 yes "$send --bytes 32M" --verify --cq 4
	warns "the usual one" ZC082 no "$send --bytes 32M" --verify
	# what does not fit waits, and four times the region comes all the same
	warns "a small refill ring: all comes back" ZC083 no "$send --bytes 64M" --verify --rq 8 --region 16M --require-zerocopy=90

	much_waits
	stopped="wait_for 20 so_much_waits $((12 << 20))"
	warns "a region smaller than what waits in the socket" ZC083 yes "$send --bytes 16M" --verify --region 1M
	tap_ok "and what came then was copied" grep -q '^zcrx-recv: ZC090 ' "$work/recv.err" || tap_diag "$(cat "$work/recv.err")"
	warns "a larger one" ZC083 no "$send --bytes 16M" --verify --region 64M
	tap_fails "and nothing was copied" '' grep -q '^zcrx-recv: ZC090 ' "$work/recv.err"
}

# zcrx-send --zerocopy out of the guest
guest_sender() {
	sends() {
		peer_start "timeout 60 nc.openbsd -l $port >/dev/null"
		"$bin/zcrx-send" "$ZCRX_PEER" "$port" --wait 10 --zerocopy --pattern --bytes 1M 2>"$work/sent" >&2
		tap_eq $? 0 "$1: the sender ends well"
		peer_wait "$peer_id"
	}
	ethtool -K eth0 sg off >/dev/null
	sends "a NIC that sends from one piece of memory"
	tap_ok "it is said to be that" grep -q '^zcrx-send: ZC068 .* eth0 cannot send from several pieces' "$work/sent" ||
		tap_diag "$(cat "$work/sent")"
	tap_ok "the command" eval "$(sed -n 's/^  fix: *\(ethtool -K .*\)/\1/p' "$work/sent")"
	sends "which has been mended"
	tap_fails "nothing is copied" '' grep -q 'ZC068' "$work/sent"
}

guest_stock() {
	check
	tap_eq "$status" 3 "a kernel without"
	says "is told to be one" 'ZC010 '
	says "which makes trying to bind pointless" 'see|ZC010'
}

main() {
	local said rc=0

	need_kernel "$kernel"
	need_kernel "$stock"
	make_work
	vm "machine" kernel_and_process
	vm "interface" interface --queues 8 --mtu 1500
	vm "owner" owner
	vm "kernel's words" words --emu-arg --rfs=v3 --emu-arg --queue-restart
	vm "few rings" few_rings --emu-arg --rx-rings=5
	vm "steering" steering
	vm "warnings" warnings --mtu 4148
	vm "sender" sender
	vm_kernel=$stock vm "stock" stock
	said=$("$top/tools/testing/json-lines.sh" "$top/tools/zcrx-recv/report.schema.json" "$work/check-lines") || rc=$?
	case $rc in
	77) tap_skip 'JSON lines are what the schema says' 'no python3-jsonschema' ;;
	*) tap_eq "$said" 'check check_end check_start' 'JSON lines are what the schema says' ;;
	esac
}

e2e_main "$@"
