#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
# alone
#
# Whichever backend receives, wherever the data goes, whoever sends: the same sha256, and without a
# copy and page-aligned as much as the documentation promises. With the series' kernel, with Linux
# 7.3, and over lo with this machine's own, where the programs are those with sanitizers.
#
#	ZCRX_TEST_SIZE       what one transfer carries (default: 3000123)
#	ZCRX_TEST_COLUMNS    kernels (default: host zc upstream, with valgrind host)
#	ZCRX_TEST_ALL=1      every sender with every sink also where a guest copies; else each once there
#	ZCRX_TEST_VALGRIND=1 receiver and zcrx-send under valgrind: seconds for each transfer, so
#	                     everywhere each sender and each sink once. No sanitizers then

# shellcheck source=lib.sh disable=SC2317,SC2016 # functions called by name; the peer's variables
. "$(dirname "$0")/lib.sh"

size=${ZCRX_TEST_SIZE:-3000123}
columns=host
[ -n "${ZCRX_TEST_VALGRIND:-}" ] || columns='host zc upstream'
columns=${ZCRX_TEST_COLUMNS:-$columns}

# valgrind and sanitizers exclude each other
host_variant=${ZCRX_TEST_VALGRIND:+gcc}
host_variant=${host_variant:-asan}
patience=${ZCRX_TEST_VALGRIND:+10}
patience=${patience:-1}

# What receives with a kernel, and after that what receives without copies
declare -A copying=([host]='copy epoll' [zc]='copy epoll' [upstream]='copy epoll upstream-nodev')
declare -A zero_copy=([zc]=rbuf [upstream]=upstream)

# name | options of the receiver | where the bytes are then, nowhere: their hash is in the report
sinks='
discard   | --discard --hash sha256         |
verify    | --verify --hash sha256          |
stdout    | -o -                            | $scratch/stdout
file      | --buffered -o $scratch/file     | $scratch/file
O_DIRECT  | -o $direct/file                 | $direct/file
directory | -o $scratch/dir/                | $scratch/dir/*
'

# name | % that is page-aligned at least, of what is not copied | options of the receiver | command
# nc, ncat and socat send 8 or 16 KiB at once, which TCP cuts where it likes when the receiver is
# slow: nothing is promised of them
senders='
nc.openbsd      |  0 | --page-mss | nc.openbsd -N $ZCRX_GUEST $port <$work/input
nc.traditional  |  0 | --page-mss | nc.traditional -q 0 $ZCRX_GUEST $port <$work/input
ncat            |  0 | --page-mss | ncat --send-only $ZCRX_GUEST6 $port <$work/input
socat           |  0 | --page-mss | socat -u STDIN TCP:$ZCRX_GUEST:$port <$work/input
zcrx-send       | 99 |            | $wrap $bin/zcrx-send $ZCRX_GUEST $port -f $work/input
'

# The same, which differ in how they send: into one sink are enough
ways='
zcrx-send --hello            | 99 | --hello | $wrap $bin/zcrx-send $ZCRX_GUEST $port --hello -f $work/input
zcrx-send --hello --zerocopy | 99 | --hello | $wrap $bin/zcrx-send $ZCRX_GUEST6 $port --hello --zerocopy -f $work/input
zcrx-send --hello --sendfile | 99 | --hello | $wrap $bin/zcrx-send $ZCRX_GUEST $port --hello --sendfile -f $work/input
zcrx-send <                  | 99 |         | $wrap $bin/zcrx-send $ZCRX_GUEST6 $port <$work/input
'

# And who has no need of a guest
declare -A more_ways=([host]='
ssh -W                   | 0 | --page-mss | $work/ssh -W 127.0.0.1:$port host <$work/input
nc.openbsd, IPv6         | 0 | --page-mss | nc.openbsd -N ::1 $port <$work/input
ncat, IPv4               | 0 | --page-mss | ncat --send-only 127.0.0.1 $port <$work/input
socat, IPv6              | 0 | --page-mss | socat -u STDIN TCP:[::1]:$port <$work/input
socat with small writes  | 0 | --page-mss | socat -u -b 1460 STDIN TCP:127.0.0.1:$port,nodelay <$work/input
dd in odd pieces to ncat | 0 | --page-mss | dd bs=4999 status=none if=$work/input | ncat --send-only 127.0.0.1 $port
bash                     | 0 | --page-mss | cat $work/input >/dev/tcp/127.0.0.1/$port
bash, IPv6               | 0 | --page-mss | cat $work/input >/dev/tcp/::1/$port
curl                     | 0 | --page-mss | curl -s -m 2 telnet://127.0.0.1:$port <$work/text; [ $? = 28 ]
curl, IPv6               | 0 | --page-mss | curl -s -m 2 telnet://[::1]:$port <$work/text; [ $? = 28 ]
')

# rows FUNCTION TABLE [ARGUMENT...]: calls FUNCTION for each row, with its fields after the ARGUMENTs
rows() {
	local field rest i
	local -a fields

	while IFS= read -r rest <&3; do
		[ -n "$rest" ] || continue
		fields=()
		# the last one may have bars
		for ((i = 0; i < 4; i++)); do
			field=$rest
			((i == 3)) || field=${rest%%|*}
			rest=${rest#"$field"}
			rest=${rest#|}
			field=${field#"${field%%[! ]*}"}
			fields+=("${field%"${field##*[! ]}"}")
		done
		"$1" "${@:3}" "${fields[@]}"
	done 3<<<"$2"
}

# A server that only loopback reaches, and $work/ssh as a client that it lets in. It has the mounts for
# itself: the only user is made for this, and his home has the key
start_ssh() {
	local dir=$work/sshd

	for_ssh=''
	command -v dropbear >/dev/null && command -v ssh >/dev/null || return
	mkdir -p "$dir/home/.ssh" && chmod 700 "$dir/home" "$dir/home/.ssh" &&
		dropbearkey -t ed25519 -f "$dir/host" >/dev/null 2>&1 &&
		ssh-keygen -q -t ed25519 -N '' -f "$dir/key" &&
		install -m 600 "$dir/key.pub" "$dir/home/.ssh/authorized_keys" || return
	echo "root:x:0:0:root:$dir/home:/bin/sh" >"$dir/passwd"
	mount --bind "$dir/passwd" /etc/passwd || return
	cat >"$work/ssh" <<-END
		#!/bin/sh
		exec ssh -F none -i $dir/key -p 2222 -o HostName=127.0.0.1 -o User=root -o IdentitiesOnly=yes \
			-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "\$@"
	END
	chmod +x "$work/ssh"
	dropbear -F -E -s -P '' -p 127.0.0.1:2222 -r "$dir/host" 2>"$dir/log" &
	for_ssh=$!
	wait_for 5 listens 2222
}

stop_ssh() {
	[ -z "$for_ssh" ] || kill "$for_ssh"
	umount /etc/passwd 2>/dev/null
}

# The report of the transfer: sets $end, and $hash if there is one
read_report() {
	local line

	# data has standard output for itself
	[ -z "$recv_out" ] || grep '^{' "$work/recv.err" >"$work/recv.json"
	end='' hash=''
	while read -r line; do
		[[ $line != '{"event":"end"'* ]] || end=$line
		[[ ! $line =~ \"sha256\":\"([0-9a-f]+)\" ]] || hash=${BASH_REMATCH[1]}
		printf '%s\n' "$line" >>"$work/lines"
	done <"$work/recv.json"
}

# reported FIELD: sets $value, whole numbers
reported() {
	value=0
	[[ ! $end =~ \"$1\":([0-9]+) ]] || value=${BASH_REMATCH[1]}
}

# What is wrong with the transfer that was: sets $wrong; $shares has what came how
judge() { # BACKEND MIN_ALIGNED SENDER WANTED_SUM ARRIVED_SUM
	wrong=''
	[ "$sent" -eq 0 ] || wrong+=", the sender's exit status is $sent"
	[ "$received" -eq 0 ] || wrong+=", the receiver's exit status is $received"
	[ "$5" = "$4" ] || wrong+=", sha256 $5 and not $4"
	[[ $3 == zcrx-send* ]] || [ ! -s "$peer_out" ] || wrong+=", something is said to the sender"
	reported zero_copy_percent
	shares="$value % without a copy"
	case $1 in
	rbuf | upstream)
		[ "$value" -ge 99 ] || wrong+=", less than 99 % came without a copy"
		reported aligned_percent
		shares+=", $value % page-aligned"
		[ "$value" -ge "$2" ] || wrong+=", less than $2 % is page-aligned"
		;;
	*)
		reported zero_copy_bytes
		[ "$value" -eq 0 ] || wrong+=", $value bytes pretend that they were not copied"
		;;
	esac
	! grep -q ZC084 "$work/recv.err" || wrong+=", the kernel has counted otherwise"
}

# cell BACKEND SENDER MIN_ALIGNED OPTIONS COMMAND SINK OPTIONS WHERE: one transfer, one result
cell() {
	local backend=$1 sender=$2 aligned=$3 command=$5 sink=$6 where=$8 input=input end hash value wrong shares sum
	local title="$backend, $2, $sink"
	local -a options=()

	[[ $command != *work/text* ]] || input=text
	# names of directories are expanded
	eval "options=($4 $7); where=\"$where\""
	recv_out=''
	[ "$sink" != stdout ] || recv_out=$where
	stream "port=$port work=$work bin=$bin wrap='${recv_wrap[*]-}'; $command" --backend "$backend" "${options[@]}"
	read_report
	if [ -n "$where" ]; then
		# shellcheck disable=SC2086 # of a directory it is a pattern
		hash=$(cat $where | sha256sum)
		hash=${hash%% *}
		# shellcheck disable=SC2086
		rm -f $where
	fi
	read -r sum <"$work/$input.sum"
	judge "$backend" "$aligned" "$sender" "$sum" "$hash"
	if [ "$sink" = O_DIRECT ] && [[ -z $wrong && $(<"$work/recv.json") != *'"direct":true'* ]]; then
		tap_skip "$title" "this file system has no O_DIRECT"
		return
	fi
	tap_eq "${wrong#, }" '' "$title: sha256, $shares" ||
		tap_diag "$(cat "$peer_out" "$work/recv.err")"
}

# Calls cell for the senders and sinks that are to be had
with_sink() { # BACKEND SENDER MIN_ALIGNED OPTIONS COMMAND SINK OPTIONS WHERE IGNORED
	[ "$6" != O_DIRECT ] || [ -n "$direct" ] || return 0
	sink_number=$((sink_number + 1))
	case $how in
	all) ;;
	one) [ "$6" = file ] || return 0 ;;
	each) (((sender_number - sink_number) % 5 == 0)) || return 0 ;;
	esac
	cell "${@:1:8}"
}

with_sender() { # BACKEND NAME MIN_ALIGNED OPTIONS COMMAND
	local sink_number=0 program=${5#'$wrap '}

	program=${program%% *}
	program=${program/'$work'/$work}
	[[ $program == '$bin'* ]] || command -v "$program" >/dev/null || {
		tap_skip "$1, $2" "no ${program##*/} (scripts/setup installs it)"
		return
	}
	sender_number=$((sender_number + 1))
	rows with_sink "$sinks" "$@"
}

with_backend() { # BACKEND all|each|one: of a sender's sinks
	local how=$2 sender_number=0

	rows with_sender "$senders" "$1"
	how=one
	rows with_sender "$ways" "$1"
}

# O_DIRECT needs a disk. The guests' is a file in their memory; a kernel for User Mode Linux
# has no block devices
find_direct() {
	direct=/run/direct
	modprobe -q -a loop ext4
	if truncate -s "$((64 << 20))" /run/disk && mkfs.ext4 -q /run/disk 2>/dev/null && mkdir "$direct" &&
		mount -o loop /run/disk "$direct" 2>/dev/null; then
		return
	fi
	rm -f /run/disk
	direct=''
	tap_skip "O_DIRECT" "this kernel has no disk and no file system that know it"
}

guest_matrix() { # COLUMN
	local backend how=each scratch=/run/scratch direct

	if [ "$1" = host ] && [ "$patience" = 1 ] || [ -n "${ZCRX_TEST_ALL:-}" ]; then
		how=all
	fi
	slow=$((slow * patience))
	if [ "$1" = host ]; then
		scratch=$work/scratch
		direct=$scratch
		bin=$top/build/$host_variant
		start_ssh
	else
		find_direct
	fi
	mkdir -p "$scratch/dir"
	ways+=${more_ways[$1]-}
	[ "$patience" = 1 ] || recv_wrap=(valgrind -q --error-exitcode=99 --leak-check=full
		--errors-for-leak-kinds=definite)
	for backend in ${copying[$1]}; do
		with_backend "$backend" "$how"
	done
	[ -z "${zero_copy[$1]-}" ] || tap_ok "zcrx-flow up" flow_up
	[ "$patience" != 1 ] || how=all
	for backend in ${zero_copy[$1]-}; do
		with_backend "$backend" "$how"
	done
	[ "$1" != host ] || stop_ssh
}

# From a guest, whose NIC takes pages where they are
guest_sends() {
	local rc=0

	peer_start "timeout 60 nc.openbsd -l $port >$work/arrived"
	nap 1
	"$bin/zcrx-send" "$ZCRX_PEER" "$port" --wait 10 --zerocopy -f "$work/input" --json >"$work/sent.json" 2>"$work/sent" || rc=$?
	tap_eq "$rc" 0 "zcrx-send --zerocopy" || tap_diag "$(cat "$work/sent")"
	peer_wait "$peer_id"
	tap_ok '  every byte is right' cmp "$work/input" "$work/arrived"
	tap_ok "  and none was copied: $(tail -n 1 "$work/sent")" grep -q '"sends_copied":0,' "$work/sent.json"
}

# ---------------------------------------------------------------------------
# On the host

# As if this machine were the guest: both ends in a network namespace, over lo
host_column() {
	local -a apart=(unshare -rnm)

	[ "$(id -u)" -ne 0 ] || apart=(unshare -nm)
	mkdir "$work/peer"
	no_end_rows=1 ZCRX_IF=lo ZCRX_GUEST=127.0.0.1 ZCRX_GUEST6=::1 "${apart[@]}" bash -c '
		ip link set lo up || exit
		"$1" "$3/peer" &
		"$2" --guest matrix "$3" host
		wait' - "$here/peer.sh" "$self" "$work" >"$work/tap" 2>"$work/said"
	retell 'host: ' "$work/tap"
	tap_ok 'host: it came to its end' grep -q '^1\.\.' "$work/tap" || tap_diag "$(cat "$work/said")"
}

# A process of its own, as if it were the only column
column() ( # NAME
	inputs=$work/inputs
	vm_kernel=$1
	vm_limit=$((400 * patience))
	if [ "$1" != host ]; then
		[ "$1" != upstream ] || vm_kernel=$upstream
		[ "$1" != zc ] || vm_kernel=$kernel
		need_kernel "$vm_kernel"
	fi
	make_work
	cp "$inputs"/* "$work"
	case $1 in
	host) host_column ;;
	*) vm "$1" matrix --mtu 4168 -- "$1" ;;
	esac
	[ "$1" != zc ] || vm 'from the guest' sends --mtu 4168
	[ ! -e "$work/lines" ] || cat "$work/lines" >"$inputs/../lines.$1"
	echo "1..$tap_run"
)

# Of what zcrx-send --pattern sends, as --verify wants it; and a text, as for curl's telnet
# a byte of 255 is a command, and slow, as it is slow
make_inputs() { # DIRECTORY
	local -a apart=(unshare -rn)

	[ "$(id -u)" -ne 0 ] || apart=(unshare -n)
	mkdir "$1"
	"${apart[@]}" bash -c 'ip link set lo up && { nc.openbsd -l 127.0.0.1 9999 >"$1/input" & } &&
		"$2/zcrx-send" 127.0.0.1 9999 --wait 10 --pattern --bytes "$3" 2>/dev/null && wait' - "$1" "$bin" "$size" || return
	head -c 100000 "$1/input" | base64 >"$1/text"
	for name in input text; do
		sha256sum <"$1/$name" | cut -d ' ' -f 1 >"$1/$name.sum"
	done
}

main() {
	local said tool rc=0

	for tool in zcrx-recv zcrx-send; do
		make -s -C "$top/tools/$tool" VARIANT="$host_variant" >&2 || tap_result 1 "$tool can be built" || return 0
	done
	make_work
	tap_ok "what to send" make_inputs "$work/inputs" || return 0
	# shellcheck disable=SC2086 # words
	columns_at_once column $columns
	said=$("$top/tools/testing/json-lines.sh" "$top/tools/zcrx-recv/report.schema.json" "$work"/lines.*) || rc=$?
	case $rc in
	77) tap_skip 'JSON lines are what the schema says' 'no python3-jsonschema' ;;
	*) tap_eq "$rc" 0 'JSON lines are what the schema says' || tap_diag "$said" ;;
	esac
}

e2e_main "$@"
