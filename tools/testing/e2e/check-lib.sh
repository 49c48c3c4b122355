# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # lib.sh's variables; functions are called by name
#
# zcrx-recv check in a guest: what it finds, and the commands that it prints, executed. For those
# who have sourced lib.sh.

# what the printed commands are
PATH=$bin:$top/scripts:$PATH

# check OPTION...: JSON lines in $work/check.json, the text in $work/check.txt
check() {
	status=0
	zcrx-recv check -i eth0 -q "$queue" -p "$port" --json "$@" >"$work/check.json" 2>"$work/check.txt" || status=$?
	cat "$work/check.json" >>"$work/check-lines"
}

# member NAME CODE: of the line with that code
member() {
	sed -n "/\"code\":\"$2\"/s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$work/check.json"
}

codes() { sed -n 's/.*"result":"failed","code":"\(ZC[0-9]*\)".*/\1/p' "$work/check.json" | xargs; }
warnings() { sed -n 's/.*"result":"warning","code":"\(ZC[0-9]*\)".*/\1/p' "$work/check.json" | xargs; }

# TITLE CODES [OPTION...]: exactly these fail, and the exit status says so
finds() {
	check "${@:3}"
	tap_eq "$status $(codes)" "$([ -n "$2" ] && echo 3 || echo 0) $2" "$1: ${2:-all is well}" ||
		tap_diag "$(cat "$work/check.txt")"
}

# TITLE CODE WANT: executes the command of the diagnostic, which is to be WANT
mend() {
	local command

	command=$(member command "$2")
	tap_eq "$command" "$3" "$1: the command"
	tap_ok "$1: can be executed" bash -c "$command"
}

# TITLE CODE COMMAND [OPTION...]: found, mended, and well again
mended() {
	finds "$1" "$2" "${@:4}"
	mend "$1" "$2" "$3"
	finds "$1, mended" '' "${@:4}"
}

# TITLE CODE WANT COMMAND OPTION...: the peer's COMMAND sends to a receiver, which warns of CODE, or not
warns() {
	local rc=0

	recv_start --once "${@:5}"
	peer_start "$4"
	# $stopped is how long the receiver is: what comes meanwhile has to wait in the region
	[ -z "${stopped:-}" ] || { kill -STOP "$recv_pid"; $stopped; kill -CONT "$recv_pid"; }
	peer_wait "$peer_id" || { tap_diag "$(cat "$peer_out")"; kill "$recv_pid"; }
	wait "$recv_pid" || rc=$?
	tap_eq "$rc $(grep -o "^zcrx-recv: $2 " "$work/recv.err" | head -n 1)" "0 $([ "$3" = no ] || echo "zcrx-recv: $2 ")" \
		"$1: $([ "$3" = no ] && echo "no ")$2" || tap_diag "$(cat "$work/recv.err")"
}

link_is_up() { ip link show eth0 | grep -q LOWER_UP; }

# TITLE PATTERN: in the text, with lines that go on made one
says() {
	sed -E ':a; N; $!ba; s/\n {20,}([^ ])/ \1/g' "$work/check.txt" >"$work/check.long"
	tap_ok "$1" grep -qE -- "$2" "$work/check.long" || tap_diag "$(cat "$work/check.txt")"
}

# A short ring and a large receive buffer: more can wait in the socket than a small region has
much_waits() {
	ethtool -G eth0 rx 31
	wait_for 5 link_is_up
	sysctl -qw net.ipv4.tcp_rmem='4096 33554432 33554432'
}
