#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# scripts/zcrx-vm itself: streams, exit status, what the guest may write, peers,
# signals, crashes, several guests at once, and that nothing is left behind

# shellcheck source=lib.sh disable=SC2016,SC2317 # commands for the other side; functions called by name
. "$(dirname "$0")/lib.sh"

# vm_run LIMIT ARGUMENT...: zcrx-vm; leaves $rc, and what it said in $work/out and $work/err
vm_run() {
	local limit=$1

	shift
	rc=0
	(cd "$work/rw" && exec timeout -k 10 "$limit" "$top/scripts/zcrx-vm" run --kernel "$vm_kernel" "$@") \
		>"$work/out" 2>"$work/err" || rc=$?
}

said() { grep -qE -- "$1" "$work/err"; }

test_streams() {
	local sum

	head -c 3000000 /dev/urandom >"$work/random"
	sum=$(sha256sum <"$work/random")
	vm_run 60 -- bash -c 'cat; echo error >&2' <"$work/random"
	tap_eq "$rc" 0 "a command that copies its input"
	tap_eq "$(sha256sum <"$work/out")" "$sum" "3 MB of all bytes pass in and out unchanged"
	tap_eq "$(cat "$work/err")" error "stderr is kept apart, and has nothing else in it"
	tail -c 1000000 "$work/random" | vm_run 60 -- sha256sum
	tap_eq "$(cat "$work/out")" "$(tail -c 1000000 "$work/random" | sha256sum)" "input from a pipe, with its end"
	vm_run 60 -- echo early < <(exec sleep 5)
	tap_eq "$(cat "$work/out") $rc" "early 0" "a command that reads no input"
	timeout -k 10 60 "$top/scripts/zcrx-vm" run --kernel "$vm_kernel" --rw "$work/rw" -- yes 2>"$work/err" </dev/null |
		head -c 100000 | tail -c 4 >"$work/out"
	tap_eq "$(cat "$work/out")" "y
y" "a reader that goes away ends the writer in the guest"
}

test_status() {
	vm_run 60 -- bash -c 'exit 77'
	tap_eq "$rc" 77 "exit status"
	vm_run 60 -- bash -c 'kill -SEGV $$'
	tap_eq "$rc" 139 "death by a signal"
	vm_run 60 -- /no/such/program
	tap_eq "$rc" 127 "a program that is not there"
	vm_run 60 --mtu 20 -- true
	tap_eq "$rc" 2 "wrong usage"
	tap_ok "says which option and what it takes" said '--mtu 20: give a number from'
}

# A checkout whose path the kernel's command line would have in two words
test_odd_checkout() {
	local here="$work/a checkout"

	mkdir "$here"
	cp -r "$top/scripts" "$here/"
	ln -s "$top/build" "$top/linux" "$here/"
	rc=0
	timeout -k 10 60 "$here/scripts/zcrx-vm" run --kernel "$vm_kernel" --rw "$here" -- cp "$here/scripts/zcrx-vm" "$here/copy" \
		>"$work/out" 2>"$work/err" </dev/null || rc=$?
	tap_eq "$rc" 0 "a checkout with a space in its path"
	tap_ok "whose files the guest sees, and writes" cmp "$here/scripts/zcrx-vm" "$here/copy"
}

test_files() {
	vm_run 60 --mtu 4148 --queues 2 -- bash -c '
		pwd; echo kept >file; echo lost >/tmp/lost; touch "$HOME/x" "$PWD/../x" 2>/dev/null && echo bad
		cat /sys/class/net/eth0/mtu; ethtool -l eth0 | sed -n "s/^Combined:[^0-9]*//p" | tail -n 1; echo "$MY_OWN"
		ip -br addr show eth0 | grep -o "[0-9a-f.:]*/[26][4-9]*" | sort'
	tap_eq "$(cat "$work/out")" "$work/rw
4148
2

192.0.2.2/24
2001:db8::2/64
fe80::ff:fe57:5004/64" "directory, MTU, queues, addresses; nothing else can be written"
	tap_eq "$(cat "$work/rw/file")" kept "what it wrote is there"
	MY_OWN=hello vm_run 60 -- bash -c 'echo "$MY_OWN $0 $1"' 'a  b' 'c"$d'
	tap_eq "$(cat "$work/out")" 'hello a  b c"$d' "environment and arguments arrive as they are"
}

test_peer() {
	vm_run 60 --wait-port 7 --peer 'exec 3<>/dev/tcp/$ZCRX_GUEST/7; echo ping >&3; cat <&3; echo "from $ZCRX_IF"' \
		-- bash -c 'nc -l -N 7 <<<"pong from $ZCRX_IF"'
	tap_eq "$rc:$(cat "$work/out"):$(cat "$work/err")" "0:ping:pong from eth0
from tap0" "the peer talks to the guest; its output goes to stderr"
	vm_run 60 --peer 'exit 9' -- true
	tap_eq "$rc" 123 "a peer that fails"
	vm_run 60 --peer 'exit 9' -- sleep 100
	tap_eq "$rc" 123 "a peer that fails ends a command that waits for it"
	vm_run 60 --peer 'sleep 100' --peer-wait 0 -- true
	tap_eq "$rc" 0 "a peer that runs on is ended"
	vm_run 60 --peer 'exit 9' -- bash -c 'sleep 0.5; exit 3'
	tap_ok "its failure is said" said 'peer.s command failed with status 9'
}

interrupted() { # SIGNAL COMMAND: sends the signal once the command has said "start"
	local i pid

	: >"$work/out"
	(cd "$work/rw" && exec timeout -s KILL 60 "$top/scripts/zcrx-vm" run --kernel "$vm_kernel" -- bash -c "$2") \
		>"$work/out" 2>"$work/err" &
	pid=$!
	wait_for 30 grep -q start "$work/out"
	# to the child itself: timeout would pass it on twice
	kill "-$1" "$(pgrep -P $pid)"
	for ((i = 0; i < ${3:-0}; i++)); do
		sleep 0.5
		kill "-$1" "$(pgrep -P $pid)" 2>/dev/null
	done
	rc=0
	wait $pid || rc=$?
}

test_signals() {
	interrupted INT 'trap "echo told; exit 42" INT; echo start; sleep 60 & wait'
	tap_eq "$rc:$(tail -n 1 "$work/out")" 42:told "SIGINT reaches the command, whose status counts"
	interrupted TERM 'echo start; exec sleep 60'
	tap_eq "$rc" 143 "SIGTERM ends a command that does not mind"
	interrupted INT 'trap "" INT; echo start; sleep 60' 1
	tap_eq "$rc" 130 "a second SIGINT ends all"
}

test_crashes() {
	vm_run 60 --kernel-log "$work/log" -- bash -c 'echo c >/proc/sysrq-trigger; sleep 60'
	tap_eq "$rc" 125 "a guest that panics"
	tap_ok "the log that was asked for tells" grep -q 'Kernel panic' "$work/log"
	tap_ok "so does the message" said 'guest crashed'

	vm_run 60 --kernel-log "$work/log" -- bash -c 'echo "<4>WARNING: this is a test" >/dev/kmsg'
	tap_eq "$rc" 124 "a warning in the kernel log"
	tap_ok "the line is shown" said 'WARNING: this is a test'
	vm_run 60 --allow-log 'this is a [t]est' -- bash -c 'echo "<4>WARNING: this is a test" >/dev/kmsg'
	tap_eq "$rc" 0 "one that is expected"
	vm_run 60 --no-check-log -- bash -c 'echo "<4>WARNING: this is a test" >/dev/kmsg'
	tap_eq "$rc" 0 "one that nobody wants to know of"

	# the emulator is a child of the sandbox: found by the directory that only this run has
	vm_run 60 --kernel-log "$work/log" --trace "$work/rw/trace" --peer 'kill -9 $(pgrep -x bnxt-emu); sleep 60' -- sleep 60
	tap_eq "$rc" 125 "a NIC that dies"
	tap_ok "is named as the cause" said 'emulated NIC ended before the guest'
	vm_run 60 --emu-arg --no-such-option -- true
	tap_eq "$rc" 125 "a NIC that does not start"
	vm_run 60 --kernel-log "$work/log" --kernel /bin/false -- true
	tap_eq "$rc" 125 "a kernel that is none"
	vm_run 60 --kernel /no/such/file -- true
	tap_eq "$rc" 125 "a kernel that is not there"
}

test_parallel() {
	local i good=0

	for i in 1 2 3; do
		(cd "$work/rw" && exec timeout -s KILL 90 "$top/scripts/zcrx-vm" run --kernel "$vm_kernel" -- \
			bash -c "ping -q -c 2 192.0.2.1 >/dev/null && echo fine $i") >"$work/par.$i" 2>&1 &
	done
	wait
	for i in 1 2 3; do
		[ "$(cat "$work/par.$i")" != "fine $i" ] || good=$((good + 1))
	done
	tap_eq $good 3 "three guests at once, all with the same addresses"
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
	vm_kernel=${ZCRX_TEST_KERNEL:-stock}
	need_kernel "$vm_kernel"
	make_work
	mkdir "$work/rw"
	export VM_TEST_MARK=$work
	test_streams
	test_status
	test_odd_checkout
	test_files
	test_peer
	test_signals
	test_crashes
	test_parallel
	tap_eq "$(marked)" "" "no process is left"
	tap_ok "no interface, no file is left" test ! -e /sys/class/net/tap0 -a ! -e /dev/shm/vm
}

e2e_main "$@"
