#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 240
#
# zcrx-recv with the copying backends and zcrx-send, on this kernel, over lo in a
# network namespace of its own: everything but the zero copy.

set -u
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=host-lib.sh
. "$here/host-lib.sh"

trap 'umount "$dir/small" "$dir/mnt" 2>/dev/null; rm -rf "$dir"' EXIT
head -c 30000123 /dev/urandom >data

# ---- data ---------------------------------------------------------------------

for host in 127.0.0.1 ::1; do
	receive --once -o file
	sends_nc "$host"
	ended 0 "nc to $host into a file"
	tap_ok '  the file is what was sent' cmp data file
	tap_eq "$(grep -E '^.{81}' talk.txt | grep -vE '^(zcrx-recv: (auto|ZC)|  region .* to )')" '' '  the report fits 80 columns'
	says '^  length  .*[0-9]+-[0-9]+: [0-9.]+%' talk.txt '  the report has the lengths of pieces'
	says '^  offset    0-255: [0-9.]+%' talk.txt '  where in a page they start'
	says '^  cpu       softirq on [0-9].* / program on [0-9]' talk.txt '  and who did the work'
	tap_eq "$(grep -E '.{81}' talk.txt)" '' '  in 80 columns'
	cp talk.txt direct.txt
	says '^received 28(\.6)? MB .0\.0 % zero copy, .* page-aligned. in .* Gbit/s$' talk.txt \
		'  the last line says so'
done

# it says in the stream itself what it is, so of its bytes only the number is known
if command -v iperf >/dev/null; then
	receive --once --discard --json
	timeout 60 iperf -c 127.0.0.1 -p "$port" -n 20000000 -l 100000 >iperf.out 2>&1 </dev/null
	ended 0 'a raw stream of iperf'
	says '"event":"end".*"bytes":20000000,' stdout '  all of its bytes' || tap_diag "$(cat iperf.out)"
else
	tap_skip 'a raw stream of iperf' 'no iperf (scripts/setup installs it)'
fi

backend=epoll
receive --once -o file
sends_nc 127.0.0.1
ended 0 'the same with epoll and recv'
tap_ok '  the file is what was sent' cmp data file
receive --connections 8 --verify --region 256K
send 127.0.0.1 "$port" --pattern --bytes 4M -P 8
ended 0 'eight streams at once with epoll, into four buffers'
says '^received 32 MB .0\.0 % zero copy' talk.txt '  all of them, and no zero copy is claimed'

backend=auto
receive -i lo --once --discard --json
sends_nc 127.0.0.1
ended 0 'auto, on an interface that has no zero copy'
says 'auto took copy; refused: rbuf \(ZC0.*\), upstream \(ZC0' talk.txt '  says what it took and why'
says 'every byte will be copied' talk.txt '  and what that means'
says '"backend":"copy","backend_auto":true,"backends_refused":"rbuf' stdout '  in JSON too'

if "${with_errno[@]}" 425 EPERM true; then
	"${with_errno[@]}" 425 EPERM "$bin/zcrx-recv" -i lo -p "$port" --once -o file 2>talk.txt &
	receiver=$!
	until listening; do sleep 0.02; done
	sends_nc 127.0.0.1
	ended 0 'auto, where io_uring is forbidden'
	says 'auto took epoll; refused: rbuf \(ZC002 .*, copy \(ZC002 ' talk.txt '  takes epoll'
	tap_ok '  the file is what was sent' cmp data file
else
	tap_skip 'auto, where io_uring is forbidden' 'no seccomp filter, or not x86-64'
fi
backend=copy

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

# ---- files that are complete, and others --------------------------------------

# files DIRECTORY: what is in it, a line
files() { (cd "$1" && printf '%s\n' * | sed 's/^[0-9T]*\.[0-9]*Z-/TIME-/' | xargs); }

receive -o file
sends_nc 127.0.0.1
until ss -Htn state time-wait "sport = :$port" | grep -q . || ! ss -Htn "sport = :$port" | grep -q .; do
	sleep 0.02
done
kill -INT "$receiver"
ended 0 'SIGINT after a connection'
tap_ok '  the file is complete' cmp data file

echo old >file
receive --once -o file
sends_reset
ended 1 'a reset'
tap_eq "$(cat file) $(stat -c %s file.part)" 'old 100000' '  leaves the old file, and what has come in file.part'
says 'ZC057 file\.part is not complete: a connection broke off' talk.txt '  which is said'

ln -s file link
receive --once -o link
sends_nc 127.0.0.1
ended 0 'a symbolic link to a file'
tap_ok '  the file is another one, the link the same' cmp data "$(readlink link)"
tap_eq "$(find . -name '*.part')" '' '  no name is left over'

echo old >other
ln -s other new.part
timeout 20 "$bin/zcrx-recv" --backend copy -p "$port" --once -o new 2>talk.txt
tap_eq "$? $(cat other)" '1 old' 'a link that has the name of the file in the making is not followed'
says 'ZC133 .*ELOOP' talk.txt '  which is said in words'
rm new.part other

receive --once -o file
sleep 3 | timeout 5 nc.openbsd 127.0.0.1 "$port" >/dev/null &
sleep 0.3
says 'timer:\(keepalive' <(ss -Htno state established "sport = :$port") 'a peer that is silent is asked whether it is there'
kill -INT "$receiver"
received
wait
rm -f file.part

mkdir -p small mnt
if mount -t tmpfs -o size=2m none small && mount -t tmpfs -o ro none mnt; then
	receive --once -o small/file
	sends_nc 127.0.0.1 2>/dev/null
	ended 1 'a disk that is full'
	says 'ZC050 cannot write small/file: .*ENOSPC' talk.txt '  which is said in words'
	says 'ZC057 .*small/file\.part is not complete: it could not be written' talk.txt '  and what is left'
	tap_eq "$(ls small)" file.part '  nothing that looks complete'
	rm small/*
	receive --once -o small/
	sends_nc 127.0.0.1 2>/dev/null
	ended 1 'the same with a directory'
	tap_eq "$(files small)" TIME-00000001.part '  nothing that looks complete'
	rm small/*
	receive --once -o small/file --bytes 1M
	sends_nc 127.0.0.1 2>/dev/null
	ended 0 'what fits'
	tap_ok '  is complete' cmp <(head -c 1M data) small/file
	# tmpfs has O_DIRECT, but does not say so
	says 'file small/file \((O_DIRECT|buffered: its file system .*O_DIRECT)\)' talk.txt '  O_DIRECT or why not'
	for target in mnt/file mnt/; do
		status=0
		timeout 20 "$bin/zcrx-recv" --backend copy -p "$port" -o "$target" 2>talk.txt || status=$?
		tap_eq "$status" 1 "a file system that is read-only: $target"
		says 'ZC052 .*EROFS' talk.txt '  which is said in words'
	done
else
	tap_skip 'full and read-only file systems' 'cannot mount'
fi

receive --once -o file
timeout 20 "$bin/zcrx-recv" --backend copy -p $((port + 1)) -o file 2>other.txt
tap_eq $? 1 'a file that another receiver writes'
says 'ZC056 .*' other.txt '  which is said in words'
sends_nc 127.0.0.1
ended 0 '  the first is not disturbed'
tap_ok '  and its file is what was sent' cmp data file

mkdir dir
receive --connections 3 -o dir/ --json
for i in 1 2 3; do head -c "${i}000000" data | timeout 20 nc -N 127.0.0.1 "$port"; done
ended 0 'a file a connection'
tap_eq "$(files dir)" 'TIME-00000001 TIME-00000002 TIME-00000003' '  their names sort as they came'
tap_ok '  each is what was sent' cmp <(head -c 1000000 data; head -c 2000000 data; head -c 3000000 data) <(cat dir/*)
says '"event":"connection","data":\{"connection":2,.*"bytes":2000000,.*"complete":true,"path":"dir/.*-00000002"' \
	stdout '  JSON names them'
if grep -q '(O_DIRECT)' direct.txt; then
	says '"file":\{"files":3,"incomplete":0,"direct":true,' stdout '  with O_DIRECT, as a single file'
fi
cp -r dir before
receive --connections 40 --directory dir --region 1M
for i in $(seq 40); do { head -c "1${i}001" data | timeout 60 nc -N 127.0.0.1 "$port"; } & done
received
tap_eq "$status" 0 'forty at once, into a region of 16 buffers'
wait
tap_eq "$(stat -c %s dir/* | grep -c '^1[0-9]*001$')" 40 '  each has its file'
for f in dir/*; do cmp -s "$f" <(head -c "$(stat -c %s "$f")" data) || echo "$f"; done >wrong
tap_eq "$(cat wrong)" '' '  each is what was sent'
for f in before/*; do cmp -s "$f" "dir/${f#before/}" || echo "$f"; done >wrong
tap_eq "$(cat wrong)" '' '  those that were there are as they were'
rm -rf dir before; mkdir dir

wrap=(prlimit --nofile=64:64)
receive --connections 60 -o dir/
for i in $(seq 60); do { head -c 100001 data | timeout 60 nc -N 127.0.0.1 "$port"; } & done
received
tap_eq "$status" 0 'sixty at once, with descriptors for ten' || tap_diag "$(cat talk.txt)"
wait
tap_eq "$(find dir -size 100001c | wc -l)" 60 '  each has its file'
rm -rf dir; mkdir dir
wrap=(prlimit --nofile=80:80)
receive --connections 60 -q 0-15 -o dir/
for i in $(seq 60); do { head -c 100001 data | timeout 60 nc -N 127.0.0.1 "$port"; } & done
received
tap_eq "$status" 0 'the same with sixteen threads, and descriptors for six' || tap_diag "$(cat talk.txt)"
wait
tap_eq "$(find dir -size 100001c | wc -l)" 60 '  each has its file'
wrap=()
rm -rf dir; mkdir dir

receive --connections 2 -o dir/
sends_reset
sends_nc 127.0.0.1
ended 1 'one that breaks off, and one that does not'
tap_eq "$(files dir)" 'TIME-00000001.part TIME-00000002' '  are told apart'
says 'ZC057 .*1 of 2 files is not complete' talk.txt '  and counted'
rm -rf dir

# ---- hashes ---------------------------------------------------------------------

for backend in copy epoll; do
	receive --once --hash sha256
	sends_nc 127.0.0.1
	ended 0 "sha256 alone, $backend"
	tap_eq "$(cut -d ' ' -f 1 stdout)" "$(sha256sum <data | cut -d ' ' -f 1)" '  is that of sha256sum'
	says '^[0-9a-f]{64}  127\.0\.0\.1:[0-9]+$' stdout '  with the peer'
done
backend=copy

receive --once --hash sha256 -o file
sends_nc 127.0.0.1
ended 0 'sha256 and a file'
tap_ok '  sha256sum -c agrees' sha256sum --strict -c stdout

mkdir dir
receive --connections 6 --hash sha256 -o dir/
for i in 1 2 3 4 5; do { head -c "${i}00000" data | timeout 60 nc -N 127.0.0.1 "$port"; } & done
sends_reset
received
tap_eq "$status" 1 'sha256 of five at once, and one that breaks off'
wait
tap_ok '  sha256sum -c agrees' sha256sum --strict -c stdout
tap_eq "$(grep -c . stdout) $(grep -c 'part$' stdout)" '6 1' '  a line each, one of a part'
rm -rf dir

receive --once --hash sha256 -o -
sends_nc 127.0.0.1
ended 0 'sha256 and standard output'
tap_ok '  which is only data' cmp data stdout
says "^$(sha256sum <data | cut -d ' ' -f 1)  127" talk.txt '  the hash goes elsewhere'

printf 123456789 >nine
receive --once --hash crc32c --json
timeout 20 nc -N 127.0.0.1 "$port" <nine
ended 0 'crc32c'
says '"event":"connection",.*"crc32c":"e3069283"' stdout '  is in JSON'
says '^e3069283  127' talk.txt '  and told'
if [ -c /dev/full ]; then
	"$bin/zcrx-recv" --backend copy -p "$port" --hash crc32c --once 2>talk.txt >/dev/full &
	receiver=$!
	until listening; do sleep 0.02; done
	timeout 20 nc -N 127.0.0.1 "$port" <nine
	ended 1 'a hash that cannot be told'
fi

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

# not more than it can take back
receive --once --verify --rcvbuf 256K
status=0
send 127.0.0.1 "$port" -f data || status=$?
tap_eq "$status" 1 'wrong data: the sender notices'
ended 5 '  the receiver ends with 5'
says 'byte 0 is not that of the pattern' talk.txt '  and says which byte'

# what was asked for and is not to be had is said, and after the event "start"
wrap=(setpriv --bounding-set=-net_admin --inh-caps=-net_admin)
receive --once --json --rcvbuf 64M --rx-buf-len 64K --area 64K --region 1M
wrap=()
send 127.0.0.1 "$port" --pattern --bytes 1M
ended 0 'a receive buffer beyond the limit, and buffers that no NIC fills'
says 'ZC130 the receive buffer is [0-9]+ bytes, not 67108864' talk.txt '  the one is said'
says 'ZC129 buffers of 64 KB are refused \(EOPNOTSUPP\)' talk.txt '  the other as well'
tap_eq "$(sed -n 's/^{"event":"\([a-z]*\)".*/\1/p' stdout | head -n 3 | xargs)" 'start warning warning' \
	'  after the start'
says '"areas":1,"rx_buf_bytes":0,' stdout '  which knows of neither'
receive --once --rcvbuf 64M
send 127.0.0.1 "$port" --pattern --bytes 1M
ended 0 'who may, is not bound by the limit'
tap_fails '  and so nothing is said of it' '' grep -q ZC130 talk.txt

# ---- ends ---------------------------------------------------------------------

receive --bytes 1000003 -o file
sends_nc 127.0.0.1 2>/dev/null
ended 0 '--bytes ends it'
tap_ok '  with exactly so many bytes' cmp <(head -c 1000003 data) file

receive --time 0.3 --discard
send 127.0.0.1 "$port" --pattern || true
ended 0 '--time ends it'

echo old >file
for signal in INT TERM; do
	receive -o file
	{ head -c 5000000 data; sleep 0.6; } | timeout 10 nc 127.0.0.1 "$port" >/dev/null &
	sleep 0.4
	kill -"$signal" "$receiver"
	ended 1 "SIG$signal in mid-transfer"
	says '^received 4\.8 MB' talk.txt '  with the final report'
	tap_ok '  and what has come is in file.part' cmp <(head -c 5000000 data) file.part
	says 'ZC057 file\.part is not complete: the peer had not' talk.txt '  which is said'
	wait
done
tap_eq "$(cat file)" old '  the old file is as it was'

receive
kill -INT "$receiver"
ended 0 'SIGINT before anything has come'

receive -o file
kill -INT "$receiver"
ended 1 'the same with a file'
tap_eq "$(cat file) $(stat -c %s file.part)" 'old 0' '  the old file is as it was'
says 'ZC057 file\.part is not complete: no connection has ended in order' talk.txt '  which is said'

# a program that is started with closed descriptors opens others by their numbers
"$bin/zcrx-recv" --backend copy -p "$port" --once --interval 0.05 -o file <&- >&- 2>&- &
receiver=$!
until listening; do sleep 0.02; done
{ head -c 1000000 data; sleep 0.5; tail -c +1000001 data; } | timeout 20 nc.openbsd -N 127.0.0.1 "$port" >/dev/null
wait "$receiver"
tap_eq $? 0 'without standard input, output and error'
tap_ok '  no message is in the file' cmp data file
receive --once -o file
timeout 20 "$bin/zcrx-send" 127.0.0.1 "$port" -f data <&- >&- 2>&-
tap_eq $? 0 'a sender without them'
ended 0 '  its receiver'
tap_ok '  the file is what was sent' cmp data file
"$bin/zcrx-recv" --backend copy -p "$port" -o - 2>talk.txt >&- &
receiver=$!
until listening; do sleep 0.02; done
timeout 5 nc.openbsd -N 127.0.0.1 "$port" <nine >/dev/null
kill -INT "$receiver" 2>/dev/null
wait "$receiver"
tap_eq $? 1 'standard output that is closed'
says 'cannot write standard output: .*EBADF' talk.txt '  which is said in words'

# ---- the greeting -------------------------------------------------------------

echo old >file
receive --once --hello -o file
send 127.0.0.1 "$port" --explain --hello
tap_eq "$? $(cat file)" '0 old' 'a sender that only asks for the offer is not the one connection'
send 127.0.0.1 "$port" --hello -f data
ended 0 '  the next one is'
tap_ok '  and its data is the file' cmp data file
mkdir asked
receive --once --hello --hash sha256 --json -q 0,1 -o asked/
for _ in 1 2 3; do send 127.0.0.1 "$port" --explain --hello; done
kill -INT "$receiver"
ended 0 'three that only ask, a directory, two threads'
tap_eq "$(ls asked)" '' '  it is empty'
rm -r asked

# The receiver finds the answer and the reset at once
echo old >file
for backend in copy epoll; do
	receive --once --hello -o file
	perl -MSocket -e '
		socket(S, PF_INET, SOCK_STREAM, 0);
		connect(S, sockaddr_in($ARGV[0], inet_aton("127.0.0.1"))) or die;
		sysread(S, $offer, 64) == 64 or die;
		kill "STOP", $ARGV[1];
		substr($offer, 12, 2) = pack("v", 2); substr($offer, 40, 4) = pack("V", 0);
		syswrite(S, $offer);
		setsockopt(S, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)); close(S);
		select(undef, undef, undef, 0.1); kill "CONT", $ARGV[1];' "$port" "$receiver"
	ended 1 "a reset when the receiver is about to say go, $backend"
	says 'ZC076 .*cannot agree' talk.txt '  which is told as ZC076' || tap_diag "$(cat talk.txt)"
	tap_eq "$(cat file)" old '  the old file is as it was'
done
backend=copy

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

# bounded SECONDS COMMAND...: becomes that command, which SIGALRM ends then. timeout(1) is another process, and
# passes a signal on twice: to its child, and to all of its group
bounded() { exec perl -e 'alarm shift; exec @ARGV' "$@"; }

# The pipe is full to the last byte
mkfifo idle
for backend in copy epoll; do
	for end in TERM time; do
		exec 3<>idle
		head -c 65536 /dev/zero >&3
		args=()
		if [ $end = time ]; then args=(--time 1); fi
		bounded 20 "$bin/zcrx-recv" --backend "$backend" -p "$port" -o - "${args[@]}" >idle 2>talk.txt &
		receiver=$!
		until listening; do sleep 0.02; done
		# with so little at a time nothing is written before the signal comes
		timeout 6 perl -e '$| = 1; for (;;) { print "x"; select(undef, undef, undef, 0.001); }' |
			timeout 6 nc.openbsd 127.0.0.1 "$port" >/dev/null &
		sleep 0.4
		if [ $end = TERM ]; then kill -TERM "$receiver"; fi
		ended 0 "the end by $end while nobody reads, $backend"
		exec 3>&-
		wait
	done
done
backend=copy

for backend in copy epoll; do
	# the sender goes on; with "idle" it sends what the reader wants, and nothing more
	for sender in busy idle; do
		{
			timeout -s KILL 15 "$bin/zcrx-recv" --backend "$backend" -p "$port" -o - 2>talk.txt
			echo $? >status
		} | head -c 100000 >some &
		until listening; do sleep 0.02; done
		if [ "$sender" = busy ]; then
			sends_nc 127.0.0.1 2>/dev/null
		else
			{ head -c 100000 data; sleep 2; } | timeout 2 nc 127.0.0.1 "$port" >/dev/null 2>&1
		fi
		wait
		tap_ok "a reader that has enough of a sender that is $sender, $backend" \
			cmp <(head -c 100000 data) some
		tap_eq "$(cat status)" 0 '  ends the receiver well'
		says 'ZC093 .*reader of standard output' talk.txt '  which is said'
		says '^received ' talk.txt '  with the final report'
	done
done
backend=copy

timeout -s KILL 15 "$bin/zcrx-recv" --backend copy -p "$port" --json 2>talk.txt | head -n 1 >some
tap_eq "${PIPESTATUS[0]}" 0 'a reader of JSON lines who has enough of them'
says 'ZC093 .*reader of standard output' talk.txt '  which is said'
if [ -c /dev/full ]; then
	"$bin/zcrx-recv" --backend copy -p "$port" --json --once 2>talk.txt >/dev/full &
	receiver=$!
	until listening; do sleep 0.02; done
	timeout 20 nc -N 127.0.0.1 "$port" <nine
	ended 1 'JSON lines that cannot be written'
	says 'cannot write JSON lines: No space' talk.txt '  which is said'
	status=0
	"$bin/zcrx-recv" check --backend copy -p "$port" --json 2>talk.txt >/dev/full || status=$?
	tap_eq "$status" 1 'those of a check'
	receive --once --dump-frags /dev/full
	sends_nc 127.0.0.1
	ended 1 'a log of pieces that cannot be written'
	says '/dev/full is not complete: ' talk.txt '  which is said'
fi
receive --once --json -o $'no\xfftext'
timeout 20 nc -N 127.0.0.1 "$port" <nine
ended 0 'a file whose name is no text'
says '"path":"no.ufffdtext"' stdout '  JSON has text all the same'

# The report cannot be written: the first signal asks, the second does not
mkfifo full
exec 4<>full
head -c 60000 /dev/zero >&4
"$bin/zcrx-recv" --backend copy -p "$port" --json >stdout 2>&4 &
receiver=$!
until listening; do sleep 0.02; done
head -c 5536 /dev/zero | timeout 1 cat >&4
kill -INT "$receiver"
sleep 0.3
tap_ok 'a final report that nobody reads keeps the receiver' kill -0 "$receiver"
kill -INT "$receiver"
for i in $(seq 100); do
	kill -0 "$receiver" 2>/dev/null || break
	sleep 0.05
done
kill -KILL "$receiver" 2>/dev/null
ended 130 '  and a second SIGINT ends it at once'
exec 4<&-

receive --once --discard
sends_reset
ended 1 'the peer resets the connection'
says 'ZC041 .*ECONNRESET' talk.txt '  which is said in words'

# ---- what cannot work ---------------------------------------------------------

recv=$bin/zcrx-recv
copy=("$recv" --backend copy -p "$port")
refused 2 'more than 64 areas' 'more areas than there can be' "${copy[@]}" --area 64K --region 8M
refused 2 'not a power of two from a page' 'a buffer of no such length' "${copy[@]}" --rx-buf-len 12K
refused 2 'an area is 1G at most' 'an area too large' "${copy[@]}" --area 2G
refused 2 'which port' 'no port' "$recv" -i lo
refused 2 'which interface' 'no interface' "$recv" -p 1
refused 2 'not a number from 1 to 65535' 'port 0' "$recv" -p 0
refused 2 'not a number from 1 to 65535' 'port 65536' "$recv" -p 65536
refused 2 'not a number from 0 to 65535' 'queue -1' "$recv" -q -1
refused 2 '-queue 4,x: not a number from 0 to 65535' 'a queue that is a letter' "$recv" -q 4,x
refused 2 'from the lower number to the higher' 'queues that descend' "$recv" -q 7-4
refused 2 'named twice' 'a queue twice' "$recv" -q 4-7,5
refused 2 'more than 64 queues' '65 queues' "$recv" -q 0-64
refused 2 'tells of one queue' 'a log of pieces of two queues' "${copy[@]}" -q 0,1 --dump-frags frags
refused 2 'not a power of two' 'a ring of 3' "$recv" --rq 3
refused 2 'not a number from 1 to 32768' 'a ring of 0' "$recv" --rq 0
refused 2 'not a number from 1 to 65536' 'a ring of 2^31' "$recv" --cq 2147483648
refused 2 'multiple of the page size' 'a region of 5000 bytes' "$recv" --region 5000
refused 2 'less than 4G' 'a region of 4G' "$recv" --region 4G
refused 2 'not a size' 'a region of words' "$recv" --region big
refused 2 'not one of auto' 'a backend that does not exist' "$recv" --backend x
refused 2 'not one of sha256' 'a hash that does not exist' "${copy[@]}" --hash md5
refused 2 'contradicts' 'zero copy by copying' "${copy[@]}" --require-zerocopy
refused 2 'one of -o' 'two sinks' "${copy[@]}" --verify -o file
refused 2 'no operands' 'an operand' "${copy[@]}" file
refused 2 'no such option' 'an unknown option' "$recv" --nope
refused 2 'needs an argument' 'an option without its argument' "$recv" -p
tap_ok 'help' grep -q -e '--require-zerocopy' <("$recv" --help)
tap_eq "$("$recv" --help | grep -E '.{81}')" '' '  in 80 columns'
refused 1 'ZC053 .*ENOENT' 'a file in a directory that does not exist' "${copy[@]}" -o /nowhere/f
refused 1 'ZC054 .*EISDIR' 'a directory' "${copy[@]}" -o /tmp
refused 1 'ZC053 .*ENOENT' 'a directory that does not exist' "${copy[@]}" -o /nowhere/
refused 1 'ZC058 .*ENOTDIR' 'a file as a directory' "${copy[@]}" --directory "$dir/data"
refused 2 'not the name of a file' 'a file without a name' "${copy[@]}" -o ''
refused 2 'not the name of a directory' 'a directory without a name' "${copy[@]}" --directory ''
refused 2 'not the name of an interface' 'an interface without a name' "$recv" -i ''
refused 2 'not the name of a file' 'a log without a name' "${copy[@]}" --dump-frags ''
# each just outside its range
for option in --cpu=65536 --mss=87 --mss=32768 --gather=1000001 --busy-poll=1000001 --connections=0 --record=0 --record=1025; do
	refused 2 "${option%=*} ${option#*=}: not a number from" "${option/=/ }" "${copy[@]}" "$option"
done
for option in --bytes=0 --bytes=-1 --rcvbuf=0 --rcvbuf=1M1; do
	refused 2 "${option%=*} ${option#*=}: not a size" "${option/=/ }" "${copy[@]}" "$option"
done
for option in --time=-1 --time=soon --interval=-1 --interval=1s; do
	refused 2 "${option%=*} ${option#*=}: not a time" "${option/=/ }" "${copy[@]}" "$option"
done
refused 2 'at most 1G' '--rcvbuf 2G' "${copy[@]}" --rcvbuf 2G
refused 2 'not a percentage' '--require-zerocopy=101' "$recv" -i lo --require-zerocopy=101
refused 2 'not a percentage' '--require-zerocopy=-1' "$recv" -i lo --require-zerocopy=-1
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

# ---- check ----------------------------------------------------------------------

# checked STATUS PATTERN TEXT OPTION...: of the text, with lines that go on made one
checked() {
	local want=$1 pattern=$2 text=$3

	shift 3
	status=0
	timeout 20 "$@" 2>&1 </dev/null | sed -E ':a; N; $!ba; s/\n {20,}([^ ])/ \1/g' >talk.txt
	status=${PIPESTATUS[0]}
	tap_eq "$status" "$want" "$text" || tap_diag "$(cat talk.txt)"
	says "$pattern" talk.txt "  and says so"
}

check=("$recv" check -p "$port")
ip link add v0 type veth peer name v1 2>/dev/null
checked 0 'ok +port +9999 is free' 'check for an ordinary receive' "${check[@]}" --backend copy
checked 3 'FAILED +interface +ZC018 lo is' 'check of lo' "${check[@]}" -i lo
checked 3 'skipped +queue +see interface' 'check of lo, the queue' "${check[@]}" -i lo
checked 3 'FAILED +interface +ZC013 ' 'check of an interface that does not exist' "${check[@]}" -i nosuch
checked 3 'FAILED +interface +ZC013 ' 'check of a path' "${check[@]}" -i ../lo
checked 3 'FAILED +memory +ZC021 ' 'check for huge pages' "${check[@]}" --hugepages --region 1G
says '^ +fix: +sysctl vm.nr_hugepages=[0-9]+$' talk.txt '  and how many it takes'
checked 2 'no operands' 'check with an operand' "${check[@]}" file
checked 2 'zcrx-recv check' '--bind without check' "${copy[@]}" --bind
if [ -e /sys/class/net/v0 ]; then
	checked 3 'FAILED +interface +ZC015 .*ip link set v0 up' 'check of an interface that is down' "${check[@]}" -i v0
	ip link set v0 up
	checked 3 'FAILED +interface +ZC018 v0 is' 'check of a virtual one' "${check[@]}" -i v0
else
	tap_skip 'check of a virtual interface' 'no veth here'
fi
if "$recv" check | grep -q '^ok .*--backend'; then
	checked 3 'FAILED +capability +ZC011 ' 'check without capability' \
		setpriv --bounding-set=-net_admin --inh-caps=-net_admin "${check[@]}"
	checked 3 'FAILED +capability +ZC012 ' "check by a container's root" unshare -Urn "${check[@]}"
	checked 3 'FAILED +locked memory +ZC020 ' 'check with a limit' \
		setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock prlimit --memlock=8388608 "${check[@]}"
	says '^ +fix: +ulimit -l 67584$' talk.txt '  and the one it takes'
else
	checked 3 'ZC010|ZC00[1-4]' 'check on a kernel without zero copy' "${check[@]}"
fi
if "${with_errno[@]}" 425 EPERM true; then
	for refusal in EPERM:ZC002 ENOSYS:ZC003 EINVAL:ZC004 ENOMEM:ZC005; do
		checked 3 "FAILED +io_uring +${refusal#*:} " "check where io_uring_setup says ${refusal%:*}" \
			"${with_errno[@]}" 425 "${refusal%:*}" "${check[@]}"
		says 'skipped +zero copy +see io_uring' talk.txt '  and what depends on it is skipped'
	done
else
	tap_skip 'check where io_uring_setup fails' 'no seccomp filter, or not x86-64'
fi

"$recv" check -p "$port" -i lo --json >stdout 2>talk.txt
says '"event":"check","data":\{"check":"interface","result":"failed","code":"ZC018","name":"virtual-interface"' stdout \
	'check --json'
"$recv" check -p "$port" -i lo --bind --json 2>/dev/null | sed -n 's/.*"check":"\([^"]*\)".*/\1/p' >names
tap_eq "$(cat names)" "$(awk '/^=+  =+$/ { n++; next } n == 1 { sub(/  .*/, ""); print }' \
	"$top/Documentation/diagnostics.rst")" '  diagnostics.rst has all checks, in their order'
says '"event":"end","data":\{"ready":false,"ok":[0-9]+,"failed":1,' stdout '  and the sum'
"$recv" check -q 0-2 --json >>stdout 2>talk.txt
says '"event":"start","data":\{.*"queue":0,"queues":\[0,1,2\],"port":null,' stdout '  and of several queues'
lines_are zcrx-recv stdout 'check check_end check_start' '  as the schema says'
if command -v python3 >/dev/null; then
	tap_ok '  all of it is JSON' python3 -c 'import json; [json.loads(line) for line in open("stdout")]'
else
	tap_skip '  all of it is JSON' 'no python3'
fi
tap_eq "$("$recv" check -i lo -p "$port" | awk 'length > 80 && !/fix:/')" '' '  and the text has 80 columns'

receive
checked 3 'FAILED +port +ZC030 ' 'check of a port in use' "${check[@]}" --backend copy
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

# ---- JSON ---------------------------------------------------------------------

receive --json --interval 0.1 --record 4 --verify
{ send 127.0.0.1 "$port" --pattern --bytes 40M; sleep 0.3; sends_nc 127.0.0.1; } 2>/dev/null
kill -INT "$receiver"
ended 5 'JSON lines of intervals, records and wrong data'
receive --json --hash sha256 -o file
sends_reset
{ head -c 1M data; sleep 0.5; } | timeout 10 nc 127.0.0.1 "$port" >/dev/null &
sleep 0.3
kill -INT "$receiver"
ended 1 '  of what broke off and what was cut'
wait
refused 1 'ZC053' '  of what cannot begin' "${copy[@]}" --json -o /nowhere/f
cat stdout >>lines
lines_are zcrx-recv lines 'connection end error interval start warning' \
	'  all of them are what the schema says, of each event'

refused 3 'ZC060 .*ECONNREFUSED' 'nobody listens' "$bin/zcrx-send" 127.0.0.1 "$port"
refused 3 'ZC061 .*ENETUNREACH' 'no route' "$bin/zcrx-send" 198.51.100.1 "$port"
refused 3 'known|resolution|resolve' 'an unknown host' "$bin/zcrx-send" no.such.host.invalid "$port"
refused 2 'HOST and PORT' 'no host' "$bin/zcrx-send"
refused 2 'HOST and PORT' 'a host without a name' "$bin/zcrx-send" '' 1
refused 2 'not a port from 1 to 65535' 'port 0 to send to' "$bin/zcrx-send" h 0
refused 2 'not a port from 1 to 65535' 'port 65536 to send to' "$bin/zcrx-send" h 65536
refused 2 'not the name of a file' 'to send a file without a name' "$bin/zcrx-send" h 1 -f ''
for option in --parallel=0 --parallel=1025 --record=0 --record=121; do
	refused 2 "${option%=*} ${option#*=}: not a number from" "${option/=/ } of the sender" "$bin/zcrx-send" h 1 "$option"
done
for option in --wait=soon --time=-1 --interval=1s; do
	refused 2 "${option%=*} ${option#*=}: not a time" "${option/=/ } of the sender" "$bin/zcrx-send" h 1 "$option"
done
refused 2 'not a size' '--bytes 0 of the sender' "$bin/zcrx-send" h 1 --bytes 0
refused 2 'power of two' 'a page of 1000' "$bin/zcrx-send" h 1 --page 1000
refused 2 'smaller --record' 'a record of 16 pages' "$bin/zcrx-send" h 1 --record 16
refused 2 'read once only' 'standard input twice' "$bin/zcrx-send" h 1 -P 2
refused 3 'No such file' 'a file that does not exist' "$bin/zcrx-send" 127.0.0.1 "$port" -f nosuch
tap_ok 'help' grep -q -e '--pattern' <("$bin/zcrx-send" --help)
tap_done
