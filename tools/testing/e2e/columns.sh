#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 120
#
# What zcrx-recv and zcrx-send say fits a terminal of 80 columns: progress, reports, warnings, errors, of
# one thread and of several. Messages know the width of another terminal as well; elsewhere
# each is one line, for those who look for it.

set -u
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=host-lib.sh
. "$here/host-lib.sh"

command -v script >/dev/null || tap_skip_all 'no script(1) (scripts/setup installs bsdutils)'
recv=$bin/zcrx-recv
send=$bin/zcrx-send
head -c 3000000 /dev/urandom >data

# shown FILE COLUMNS COMMAND...: what is on a terminal of so many columns then. A line that is written again
# is many of them
shown() {
	local file=$1 columns=$2

	shift 2
	script -qc "stty cols $columns; timeout 20 $*" /dev/null </dev/null | sed 's/\x1b\[K//g' | tr '\r' '\n' | grep . >"$file"
}

# fits FILE COLUMNS LEAST TEXT: that it has so many lines at least, and none of them is longer. But for names that
# the user chose, and the lines that sha256sum(1) wants
fits() {
	local long

	long=$(awk -v columns="$2" 'length > columns' "$1" | grep -vE '^[0-9a-f]{64}  ')
	tap_eq "$long" '' "$4: no line of more than $2 columns" || return
	tap_ok "$4: there are $(wc -l <"$1") lines" test "$(wc -l <"$1")" -ge "$3" || tap_diag "$(cat "$1")"
}

# pair TEXT COLUMNS "RECEIVER ARGUMENT..." "SENDER ARGUMENT...": both on terminals
pair() {
	local text=$1 columns=$2 to=$3 from=$4

	shown recv.shown "$columns" "$recv -p $port $to" &
	for _ in $(seq 200); do if listening; then break; fi; sleep 0.02; done
	shown send.shown "$columns" "$send 127.0.0.1 $port $from"
	wait
	fits recv.shown "$columns" 9 "receiver, $text"
	fits send.shown "$columns" 7 "sender, $text"
}

mkdir dir
for mtu in 65536 1500; do
	ip link set lo mtu $mtu
	pair "a file, MTU $mtu" 80 '-i lo --once -o file --hash sha256 --interval 0.1' '-f data --pace 80M --interval 0.1'
	pair "several threads, MTU $mtu" 80 '--backend copy -q 0-3 --connections 4 -o dir/ --interval 0.1' \
		'--pattern --bytes 2M -P 4 --pace 200M --interval 0.1 --zerocopy'
	pair "a greeting, MTU $mtu" 80 '--backend copy --once --verify --hello' '--pattern --bytes 3M --hello'
	shown out 80 "$recv -p $port --backend copy --connections 1" &
	for _ in $(seq 200); do if listening; then break; fi; sleep 0.02; done
	shown explained 80 "$send 127.0.0.1 $port --explain"
	wait
	fits explained 80 7 "sender, --explain, MTU $mtu"
done
mkdir memory
trap 'umount "$dir/memory" 2>/dev/null; rm -rf "$dir"' EXIT
mount -t tmpfs none memory
pair 'a file of which there is something to say' 80 '-i lo --once --interval 0 -o memory/a-file-with-a-name' '-f data'
pair 'a wide terminal' 120 '-i lo --once --discard' '--pattern --bytes 3M'

errors=(
	"$send 127.0.0.1 $port -f data"
	"$send no.such.host.invalid $port -f data"
	"$send 127.0.0.1 $port -f /nonexistent"
	"$recv -i lo -q 0-3 -p $port --backend rbuf"
	"$recv -i lo -p $port --backend upstream --require-zerocopy"
	"$recv --backend copy -p $port -o /nonexistent/directory/file"
	"$recv --backend copy -p $port -o /dev"
	"setpriv --reuid 65534 --clear-groups $recv --backend copy -p 80"
	"$recv -i lo -p $port --cpu 0 --backend copy --time 0.1"
	"$recv check -i lo -q 0-3 -p $port"
	"$recv check -i nosuchif -p $port"
)
for command in "${errors[@]}"; do
	shown out 80 "$command"
	fits out 80 1 "${command##*/}"
done

# a command can be copied as it is, however long; and not on a terminal a message is one line
"$recv" -i lo -p "$port" --backend rbuf 2>piped
shown out 80 "$recv -i lo -p $port --backend rbuf"
tap_ok 'a message of several lines on a terminal' test "$(wc -l <out)" -gt "$(wc -l <piped)"
in_words() { tr '\n' ' ' <"$1" | tr -s ' '; }
tap_eq "$(in_words out)" "$(in_words piped)" '  says what it says elsewhere'
shown out 50 "$recv -i lo -p $port --backend rbuf"
fits out 50 4 'a message on a narrow terminal'
tap_done
