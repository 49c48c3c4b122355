#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 400
#
# What an administrator changes on the NIC while a queue is bound: after each change the queue
# still receives without a copy, or the change was refused with a reason and the queue still
# receives without a copy.

# shellcheck source=lib.sh disable=SC2317,SC2086 # functions are called by name
. "$(dirname "$0")/lib.sh"

size=$((2 << 20))
# 3276 of its 4096 pages may be in the ring
region=16M

# bytes and the part of them that came without a copy, of the intervals behind line $1
received_since() {
	awk -v from="$1" -F'[:,}]' '
		NR > from && /"event":"interval"/ {
			for (i = 1; i < NF; i++) {
				if ($i == "\"bytes\"") n = $(i + 1)
				if ($i == "\"zero_copy_percent\"") p = $(i + 1)
			}
			sum += n
			zc += n * p / 100
		}
		END { printf "%d %d\n", sum, zc }' "$work/recv.json"
}

all_there() { # LINE [BYTES]
	local all rest

	read -r all rest < <(received_since "$1")
	[ "$all" -ge "${2:-$size}" ]
}

# TITLE: the bound queue receives, right, and without a copy: 99 %, as the receiver may not be there in time for the last
# free pages of a small region
still_zero_copy() {
	local from all zc

	from=$(wc -l <"$work/recv.json")
	if ! peer "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes $size --wait 5"; then
		tap_result 1 "$1: data arrives" || tap_diag "$(cat "$peer_out" "$work/recv.err")"
		return
	fi
	wait_for 5 all_there "$from"
	read -r all zc < <(received_since "$from")
	tap_ok "$1: $zc of $all bytes came without a copy" test "$all" -eq $size -a "$zc" -ge $((size - size / 100))
}

link_is_up() { ip link show eth0 | grep -q LOWER_UP; }

# TITLE COMMAND...: works, and goes on without a copy
honoured() {
	local title=$1

	shift
	tap_ok "$title: is done" "$@"
	wait_for 5 link_is_up
	still_zero_copy "$title"
}

# TITLE PATTERN COMMAND...: is refused for a reason
refused() {
	tap_fails "$1: is refused in words" "${@:2}"
	wait_for 5 link_is_up
	still_zero_copy "$1 was refused"
}

steer() { ethtool -N eth0 flow-type tcp4 dst-port $port action $queue; }
rule() { ethtool -n eth0 | sed -n 's/^Filter: //p'; }

setup() {
	tap_ok "other traffic leaves the queue alone" ethtool -X eth0 equal $queue
	tap_ok "the flow goes to it" steer
}

bind_queue() { recv_start --verify --interval 0.05 --region $region --connections 1000 "$@"; }

unbind_queue() {
	kill -INT "$recv_pid"
	receiver_ends 0 "$1: the receiver ends well, all data was right"
}

# TITLE REASON QUEUE: a receiver that gets one after all would wait for ever
no_binding() {
	tap_fails "$1" "$2" timeout -s INT $((5 * slow)) "$bin/zcrx-recv" -i eth0 -q "$3" -p $((port + 1)) --require-zerocopy
}

# Programs and sockets that want frames of their own
guest_xdp() {
	setup
	bind_queue
	still_zero_copy "bound"
	refused "an XDP program of the driver" "memory provider" "$bin/xdp-load" eth0 pass
	refused "a generic XDP program" "memory provider" "$bin/xdp-load" eth0 pass generic
	refused "an AF_XDP socket without copies" "not supported|busy" "$bin/xsk-bind" eth0 $queue zerocopy
	honoured "an AF_XDP socket that copies" "$bin/xsk-bind" eth0 $queue copy
	unbind_queue "XDP"

	tap_ok "unbound: a program of the driver" "$bin/xdp-load" eth0 pass
	no_binding "and then no binding" "an XDP program is attached" $queue
	tap_ok "unbound: off with it" "$bin/xdp-load" eth0 off
	bind_queue
	still_zero_copy "bound again"
	unbind_queue "again"
}

guest_changes() {
	setup
	bind_queue
	still_zero_copy "bound"

	honoured "ethtool -L, more queues" ethtool -L eth0 combined 6
	honoured "ethtool -L, one above the bound queue" ethtool -L eth0 combined $((queue + 1))
	refused "ethtool -L below a rule" "ntuple filter" ethtool -L eth0 combined $queue
	tap_ok "the rule goes" ethtool -N eth0 delete "$(rule)"
	tap_fails "ethtool -L below the bound queue: is refused in words" "memory provider" ethtool -L eth0 combined $queue
	tap_ok "the rule comes back" steer
	still_zero_copy "the rule came back"
	honoured "ethtool -X" ethtool -X eth0 equal 2
	refused "ethtool -K ntuple off" "rule $(rule) steers to queue $queue" ethtool -K eth0 ntuple off

	for mtu in 1500 9000 4148; do
		honoured "MTU $mtu" sh -c "ip link set eth0 mtu $mtu"
	done
	honoured "ethtool -G rx 255" ethtool -G eth0 rx 255
	refused "ethtool -G rx 1000, 4 pages each" "4[0-9]{3} pages.* 4000:" ethtool -G eth0 rx 1000
	honoured "rx-gro-hw off" ethtool -K eth0 rx-gro-hw off
	honoured "ethtool -G rx 1250, 2 pages each" ethtool -G eth0 rx 1250
	refused "MTU 9000, 3 pages each" "4[0-9]{3} pages.* 3750:" ip link set eth0 mtu 9000
	refused "rx-gro-hw on, 4 pages each" "4[0-9]{3} pages.* 5000:" ethtool -K eth0 rx-gro-hw on
	refused "lro on, 4 pages each" "4[0-9]{3} pages.* 5000:" ethtool -K eth0 lro on
	honoured "MTU 1500" ip link set eth0 mtu 1500
	honoured "ethtool -G rx 255" ethtool -G eth0 rx 255
	honoured "lro on" ethtool -K eth0 lro on
	honoured "rx-gro-hw on" ethtool -K eth0 lro off rx-gro-hw on
	honoured "down and up" sh -c 'ip link set eth0 down && ip link set eth0 up'
	unbind_queue "changes"
}

# MODE [THRESHOLD]
split() { "$bin/zcrx-split" eth0 "$@"; }

# TITLE MODE THRESHOLD: what the kernel says
split_is() { tap_eq "$("$bin/zcrx-split" eth0)" "$2 $3" "$1: header/data split is $2, threshold $3"; }

# TITLE PATTERN: what the device does, for all VNICs alike
placement_is() {
	local vnics

	vnics=$("$bin/bnxt-emu" ctl vnics | grep '^vnic')
	tap_eq "$(grep -c . <<<"$vnics")" "$(grep -c -- "$2" <<<"$vnics")" "$1: the device: $2" || tap_diag "$vnics"
}

# A transfer with copies, while nothing is bound
copied() {
	wait_for 5 link_is_up
	recv_start --verify --once --backend copy
	peer "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes $size --wait 5"
	receiver_ends 0 "$1: data arrives"
}

# Header/data split and its threshold, as the user sets them
guest_split() {
	setup
	split_is "as the driver likes it" on 256
	tap_ok "a threshold" split on 300
	split_is "a threshold" on 300
	placement_is "a threshold" "split-ipv6 .*split above 300"
	copied "a threshold"
	"$bin/bnxt-emu" ctl fault set hwrm-fail=VNIC_PLCMODES_CFG:count=1 >/dev/null
	tap_fails "a threshold that the firmware does not take" "firmware refuses to change header/data split" split on 310
	"$bin/bnxt-emu" ctl fault clear >/dev/null
	split_is "it was not taken" on 300
	placement_is "it was not taken" "split-ipv6 .*split above 300"
	tap_fails "a threshold that is too large" "maximum of 1023" split on 1024
	tap_ok "off" split off
	split_is "off" off 300
	placement_is "off" "places jumbo ("
	copied "off"
	no_binding "off, and then no binding" "tcp-data-split" $queue
	tap_ok "auto" split auto
	split_is "auto" on 300

	bind_queue
	split_is "bound" on 0
	placement_is "bound" "split-ipv6 .*split above 0"
	still_zero_copy "bound"
	refused "off while bound" "queue $queue has a memory provider" split off
	refused "a threshold while bound" "queue $queue has a memory provider.* threshold 0" split on 256
	honoured "on while bound" split on 0
	honoured "auto while bound" split auto
	honoured "another ring while bound" ethtool -G eth0 rx 255
	unbind_queue "split"
	split_is "unbound, as set while bound" on 0
	tap_ok "a threshold" split auto 200
	bind_queue
	split_is "bound again" on 0
	unbind_queue "again"
	split_is "unbound" on 200
	placement_is "unbound" "split-ipv6 .*split above 200"

	# aggregation rings only because of the split
	tap_ok "MTU 1500, without TPA" sh -c "ip link set eth0 mtu 1500; ethtool -K eth0 rx-gro-hw off"
	split_is "without TPA" off 200
	tap_ok "on without TPA" split on 128
	split_is "on without TPA" on 128
	placement_is "on without TPA" "split-ipv6 .*split above 128"
	copied "on without TPA"
	tap_fails "an XDP program" "tcp-data-split is on" "$bin/xdp-load" eth0 pass
	tap_ok "auto without TPA" split auto
	split_is "auto without TPA" off 128
	copied "auto without TPA"
	tap_ok "an XDP program then" "$bin/xdp-load" eth0 pass
	tap_fails "on with an XDP program" "an XDP program is attached" split on
	tap_ok "and without" "$bin/xdp-load" eth0 off
	bind_queue
	still_zero_copy "bound without TPA"
	unbind_queue "without TPA"
	split_is "unbound without TPA" off 128
}

faults_were() { "$bin/bnxt-emu" ctl stats | grep -q "^fault_hwrm_fail:* *$1\$"; }

# Rings that the firmware refuses to free. They would be missing when the next ones are made, and might
# be used meanwhile, although their buffers were given back
guest_rings_left() {
	local all k entries

	setup
	bind_queue
	all=$(rings_made)
	for k in 0 1 2 3; do
		ring_stays $k
		ip link set eth0 down
		stayed "ring $k is not freed" $((k + 1))
		tap_eq "$(rings_made)" 0 "ring $k is not freed: the device has none left"
		honoured "ring $k is not freed, down and up" ip link set eth0 up
	done
	# only the rings are made anew, as a rule
	for k in 0 1 2 3; do
		entries=$((200 + k))
		ring_stays $k
		tap_ok "ethtool -G, ring $k is not freed" ethtool -G eth0 rx $entries
		stayed "ethtool -G, ring $k is not freed" $((k + 5))
		tap_eq "$(rings_made)" "$all" "ethtool -G, ring $k is not freed: the device has as many as before"
		still_zero_copy "ethtool -G, ring $k is not freed"
	done
	unbind_queue "rings left"
}

rings_made() { "$bin/bnxt-emu" ctl rings | grep -c .; }
ring_stays() { "$bin/bnxt-emu" ctl fault set hwrm-fail=RING_FREE:count=1:after="$1" >/dev/null; }
stayed() { # TITLE TIMES
	tap_ok "$1: one fault" faults_were "$2"
	"$bin/bnxt-emu" ctl fault clear >/dev/null
}

# TITLE: the driver has been away, and what was set with it
works_anew() {
	ethtool -L eth0 combined 4
	ip link set eth0 mtu 4148 up
	ip addr add "$ZCRX_GUEST/24" dev eth0
	setup
	bind_queue
	wait_for 5 link_is_up
	still_zero_copy "$1"
	unbind_queue "$1"
}

# All devices suspend, and resume a second later
suspend() { echo mem >/sys/power/state; }

ended() { [ ! -e /proc/$1 ] || grep -q '^State:.*Z' /proc/$1/status; } # PID: of a child

# The NIC loses all that the firmware knew of it. A resume brings back the binding with the rest; one that the
# firmware refuses leaves a device that is absent, until the driver probes it anew
guest_suspend() {
	local pci=/sys/bus/pci/drivers/bnxt_en dev from

	dev=$(nic_address)
	echo devices >/sys/power/pm_test
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	setup
	bind_queue
	still_zero_copy "bound"
	honoured "suspend and resume" suspend
	from=$(wc -l <"$work/recv.json")
	peer_start "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 256M --wait 5"
	wait_for 5 all_there "$from"
	tap_ok "suspend in a stream" suspend
	tap_ok "the stream goes on to its end" peer_wait "$peer_id" || tap_diag "$(cat "$peer_out")"
	tap_ok "all of it arrives" wait_for 5 all_there "$from" $((256 << 20))
	still_zero_copy "suspend in a stream"
	tap_ok "suspend while down" sh -c "ip link set eth0 down && echo mem >/sys/power/state"
	honoured "up after that" ip link set eth0 up

	"$bin/bnxt-emu" ctl fault set hwrm-fail=FUNC_RESET:count=1 >/dev/null
	suspend
	tap_ok "the firmware refuses to resume" faults_were 1
	"$bin/bnxt-emu" ctl fault clear >/dev/null
	no_binding "the NIC is absent" "ZC116" 0
	kill -INT "$recv_pid"
	wait_for 5 ended "$recv_pid"
	receiver_ends 0 "and what was bound ends well"
	# as the message says
	tap_ok "the driver probes it anew" sh -c "echo $dev >$pci/unbind && echo $dev >$pci/bind"
	works_anew "then"
}

closed() { [ "$("$bin/bnxt-emu" ctl rings | grep -c .)" = 0 ]; }

# TITLE RESETS: the driver has one more behind it than these
through_with_it() {
	tap_ok "$1: the driver is through with it" wait_for 30 fw_reset_after "$2"
	wait_for 5 link_is_up
}

# TITLE KIND: the firmware fails, the driver resets it, the binding is there again
firmware_fails() {
	local before

	before=$(fw_resets)
	"$bin/bnxt-emu" ctl fw-error "$2" >/dev/null
	through_with_it "$1" "$before"
}

# Firmware that fails, or is updated: for some seconds the NIC is closed, though the stack has it running
guest_firmware() {
	local before kind

	setup
	bind_queue
	for kind in nonfatal fatal silent; do
		firmware_fails "$kind" $kind
		still_zero_copy "$kind"
		before=$(fw_resets)
		"$bin/bnxt-emu" ctl fw-error $kind >/dev/null
		tap_ok "$kind again, the NIC is closed" wait_for 10 closed
		# what takes longest first: the NIC is back within seconds
		no_binding "$kind, meanwhile: no other binding" "ZC132" 0
		unbind_queue "$kind, meanwhile"
		# those that the firmware of --rfs=v2 does not have at all
		tap_fails "$kind, meanwhile: no RSS context" "temporarily unavailable|not supported" ethtool -X eth0 context new
		through_with_it "$kind again" "$before"
		bind_queue
		wait_for 5 link_is_up
		still_zero_copy "$kind, bound after it"
	done
	before=$(fw_resets)
	tap_ok "ethtool --reset" ethtool --reset eth0 all
	through_with_it "ethtool --reset" "$before"
	still_zero_copy "ethtool --reset"
	unbind_queue "firmware"

	# what it had not freed the reset has
	ring_stays 0
	tap_ok "a ring is not freed" ethtool -G eth0 rx 255
	"$bin/bnxt-emu" ctl fault clear >/dev/null
	firmware_fails "a ring is not freed, fatal" fatal
	bind_queue
	still_zero_copy "a ring was not freed, bound after the reset"
	unbind_queue "a ring was not freed"
}

# The function may access memory: PCI_COMMAND_MASTER
dma_is_on() { [ $(($(od -An -tu1 -j4 -N1 "/sys/bus/pci/devices/$(nic_address)/config") & 4)) -ne 0 ]; }
dma_is_off() { ! dma_is_on; }

# COMMAND...: after it the receiver is killed, with data on its way to it
killed() {
	peer "timeout 20 $bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 1T --pace 100M >/dev/null 2>&1 &"
	wait_for 5 sh -c "[ \$(wc -l <'$work/recv.json') -gt 3 ]"
	"$@"
	kill -KILL "$recv_pid"
	wait "$recv_pid"
}

# Firmware that does not answer frees no rings. Nobody has noticed it yet when the binding ends: the ring, which goes
# on to write, must not do that to what the process was given back
guest_fw_gone() {
	local before n

	setup
	for n in 1 2 3; do
		bind_queue
		wait_for 5 link_is_up
		before=$(fw_resets)
		killed "$bin/bnxt-emu" ctl fw-error silent
		tap_ok "$n: DMA is off" wait_for 5 dma_is_off
		tap_ok "$n: the interface has not gone down" sh -c 'ip link show eth0 | grep -q "[<,]UP[,>]"'
		through_with_it "$n" "$before"
		tap_eq "$(dmesg | grep -c "Firmware does not answer, DMA is off")" $n "$n: by the end of the binding"
	done
	before=$(fw_resets)
	"$bin/bnxt-emu" ctl fw-error silent >/dev/null
	no_binding "a binding begins" "ZC132" $queue
	through_with_it "a binding begins" "$before"

	# without these the NIC has payload rings for bound queues alone
	tap_ok "MTU 1500, without TPA" sh -c "ip link set eth0 mtu 1500; ethtool -K eth0 rx-gro-hw off"
	bind_queue
	wait_for 5 link_is_up
	before=$(fw_resets)
	killed "$bin/bnxt-emu" ctl fw-error silent
	through_with_it "no payload rings" "$before"
	copied "no payload rings"
	bind_queue
	still_zero_copy "at the end"
	unbind_queue "at the end"
}

unheard() { "$bin/bnxt-emu" ctl fault set hwrm-timeout=VER_GET,hwrm-timeout=FUNC_RESET >/dev/null; }

# The NIC is stopped, and comes up only after the firmware has been there again
left_alone() {
	bind_queue
	wait_for 5 link_is_up
	killed unheard
	tap_ok "$1: DMA is off" wait_for 10 dma_is_off
	no_binding "$1: no other binding" "ZC132" $queue
	tap_ok "$1: the interface goes down" ip link set eth0 down
	tap_fails "$1: and not up" "Input/output error" ip link set eth0 up
	tap_ok "$1: without DMA" dma_is_off
	"$bin/bnxt-emu" ctl fault clear >/dev/null
}

# The same with firmware that nobody resets: once it answers again, what it knew of the NIC is reset first
guest_dma_off() {
	local pci=/sys/bus/pci/drivers/bnxt_en dev

	dev=$(nic_address)
	setup
	left_alone "it answers again"
	tap_ok "it answers again: the interface comes up" ip link set eth0 up
	tap_ok "it answers again: with DMA" dma_is_on
	bind_queue
	wait_for 5 link_is_up
	still_zero_copy "it answers again"

	# it answers, and refuses
	"$bin/bnxt-emu" ctl fault set hwrm-fail=RING_FREE:count=1,hwrm-fail=FUNC_RESET >/dev/null
	ip link set eth0 down
	tap_ok "a ring is not freed, no reset: DMA is off" dma_is_off
	tap_fails "a ring is not freed, no reset: the interface stays down" "Input/output error" ip link set eth0 up
	"$bin/bnxt-emu" ctl fault clear >/dev/null
	honoured "a ring is not freed, a reset then" ip link set eth0 up
	unbind_queue "a ring is not freed"

	left_alone "the driver goes"
	tap_ok "the driver goes and comes" sh -c "echo $dev >$pci/unbind && echo $dev >$pci/bind"
	tap_ok "the driver comes: with DMA" dma_is_on
	works_anew "the driver comes"
}

# A queue that has received, and whose restart the firmware refuses, goes on with its old rings. These have fewer
# buffers than entries, so that which entries are filled changes with each packet
guest_old_rings() {
	local n

	setup
	tap_ok "rings of 300 in 512 entries" ethtool -G eth0 rx 300
	for n in 1 2 3; do
		copied "$n: before"
		"$bin/bnxt-emu" ctl fault set hwrm-fail=RING_ALLOC:count=1 >/dev/null
		no_binding "$n: no ring, no binding" "restart of the queue failed" $queue
		"$bin/bnxt-emu" ctl fault clear >/dev/null
		copied "$n: the old rings"
		bind_queue
		still_zero_copy "$n: bound"
		"$bin/bnxt-emu" ctl fault set hwrm-fail=RING_ALLOC:count=1 >/dev/null
		unbind_queue "$n: no ring for the time after it"
		"$bin/bnxt-emu" ctl fault clear >/dev/null
	done
	copied "at the end"
}

queues() { ethtool -l eth0 | awk '/^Combined/ { n = $2 } END { print n }'; }

# TITLE: the bound queue is none of those that the driver has by default, which a reload gives the NIC
reload() {
	tap_ok "$1: devlink reload" devlink dev reload "pci/$(nic_address)"
	tap_ok "$1: $(queues) queues, without the bound one" test "$(queues)" -le $queue
}

# All queues again, and what goes to the bound one
all_queues() {
	tap_ok "$1: all queues again" ethtool -L eth0 combined 4
	wait_for 5 link_is_up
	tap_ok "$1: the flow goes to it" steer
}

# No "ethtool -X": a table with more queues than are left crashes the driver (Documentation/emulator.rst)
guest_reload() {
	local pci=/sys/bus/pci/drivers/bnxt_en dev

	dev=$(nic_address)
	tap_ok "the flow goes to the queue" steer
	bind_queue
	still_zero_copy "bound"
	reload "bound"
	tap_fails "bound: still no XDP program" "memory provider" "$bin/xdp-load" eth0 pass
	all_queues "bound"
	still_zero_copy "bound, all queues again"
	reload "unbound after it"
	unbind_queue "unbound after it"
	all_queues "unbound after it"
	bind_queue
	still_zero_copy "bound again"
	reload "the driver goes after it"
	tap_ok "the driver goes" timeout 10 sh -c "echo $dev >$pci/unbind"
	kill -INT "$recv_pid"
	receiver_ends 0 "without it the receiver ends well"
	tap_ok "the driver comes back" sh -c "echo $dev >$pci/bind"
}

# COUNTER: of ethtool -S
counter() { ethtool -S eth0 | awk -F': *' -v name="$1" '{ gsub(/^ +/, "") } index($0, name ": ") == 1 { print $NF }'; }

spare_used() { at_least "$(counter "[$queue]: rx_zc_spare_bufs")" 1; }

guest_counters() {
	local bytes spare total

	setup
	tap_ok "MTU 1500, without TPA" sh -c "ip link set eth0 mtu 1500; ethtool -K eth0 rx-gro-hw off"
	tap_eq "$(counter rx_total_zc_bytes)" 0 "nothing is counted yet"
	bind_queue
	still_zero_copy "bound"
	bytes=$(counter "[$queue]: rx_zc_bytes")
	# and some of them twice, if they had to be sent twice
	tap_ok "each byte is counted: $bytes" test "$bytes" -ge $size -a "$bytes" -le $((size + size / 8))
	tap_ok "each packet is counted: $(counter "[$queue]: rx_zc_packets")" at_least "$(counter "[$queue]: rx_zc_packets")" $((size / 1460))
	tap_eq "$(counter "[$queue]: rx_zc_spare_bufs")" 0 "the region was never empty"
	tap_eq "$(counter "[0]: rx_zc_bytes")" 0 "no other ring has any"
	unbind_queue "counters"

	# one that does not read, so that nothing comes back
	echo $((32 << 20)) >/proc/sys/net/core/rmem_max
	bind_queue --rcvbuf 32M
	kill -STOP "$recv_pid"
	peer_start "timeout -s KILL $((20 * slow)) $bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes 64M --wait 5"
	wait_for 10 spare_used
	spare=$(counter "[$queue]: rx_zc_spare_bufs")
	tap_ok "the region was empty: $spare spare buffers" at_least "$spare" 1
	kill -CONT "$recv_pid"
	kill -INT "$recv_pid"
	wait "$recv_pid"
	peer_wait "$peer_id"
	total=$(counter rx_total_zc_bytes)
	tap_ok "the sum: $total bytes" at_least "$total" $((size + 1))
	ip link set eth0 down
	ip link set eth0 up
	tap_eq "$(counter rx_total_zc_bytes)" "$total" "the sum is kept when the rings are made anew"
	tap_ok "and that of the spare buffers" at_least "$(counter rx_total_zc_spare_bufs)" "$spare"
}

# The CPU that the bound queue's interrupt may run on
irq_cpu() {
	local irq

	irq=$(awk -v name="eth0-TxRx-$queue" '$NF == name { sub(":", "", $1); print $1 }' /proc/interrupts)
	cat "/proc/irq/$irq/smp_affinity_list"
}

# The CPU of registration, whatever restarts the NIC
guest_cpu() {
	local cpu

	setup
	for cpu in 0 1; do
		bind_queue --cpu $cpu
		tap_eq "$(irq_cpu)" $cpu "CPU $cpu: bound"
		ip link set eth0 down
		ip link set eth0 up
		tap_eq "$(irq_cpu)" $cpu "CPU $cpu: down and up"
		ethtool -L eth0 combined 6
		tap_eq "$(irq_cpu)" $cpu "CPU $cpu: ethtool -L"
		ethtool -G eth0 rx $((200 + cpu))
		tap_eq "$(irq_cpu)" $cpu "CPU $cpu: ethtool -G"
		ip link set eth0 mtu $((2000 + cpu))
		tap_eq "$(irq_cpu)" $cpu "CPU $cpu: MTU"
		wait_for 5 link_is_up
		still_zero_copy "CPU $cpu"
		unbind_queue "CPU $cpu"
	done

	ip link set eth0 down
	"$bin/zcrx-recv" -i eth0 -q $queue -p $port --require-zerocopy --cpu 1 >/dev/null 2>"$work/recv.err" &
	recv_pid=$!
	wait_for 5 listening
	ip link set eth0 up
	tap_eq "$(irq_cpu)" 1 "bound while down: the CPU it wants" || tap_diag "$(cat "$work/recv.err")"
	kill -INT "$recv_pid"
	wait "$recv_pid"
}

# A stream to a program that reads on the second processor: TITLE
read_there() {
	local pid rc=0

	taskset -c 1 "$bin/zcrx-recv" --backend copy -p $((port + 1)) --once >/dev/null 2>"$work/plain.err" &
	pid=$!
	peer "$bin/zcrx-send $ZCRX_GUEST $((port + 1)) --pattern --bytes 16M --wait 5"
	wait $pid || rc=$?
	tap_eq $rc 0 "$1" || tap_diag "$(cat "$peer_out" "$work/plain.err")"
}

# Filters for single flows, which nobody but accelerated RFS asks for
flow_filters() { "$bin/bnxt-emu" ctl filters | grep -c 'source port'; }

# Flows go to the queue of the processor where they are read, but neither to a bound one nor away from it
guest_arfs() {
	local queue=1 n

	tap_ok "two queues, one in RSS" sh -c "ethtool -L eth0 combined 2 && ethtool -X eth0 equal 1"
	tap_ok "the flow goes to the other" steer
	echo 32768 >/proc/sys/net/core/rps_sock_flow_entries
	for n in 0 1; do
		echo 2048 >"/sys/class/net/eth0/queues/rx-$n/rps_flow_cnt"
	done
	bind_queue --cpu 1
	read_there "a stream that is read where the bound queue's interrupt is"
	tap_eq "$(flow_filters)" 0 "it does not go to the bound queue" || tap_diag "$("$bin/bnxt-emu" ctl filters)"
	still_zero_copy "read elsewhere than its interrupt is"
	tap_eq "$(flow_filters)" 0 "it does not leave the bound queue" || tap_diag "$("$bin/bnxt-emu" ctl filters)"
	unbind_queue "accelerated RFS"
	read_there "the same when nothing is bound"
	tap_ok "that goes to the other queue" at_least "$(flow_filters)" 1
}

main() {
	# what is done while the firmware is away takes longer on a slow machine
	local fw boot=$((slow > 15 ? 30000 : slow > 1 ? 2000 * slow : 300))

	need_kernel "$kernel"
	make_work
	for fw in "--rfs=v2" "--rfs=v3 --emu-arg --queue-restart"; do
		vm "${fw%% *}" xdp --mtu 1500 --queues 6 --emu-arg $fw
		vm "${fw%% *}" changes --mtu 4148 --queues 6 --emu-arg $fw
		vm "${fw%% *}" split --mtu 4148 --emu-arg $fw
		# what the guest's files are on does not suspend with QEMU (virtio's 9P)
		[ "$arch" != um ] || vm "${fw%% *}" suspend --mtu 4148 --emu-arg $fw --allow-log 'hwrm req_type 0x11|: PM: .*-16'
		vm "${fw%% *}" firmware --mtu 4148 --emu-arg $fw --emu-arg --fw-boot=$boot --allow-log 'Abandoning msg|Error \(timeout|hwrm_ring_free type'
		vm "${fw%% *}" old_rings --mtu 1500 --emu-arg $fw --allow-log 'hwrm_ring_alloc type'
		vm "${fw%% *}" reload --mtu 4148 --emu-arg $fw --allow-log 'net/devlink/dev.c.*devlink_reload'
		vm "${fw%% *}" counters --mtu 1500 --emu-arg $fw
		vm "${fw%% *}" rings_left --mtu 1500 --emu-arg $fw --allow-log 'hwrm_ring_free type'
		# User Mode Linux of 6.12 has one
		[ "$arch" = um ] || vm "${fw%% *}" cpu --mtu 1500 --emu-arg $fw
	done
	vm "the firmware is gone" fw_gone --mtu 4148 --emu-arg --rfs=v3 --emu-arg --queue-restart \
		--allow-log 'Abandoning msg|Error \(timeout|hwrm_ring_free type'
	vm "nobody resets it" dma_off --mtu 4148 --emu-arg --rfs=v2 --emu-arg --no-error-recovery \
		--allow-log 'Abandoning msg|Error \(timeout|hwrm_ring_free type|function \(rc|DMA is off'
	# which takes several, and the third generation of the flow table
	[ "$arch" = um ] || vm "RFS" arfs --mtu 4148 --emu-arg --rfs=v3 --emu-arg --queue-restart
}

e2e_main "$@"
