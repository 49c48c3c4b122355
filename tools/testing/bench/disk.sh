#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# disk.sh - from the NIC to a disk without a copy
#
# In a guest with the emulated NIC, at MTU 4148, zcrx-recv writes what zcrx-send and nc send to a file with
# O_DIRECT, on ext4 and on xfs, on a block device of the guest that a sparse file of the host is behind.
# Printed are the bytes that had to be copied together first, and the throughput. Beside them is what
# fio(1) writes to the same file system, with O_DIRECT and 1 MiB a write: one at a time, and as many as
# zcrx-recv has under way. And what zcrx-recv receives without a file: a guest has one processor for all,
# so "of both" is the share of what receiving and then writing, one after the other, would come to. What the
# file has is read back from the disk and compared.
#
# Of zcrx-send no byte but the tail, which fills no block, may be copied; else the exit status is 1.
#
# ZCRX_BENCH_SIZE: of each stream, in MiB, a multiple of 256 (default 4096; without a file a quarter);
# ZCRX_BENCH_FS: "ext4 xfs" or one of them. TMPDIR (default /var/tmp) has the disk, which takes as much.

# shellcheck source=../e2e/lib.sh disable=SC2317 # functions are called by name
. "$(dirname "$0")/../e2e/lib.sh"

size=${ZCRX_BENCH_SIZE:-4096}
kernel=disk
mnt=/run/disk
# of each stream behind so many MiB: it fills no block
tail=1234
# writes that zcrx-recv has under way while it collects the next (tools/lib/writer.h)
depth=3
back=9998

# An empty file system, behind which the host has nothing, not even in its page cache
fresh() { # FS
	! mountpoint -q "$mnt" || umount "$mnt" || return
	peer "truncate -s 0 $work/disk && truncate -s $((size * 5 / 4 + 512))M $work/disk" || return
	case $1 in
	ext4) mkfs.ext4 -q -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 /dev/ubda ;;
	xfs) mkfs.xfs -q -f -K /dev/ubda ;;
	esac && mount -t "$1" /dev/ubda "$mnt"
}

row() { printf '# %-5s %-19s %12s %9s %9s %7s %8s %8s\n' "$@"; }

zero_copy() { awk -v n="$(recv_value zero_copy_percent)" 'BEGIN { printf "%.2f %%", n }'; }
mbytes() { awk -v n="$1" 'BEGIN { printf "%.1f", n / 1e6 }'; }
share() { awk -v n="$1" -v of="$2" 'BEGIN { printf "%.2f %%", of ? 100 * n / of : 0 }'; }
of_both() { awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN { printf "%.2f %%", 100 * n * (1 / a + 1 / b) }'; }

# What the disk takes, from one who reads nothing from a network: sets $rate, bytes a second
fio_writes() { # FS DEPTH
	fresh "$1" || return
	rate=$(fio --name=seq --filename="$mnt/file" --rw=write --bs=1M --size="${size}M" --direct=1 \
		--ioengine=io_uring --iodepth="$2" --fallocate=none --minimal 2>"$work/fio" |
		awk -F ';' 'NF > 50 { print $48 * 1024 }')
	[ "${rate:-0}" -gt 0 ] && row "$1" "fio, $2 under way" - - - "$(mbytes "$rate")" - -
}

# of_file NAME: from the report's last line
of_file() { sed -n "/\"event\":\"end\"/s/.*\"file\":{[^}]*\"$1\":\([0-9a-z]*\).*/\1/p" "$work/recv.json"; }

bytes_a_second() { awk -v n="$(recv_value bits_per_second)" 'BEGIN { printf "%d", n / 8 }'; }

# receive WHAT MIB COMMAND RECEIVER_OPTION...
receive() {
	peer_limit=1800 stream "mib=$2; $3" --backend rbuf --require-zerocopy --page-mss --interval 0 "${@:4}"
	tap_eq "$sent" 0 "$1: the sender ends well" || tap_diag "$(cat "$peer_out")"
	tap_eq "$received" 0 "$1: the receiver ends well" || tap_diag "$(cat "$work/recv.err")"
	tap_eq "$(recv_value bytes)" $((($2 << 20) + tail)) "$1: all of it comes"
}

# Without a file, then with one
to_file() { # FS SENDER COMMAND
	local alone rate bytes=$(((size << 20) + tail))

	receive "$2, no file" $((size / 4)) "$3" --discard
	alone=$(bytes_a_second)
	row "$1" "$2, no file" - - "$(zero_copy)" "$(mbytes "$alone")" "$(share "$alone" "$best")" -
	fresh "$1"
	tap_result $? "$2: a fresh file system" || return
	receive "$2" "$size" "$3" -o "$mnt/file"
	tap_eq "$(of_file direct) $(of_file written)" "true $bytes" "$2: all of it is written with O_DIRECT"
	rate=$(bytes_a_second)
	row "$1" "$2" "$(of_file copied)" "$(share "$(of_file copied)" "$bytes")" "$(zero_copy)" "$(mbytes "$rate")" \
		"$(share "$rate" "$best")" "$(of_both "$rate" "$alone" "$best")"
	# from the disk, and not from any memory
	umount "$mnt" && mount -t "$1" /dev/ubda "$mnt"
	tap_result $? "$2: mounted again"
}

# What nc sends, and how zcrx-recv compares the other's, so that neither has to compute while it is measured
repeated() { echo "for ((i = 0; i < $1 / 64; i++)); do cat $work/part; done; head -c $tail $work/part"; }

is_pattern() { # FILE
	local pid

	"$bin/zcrx-recv" --backend epoll -p "$back" --verify --once --interval 0 >"$work/verify" 2>&1 &
	pid=$!
	wait_for 5 listens "$back" && "$bin/zcrx-send" 127.0.0.1 "$back" -f "$1" --interval 0 >/dev/null 2>&1
	wait "$pid" || { tap_diag "$(cat "$work/verify")"; false; }
}

is_repeated() { cmp "$1" <(eval "$(repeated "$size")"); } # FILE

guest_disk() { # FS
	local best=0 rate n
	local pattern="$bin/zcrx-send $ZCRX_GUEST $port --pattern --bytes \$(((mib << 20) + $tail)) --interval 0"

	mkdir -p "$mnt"
	flow_up
	# the window in whole pages: where the disk is the slower of both, TCP cuts none then (zcrx-recv(1))
	sysctl -qw net.core.rmem_max=$((128 << 20))
	row '' '' 'bytes copied' share 'zero copy' MB/s 'of fio' 'of both'
	for n in 1 "$depth"; do
		fio_writes "$1" "$n"
		tap_result $? "fio, $n under way" || { tap_diag "$(cat "$work/fio")"; return; }
		[ "$rate" -le "$best" ] || best=$rate
	done
	to_file "$1" zcrx-send "$pattern"
	tap_eq "$(of_file copied)" $((tail % $(of_file block))) "zcrx-send: nothing but the tail is copied" ||
		tap_diag "$(cat "$peer_out" "$work/recv.err")"
	tap_ok "zcrx-send: every byte on the disk is right" is_pattern "$mnt/file"
	to_file "$1" nc "{ $(repeated "\$mib"); } | nc.openbsd -N $ZCRX_GUEST $port"
	tap_ok "nc: every byte on the disk is right" is_repeated "$mnt/file"
	umount "$mnt"
}

main() {
	local fs program

	((size > 0 && size % 256 == 0)) || { echo "Bail out! ZCRX_BENCH_SIZE=$size: give a multiple of 256"; exit 2; }
	for program in fio mkfs.ext4 mkfs.xfs; do
		command -v "$program" >/dev/null || tap_skip_all "no $program: scripts/setup installs fio, e2fsprogs and xfsprogs"
	done
	need_kernel "$kernel"
	make_work
	head -c 64M /dev/urandom >"$work/part"
	: >"$work/disk"
	truncate -s $((size * 5 / 4 + 512))M "$work/disk"
	for fs in ${ZCRX_BENCH_FS:-ext4 xfs}; do
		vm_limit=3600 vm "$fs" disk --mtu 4148 --append "ubd0=$work/disk" -- "$fs"
	done
}

e2e_main "$@"
