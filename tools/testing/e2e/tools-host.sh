#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 240
#
# zcrx-recv with the copying backend and zcrx-send, on this kernel, over lo in a
# network namespace of its own: everything but the zero copy.

set -u
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=host-lib.sh
. "$here/host-lib.sh"

head -c 30000123 /dev/urandom >data

# ---- data ---------------------------------------------------------------------

for host in 127.0.0.1 ::1; do
	receive --once -o file
	sends_nc "$host"
	ended 0 "nc to $host into a file"
	tap_ok '  the file is what was sent' cmp data file
	says '^received 28(\.6)? MB .0\.0 % zero copy, .* page-aligned. in .* Gbit/s$' talk.txt \
		'  the last line says so'
done

receive --once -o -
sends_nc 127.0.0.1
ended 0 'nc into a pipe'
tap_ok '  standard output is what was sent' cmp data stdout

receive --once -o file --buffered
send 127.0.0.1 "$port" -f data
ended 0 'zcrx-send of a file'
tap_ok '  the file is what was sent' cmp data file
says ' 0 cut out of shape' sent '  every segment is in shape'

receive --once -o file --region 64K
"$bin/zcrx-send" 127.0.0.1 "$port" <data 2>sent
ended 0 'zcrx-send of standard input, into a region of one buffer'
tap_ok '  the file is what was sent' cmp data file

receive --connections 3 -o file
for i in 1 2 3; do sends_nc 127.0.0.1; done
ended 0 'three connections into one file'
cat data data data >three
tap_ok '  the file has them one after the other' cmp three file

receive --once -o file
for i in $(seq 30); do printf %s "$i" && sleep 0.005; done | timeout 20 nc -N 127.0.0.1 "$port"
ended 0 'a few bytes at a time'
tap_eq "$(cat file)" "$(seq -s '' 30)" '  all of them'

receive --once -o file
timeout 20 nc -N 127.0.0.1 "$port" </dev/null
ended 0 'a connection without data'
tap_eq "$(stat -c %s file)" 0 '  makes an empty file'

# ---- the pattern --------------------------------------------------------------

receive --once --verify --page-mss --record 4 --json
send 127.0.0.1 "$port" --pattern --bytes 32M --json
ended 0 'the pattern arrives'
says 'segments of 1 page' sent '  the receiver asked for pages'
says '^\{"event":"end","data":\{"bytes":33554432,.*"aligned_percent":100\.000000.*"records":2048,' \
	stdout '  and got pages'
if command -v python3 >/dev/null; then
	tap_ok '  all its lines are JSON' python3 -c \
		'import json, sys; [json.loads(line) for name in sys.argv[1:] for line in open(name)]' \
		stdout sent.out
else
	tap_skip '  all its lines are JSON' 'no python3'
fi

receive --once --verify --mss 1036
send ::1 "$port" --pattern --bytes 1M --page 512
ended 0 'the receiver clamps the MSS'
says 'segments of 2 pages' sent '  to two blocks'

receive --connections 8 --verify
send 127.0.0.1 "$port" --pattern --bytes 4M -P 8
ended 0 'eight streams at once'
says '^received 32 MB' talk.txt '  all of them'

receive --connections 300 --verify
for i in $(seq 30); do send 127.0.0.1 "$port" --pattern --bytes 10007 -P 10 || break; done
ended 0 'three hundred connections'
says '^received 2\.9 MB' talk.txt '  all of them'

receive --once --verify
status=0
send 127.0.0.1 "$port" -f data || status=$?
tap_eq "$status" 1 'wrong data: the sender notices'
ended 5 '  the receiver ends with 5'
says 'byte 0 is not that of the pattern' talk.txt '  and says which byte'

# ---- ends ---------------------------------------------------------------------

receive --bytes 1000003 -o file
sends_nc 127.0.0.1 2>/dev/null
ended 0 '--bytes ends it'
tap_ok '  with exactly so many bytes' cmp <(head -c 1000003 data) file

receive --time 0.3 --discard
send 127.0.0.1 "$port" --pattern || true
ended 0 '--time ends it'

for signal in INT TERM; do
	receive -o file
	{ head -c 5000000 data; sleep 0.6; } | timeout 10 nc 127.0.0.1 "$port" >/dev/null &
	sleep 0.4
	kill -"$signal" "$receiver"
	ended 0 "SIG$signal in mid-transfer"
	says '^received 4\.8 MB' talk.txt '  with the final report'
	tap_ok '  and what has come is in the file' cmp <(head -c 5000000 data) file
	wait
done

receive
kill -INT "$receiver"
ended 0 'SIGINT before anything has come'

mkfifo stuck
exec 3<>stuck
"$bin/zcrx-recv" --backend copy -p "$port" -o - >stuck 2>talk.txt &
receiver=$!
until listening; do sleep 0.02; done
timeout 10 nc -N 127.0.0.1 "$port" <data >/dev/null &
sleep 0.4
kill -INT "$receiver"
ended 0 'SIGINT while the reader of standard output does not read'
exec 3>&-
wait

"$bin/zcrx-recv" --backend copy -p "$port" --once -o - 2>talk.txt | head -c 100000 >some &
until listening; do sleep 0.02; done
sends_nc 127.0.0.1 2>/dev/null
wait
tap_ok 'a reader that has enough' cmp <(head -c 100000 data) some
says '^received ' talk.txt '  ends it quietly'

receive --once --discard
perl -MSocket -e '
	socket(S, PF_INET, SOCK_STREAM, 0);
	connect(S, sockaddr_in($ARGV[0], inet_aton("127.0.0.1"))) or die;
	syswrite(S, "x" x 100000); select(undef, undef, undef, 0.2);
	setsockopt(S, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)); close(S);' "$port"
ended 1 'the peer resets the connection'
says 'ZC041 .*ECONNRESET' talk.txt '  which is said in words'

# ---- what cannot work ---------------------------------------------------------

recv=$bin/zcrx-recv
copy=("$recv" --backend copy -p "$port")
refused 2 'which port' 'no port' "$recv" -i lo
refused 2 'which interface' 'no interface' "$recv" -p 1
refused 2 'not a number from 1 to 65535' 'port 0' "$recv" -p 0
refused 2 'not a number from 1 to 65535' 'port 65536' "$recv" -p 65536
refused 2 'not a number from 0 to 65535' 'queue -1' "$recv" -q -1
refused 2 'not a power of two' 'a ring of 3' "$recv" --rq 3
refused 2 'not a number from 1 to 32768' 'a ring of 0' "$recv" --rq 0
refused 2 'not a number from 1 to 65536' 'a ring of 2^31' "$recv" --cq 2147483648
refused 2 'multiple of the page size' 'a region of 5000 bytes' "$recv" --region 5000
refused 2 'less than 4G' 'a region of 4G' "$recv" --region 4G
refused 2 'not a size' 'a region of words' "$recv" --region big
refused 2 'not one of auto' 'a backend that does not exist' "$recv" --backend x
refused 2 'contradicts' 'zero copy by copying' "${copy[@]}" --require-zerocopy
refused 2 'one of -o' 'two sinks' "${copy[@]}" --verify -o file
refused 2 'no operands' 'an operand' "${copy[@]}" file
refused 2 'no such option' 'an unknown option' "$recv" --nope
refused 2 'needs an argument' 'an option without its argument' "$recv" -p
tap_ok 'help' grep -q -e '--require-zerocopy' <("$recv" --help)
refused 1 'ZC053 .*ENOENT' 'a file in a directory that does not exist' "${copy[@]}" -o /nowhere/f
refused 1 'ZC054 .*EISDIR' 'a directory' "${copy[@]}" -o /
refused 3 'ZC022 .*ENOMEM|ZC021' 'huge pages that do not exist' "${copy[@]}" --hugepages --region 1G
if ! "$bin/zcrx-recv" -i lo -p "$port" --backend rbuf --time 0 2>&1 | grep -q ZC010; then
	tap_skip 'zero copy on a kernel without it' 'this kernel has it'
else
	refused 3 'ZC010 .*ENOSYS' 'zero copy on a kernel without it' \
		"$recv" -i lo -p "$port" --backend rbuf --require-zerocopy
fi
# with a kernel of 6.15 and later it is the device that has no such thing
refused 3 'ZC010 .*ENOSYS|ZC018 .*EOPNOTSUPP|ZC011 .*EPERM|ZC012 .*EPERM' 'zero copy on a device without it' \
	"$recv" -i lo -p "$port" --require-zerocopy

receive
refused 3 'ZC030 .*EADDRINUSE' 'a port in use' "${copy[@]}"
kill -INT "$receiver"
received
at_once=0
for i in $(seq 20); do
	receive
	listening && at_once=$((at_once + 1))
	kill -INT "$receiver" 2>/dev/null
	received
done
tap_eq "$at_once" 20 'the port is free as soon as the receiver has ended'

receive -o /dev/full
sends_nc 127.0.0.1 2>/dev/null
ended 1 'a full disk'
says 'ZC050 .*ENOSPC' talk.txt '  which is said in words'

refused 3 'ZC060 .*ECONNREFUSED' 'nobody listens' "$bin/zcrx-send" 127.0.0.1 "$port"
refused 3 'ZC061 .*ENETUNREACH' 'no route' "$bin/zcrx-send" 198.51.100.1 "$port"
refused 3 'known|resolution|resolve' 'an unknown host' "$bin/zcrx-send" no.such.host.invalid "$port"
refused 2 'HOST and PORT' 'no host' "$bin/zcrx-send"
refused 2 'power of two' 'a page of 1000' "$bin/zcrx-send" h 1 --page 1000
refused 2 'smaller --record' 'a record of 16 pages' "$bin/zcrx-send" h 1 --record 16
refused 2 'read once only' 'standard input twice' "$bin/zcrx-send" h 1 -P 2
refused 3 'No such file' 'a file that does not exist' "$bin/zcrx-send" 127.0.0.1 "$port" -f nosuch
tap_ok 'help' grep -q -e '--pattern' <("$bin/zcrx-send" --help)
tap_done
