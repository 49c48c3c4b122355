#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# zcrx-recv with several threads and the copying backends, on this kernel, over lo: under the
# sanitizers for memory, and under that for threads, which sees what two of them use at a time.

set -u
# Some kernels place memory at random in more of the address space than the thread sanitizer knows
if [ -z "${ZCRX_NOT_RANDOM:-}" ] && setarch -R true 2>/dev/null; then
	ZCRX_NOT_RANDOM=1 exec setarch -R "$0" "$@"
fi
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=host-lib.sh
. "$here/host-lib.sh"

trap 'umount "$dir/threads" 2>/dev/null; rm -rf "$dir"' EXIT
head -c 30000123 /dev/urandom >data

# sends_many N: that many streams at once, each of another length
sends_many() {
	local i

	for ((i = 1; i <= $1; i++)); do
		head -c $((i * 1000003)) data | timeout 60 nc -N 127.0.0.1 "$port" >/dev/null &
		many+=($!)
	done
	wait "${many[@]}"
	many=()
}

# With an interval so short that some end while threads do
all_is_received() {
	for backend in copy epoll; do
		mkdir threads
		receive -q 0-3 --connections 8 --directory threads --hash sha256 --json --interval 0.001
		sends_many 8
		ended 0 "eight streams at once by four threads, $backend"
		tap_ok '  each is what was sent' cmp sums <(cd threads && sha256sum -- * | sed 's/ .*/  -/' | sort)
		tap_ok '  its hash was told' cmp sums <(sed -n 's/.*"sha256":"\([0-9a-f]*\)".*/\1  -/p' stdout | sort)
		tap_eq "$(grep '"connection"' stdout | grep -o '"queue":[0-3]' | sort -u | wc -l)" 4 '  each thread had some'
		says '^  queue 3   .* connections?, 0.0 % zero copy' talk.txt '  the report has each'
		says '^received 34(\.3)? MB' talk.txt '  and the sum'
		rm -r threads
	done
	backend=copy
}

some_is_received() {
	receive -q 0-3 --connections 3 -o file
	for i in 1 2 3; do sends_nc 127.0.0.1; done
	ended 0 'three connections into a file by three of four threads'
	tap_ok '  the file is what was sent' cmp <(cat data data data) file
	receive -q 0-3 --bytes 5000001 --discard
	sends_many 8 2>/dev/null
	ended 0 'so many bytes of eight streams by four threads'
	says '^received 4\.8 MB' talk.txt '  and no more'
	receive -q 0-3 --connections 4 --verify --json
	{ for i in 1 2 3; do send 127.0.0.1 "$port" --pattern --bytes 1M; done; sends_nc 127.0.0.1; } 2>/dev/null
	ended 5 'one of four threads has wrong data'
	receive -q 0-3 --connections 4 --discard
	{ for i in 1 2 3; do sends_nc 127.0.0.1; done; sends_reset; } 2>/dev/null
	ended 1 'one of four threads has a connection that breaks off'
	says 'ZC041 ' talk.txt '  which is said'
}

what_is_not_complete() {
	mkdir threads
	mount -t tmpfs -o size=4M none threads
	receive -q 0-3 --directory threads
	sends_many 3 2>/dev/null
	ended 1 'one of four threads finds the disk full'
	says 'ZC050 ' talk.txt '  which is said, and ends all'
	umount threads
	receive -q 0-3 --directory threads
	timeout 5 nc 127.0.0.1 "$port" </dev/zero >/dev/null &
	timeout 5 nc 127.0.0.1 "$port" </dev/zero >/dev/null &
	sleep 0.3
	kill -TERM "$receiver"
	ended 1 'SIGTERM while two of four threads receive'
	tap_eq "$(grep -c '^received ' talk.txt) $(find threads -name '*.part' | wc -l)" '1 2' '  one report, and both files are not complete'
	rm -r threads
	wait
}

readers_that_stop() {
	# the second connection is another thread's than that which gets the signal
	mkfifo stuck
	exec 3<>stuck
	"$bin/zcrx-recv" --backend copy -q 0-3 -p "$port" -o - >stuck 2>talk.txt &
	receiver=$!
	until listening; do sleep 0.02; done
	head -c 1000 data | timeout 10 nc -N 127.0.0.1 "$port" >/dev/null
	timeout 10 nc -N 127.0.0.1 "$port" <data >/dev/null &
	sleep 0.4
	kill -INT "$receiver"
	ended 0 'SIGINT while the reader of standard output does not read, with four threads'
	exec 3>&-
	wait
	{
		timeout -s KILL 15 "$bin/zcrx-recv" --backend copy -q 0-3 -p "$port" -o - 2>talk.txt
		echo $? >status
	} | head -c 2000 >some &
	until listening; do sleep 0.02; done
	head -c 1000 data | timeout 10 nc -N 127.0.0.1 "$port" >/dev/null
	sends_nc 127.0.0.1 2>/dev/null
	wait
	tap_eq "$(cat status)" 0 'a reader that has enough ends all of four threads well'
	tap_eq "$(grep -c ZC093 talk.txt) $(grep -c '^received ' talk.txt)" '1 1' '  with one report'
	rm stuck status some
}

many=()
for i in {1..8}; do head -c $((i * 1000003)) data | sha256sum; done | sort >sums
for variant in asan tsan; do
	if ! programs "$variant"; then
		tap_result 1 "$variant: the tools build"
		continue
	fi
	tap_diag "$variant"
	for _ in 1 2 3; do
		all_is_received
	done
	some_is_received
	what_is_not_complete
	readers_that_stop
done
tap_done
