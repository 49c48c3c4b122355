#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command line of scripts/zcrx-vm, as far as it gets without a guest: the help and
# the script name the same options, and what is wrong is said

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
tool=$(readlink -f "$here/../../../scripts/zcrx-vm")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

taken() { sed -n '/^parse_options()/,/^}/p' "$tool" | grep -oE -- '--[a-z][a-z-]*' | sort -u; }

# An option is explained where a line begins with it, or after a semicolon
explained() { "$tool" --help | grep -oE -- '(^  |[;|] )--[a-z][a-z-]*' | grep -oE -- '--[a-z-]*' | sort -u; }

# Whether the table says which options take a value is seen by leaving it out
wants_value() {
	local option

	for option in $(taken); do
		"$tool" run --mtu 1 "$option" 2>&1 | grep -q "^zcrx-vm: $option needs a value" && echo "$option"
	done
}

explained_with_value() { "$tool" --help | grep -oE -- "(^  |; )--[a-z-]* ['A-Z0-9]" | grep -oE -- '--[a-z-]*' | sort -u; }

run "$tool" --help
tap_eq "$status" 0 "--help"
tap_eq "$(explained)" "$(taken | grep -vx -e --help)" "explains each option that there is, and no other"
tap_eq "$(explained_with_value)" "$(wants_value)" "and which take a value"
tap_eq "$("$tool" --help | awk 'length > 100')" '' "in lines of at most 100 characters"

wrong() { # MESSAGE ARGUMENT...
	run "$tool" "${@:2}"
	tap_eq "$status: $(grep -oE -- "^zcrx-vm: $1" <<<"$out")" "2: zcrx-vm: $1" "wrong: ${*:2}"
}

wrong 'say what to do'
wrong 'jump: no such command' jump
wrong '--jump: no such option' run --jump
wrong 'true: no such option' run true
wrong '--cpus 0: give a number from 1 to' run --cpus 0 -- true
wrong '--cpus two: give a number' run --cpus two -- true
wrong '--mtu 67: give a number from 68 to 9500' run --mtu 67 -- true
wrong '--queues 33: give a number from 1 to 32' run --queues 33 -- true
wrong '--queues 9: give a number from 1 to 8' run --nics 2 --queues 9 -- true
wrong '--nics 2, --cable and --replay exclude each other' run --nics 2 --cable "$dir/x" -- true
wrong '--nics 2, --cable and --replay exclude each other' run --replay "$dir/x" --cable "$dir/x" -- true
wrong '--other-end is of a --cable' run --other-end -- true
wrong '--wait-port 0: give a number from 1 to 65535' run --wait-port 0 -- true
wrong '--mem 5: give a size such as' run --mem 5 -- true
wrong "--rw $dir/no: no such directory" run --rw "$dir/no" -- true

# a directory of its own hides these inside
elsewhere() { wrong "$1: it is in /dev/shm, of which the run sees one of its own" "${@:2}"; }

elsewhere '--kernel-log /dev/shm/zcrx-vm-test' run --kernel-log /dev/shm/zcrx-vm-test -- true
tap_ok "and is not written" test ! -e /dev/shm/zcrx-vm-test
for option in --trace --dma-trace --pcap --control --cable --replay; do
	elsewhere "$option /dev/shm/x/../y" run "$option" /dev/shm/x/../y -- true
done
elsewhere '--rw /dev/shm' run --rw /dev/shm -- true
ln -s /dev/shm "$dir/link"
elsewhere "--pcap $dir/link/x" run --pcap "$dir/link/x" -- true
cd /dev/shm || exit
elsewhere 'the current directory, /dev/shm' run --rw "$dir" -- true
cd "$dir" || exit

# The log of a run that failed, with no room to keep it
show_log() {
	seq 30 >"$dir/klog"
	bash -c 'say() { echo "$*"; }; cp() { return 1; }; kernel_log= klog=$1; eval "$2"; show_log 2>&1' - \
		"$dir/klog" "$(sed -n '/^show_log()/,/^}/p' "$tool")"
}
tap_eq "$(show_log | sed -n '1p;2p;$p' | xargs)" 'kernel log: not kept; its end: 11 30' "its end is shown all the same"

# KVM is tried with a QEMU, which ends with the script
cat >"$dir/qemu" <<'END'
#!/bin/bash
echo $$ >"${0%/*}/qemu.pid"
exec sleep 60
END
chmod 755 "$dir/qemu"
ZCRX_VM_QEMU=$dir/qemu image=x bash -c '. "$1"; kvm_boots "$2"' - "$tool-x86_64" "$dir/kvm.log" &
script=$!
for ((i = 0; i < 100; i++)); do
	[ ! -s "$dir/qemu.pid" ] || break
	sleep 0.1
done
sleep 0.2
kill -TERM "$script"
wait "$script"
tap_eq "$?" 143 "SIGTERM while KVM is tried"
for ((i = 0; i < 20; i++)); do
	kill -0 "$(<"$dir/qemu.pid")" 2>/dev/null || break
	sleep 0.1
done
tap_fails "ends that QEMU" '' kill -0 "$(<"$dir/qemu.pid")"
kill -KILL "$(<"$dir/qemu.pid")" 2>/dev/null
tap_done
