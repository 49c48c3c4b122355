#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# disk.sh - from the NIC to a disk without a copy
#
# In a guest with the emulated NIC, at MTU 4148, zcrx-recv writes what zcrx-send and nc send to a file with
# O_DIRECT, on ext4 and on xfs, on a block device of the guest that a sparse file of the host is behind.
# Before that fio(1) writes as much to the same file system, with O_DIRECT and one request of 1 MiB at
# a time; dd(1) does where fio does not run, as it wants CONFIG_SYSVIPC. Printed are the bytes that had to be copied together first, and the throughput, also as a
# share of that. Of zcrx-send no byte but the tail may be copied; else the exit status is 1.
#
# The kernel has to have the block device (ubd of User Mode Linux) and the file systems. What it does not
# have is said; with none of them the guest's tmpfs has to do, which is no disk.
#
# ZCRX_BENCH_SIZE: of each stream, in MiB (default 256; 4096 shows more); ZCRX_BENCH_KERNEL: zc
# (default) or another of zcrx-vm, also the path of one with CONFIG_BLK_DEV_UBD, _EXT4_FS and _XFS_FS

# shellcheck source=../e2e/lib.sh disable=SC2317 # functions are called by name
. "$(dirname "$0")/../e2e/lib.sh"

size=${ZCRX_BENCH_SIZE:-256}
kernel=${ZCRX_BENCH_KERNEL:-zc}
mnt=/run/disk

has_fs() { grep -qw "$1" /proc/filesystems; }

# What the disk takes: sets $tool and $rate, bytes a second
yardstick() {
	local start

	tool=fio
	rate=$(fio --name=seq --filename="$mnt/fio" --rw=write --bs=1M --size="${size}M" --direct=1 --ioengine=psync \
		--minimal 2>/dev/null | awk -F ';' 'NF > 50 { print $48 * 1024 }')
	if [ -z "$rate" ]; then
		tool="dd"
		start=${EPOCHREALTIME/./}
		dd if=/dev/zero of="$mnt/fio" bs=1M count="$size" oflag=direct status=none &&
			rate=$(((size << 20) * 1000000 / (${EPOCHREALTIME/./} - start + 1)))
	fi
	rm -f "$mnt/fio"
	[ "${rate:-0}" -gt 0 ]
}

# of_file NAME: from the report's last line
of_file() { sed -n "/\"event\":\"end\"/s/.*\"file\":{[^}]*\"$1\":\([0-9a-z]*\).*/\1/p" "$work/recv.json"; }

# receives FS SENDER COMMAND: prints the line of the table
receives() {
	local rc=0

	recv_start --once -o "$mnt/file" --interval 0 --page-mss
	peer_limit=3600 peer "$3"
	tap_eq $? 0 "$2: the sender ends well" || tap_diag "$(cat "$peer_out")"
	wait "$recv_pid" || rc=$?
	tap_eq "$rc $(stat -c %s "$mnt/file")" "0 $((size << 20))" "$2: all of it is there" ||
		tap_diag "$(cat "$work/recv.err")"
	awk -v fs="$1" -v sender="$2" -v direct="$(of_file direct)" -v copied="$(of_file copied)" \
		-v written="$(of_file written)" -v rate="$(recv_value bits_per_second)" -v tool="$tool" -v best="$rate" 'BEGIN {
		printf "# %-6s %-10s %s  %11d of %11d bytes copied (%5.1f %%)  %7.1f MB/s  %5.1f %% of %s\n", fs, sender,
			direct == "true" ? "O_DIRECT" : "buffered", copied, written, written ? 100 * copied / written : 0,
			rate / 8e6, 100 * rate / 8 / best, tool }'
	[ "$2" != zcrx-send ] || [ "$(of_file direct)" != true ] ||
		tap_ok "$2: nothing but the tail was copied" test "$(of_file copied)" -lt "$(of_file block)"
	rm -f "$mnt/file"
}

# All of one file system, which is mounted
streams() { # FS
	local tool rate

	yardstick
	tap_result $? "$tool writes" || return
	awk -v fs="$1" -v tool="$tool" -v rate="$rate" \
		'BEGIN { printf "# %-6s %s, 1 MiB at a time: %7.1f MB/s\n", fs, tool, rate / 1e6 }'
	receives "$1" zcrx-send "$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes ${size}M --interval 0"
	receives "$1" nc "head -c ${size}M /dev/zero | nc.openbsd -N $ZCRX_GUEST $port"
}

guest_disk() { # FS
	mkdir -p "$mnt"
	if [ ! -b /dev/ubda ] || ! has_fs "$1"; then
		tap_skip "$1" "this kernel has no CONFIG_BLK_DEV_UBD, or no file system $1"
		return
	fi
	case $1 in
	ext4) mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/ubda ;;
	xfs) mkfs.xfs -q -f /dev/ubda ;;
	esac || { tap_result 1 "mkfs"; return; }
	tap_ok "mount" mount -t "$1" /dev/ubda "$mnt" || return
	flow_up
	streams "$1"
	umount "$mnt"
}

guest_memory() {
	mkdir -p "$mnt"
	mount -t tmpfs -o size=100% none "$mnt"
	flow_up
	streams tmpfs
	umount "$mnt"
}

main() {
	local fs before

	command -v fio mkfs.ext4 mkfs.xfs >/dev/null || tap_skip_all 'no fio, e2fsprogs or xfsprogs: scripts/setup installs them'
	need_kernel "$kernel"
	make_work
	for fs in ext4 xfs; do
		truncate -s 0 "$work/disk"
		truncate -s $((size * 2 + 1024))M "$work/disk"
		before=$tap_run
		vm_limit=7200 vm "$fs" disk --mtu 4148 --append "ubd0=$work/disk" -- "$fs"
		# of one that is skipped there are two lines
		[ $((tap_run - before)) -le 2 ] || disks=$((${disks:-0} + 1))
		grep '^# [a-z0-9]* .*MB/s' "$work/tap" >&2
	done
	[ "${disks:-0}" -gt 0 ] || {
		vm_limit=7200 vm tmpfs memory --mtu 4148 --mem $((size * 2 + 512))M
		grep '^# [a-z0-9]* .*MB/s' "$work/tap" >&2
	}
}

e2e_main "$@"
