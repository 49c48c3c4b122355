# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The tools on this kernel, over lo, in network and mount namespaces of its own; source it. The working
# directory is one that goes at the end, and $bin has the programs.

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
top=$(cd "$here/../../.." && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"

if [ -z "${ZCRX_IN_NETNS:-}" ]; then
	export ZCRX_IN_NETNS=1
	if [ "$(id -u)" -eq 0 ]; then
		exec unshare -nm "$0" "$@"
	elif unshare -rnm true 2>/dev/null; then
		exec unshare -rnm "$0" "$@"
	fi
	tap_skip_all 'needs root, or user namespaces'
fi
ip link set lo up || tap_skip_all 'cannot set lo up'

# programs VARIANT: those that are meant from here on
programs() {
	local tool

	for tool in zcrx-recv zcrx-send; do
		make -s -C "$top/tools/$tool" VARIANT="$1" >&2 || return
	done
	bin=$top/build/$1
}

# The sanitizers watch: the memory that a test misuses is as good as a wrong byte
programs "${VARIANT:-asan}" || tap_skip_all 'the tools do not build'
port=9999
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

listening() { ss -Hltn "sport = :$port" | grep -q .; }

# receive ARGUMENT...: start a receiver with $backend; its pid in $receiver, its talk in "talk.txt"
backend=copy
wrap=()
receive() {
	${wrap[@]+"${wrap[@]}"} "$bin/zcrx-recv" --backend "$backend" -p "$port" "$@" >stdout 2>talk.txt &
	receiver=$!
	for _ in $(seq 200); do
		if listening; then return; fi
		kill -0 "$receiver" 2>/dev/null || return
		sleep 0.02
	done
}

# received: wait for the receiver's end; its exit status in $status
received() {
	status=0
	wait "$receiver" || status=$?
	# for who looks whether all are what the schema says
	grep -a '^{"event"' stdout >>lines
}

# the same of senders with --json
send() {
	local rc=0

	timeout 60 "$bin/zcrx-send" "$@" >sent.out 2>sent || rc=$?
	grep -a '^{"event"' sent.out >>sent.lines
	return $rc
}

# lines_are PROGRAM FILE EVENTS TEXT: the file has JSON lines of all these events, and all lines are
# what the program's schema says
lines_are() {
	local events rc=0

	events=$("$top/tools/testing/json-lines.sh" "$top/tools/$1/report.schema.json" "$2") || rc=$?
	case $rc in
	77) tap_skip "$4" 'no python3-jsonschema' ;;
	*) tap_eq "$events" "$3" "$4: $(wc -l <"$2")" ;;
	esac
}

sends_nc() { timeout 60 nc.openbsd -N "$@" "$port" <data >/dev/null; }

# Sends some bytes, then breaks off
sends_reset() {
	perl -MSocket -e '
		socket(S, PF_INET, SOCK_STREAM, 0);
		connect(S, sockaddr_in($ARGV[0], inet_aton("127.0.0.1"))) or die;
		syswrite(S, "x" x 100000); select(undef, undef, undef, 0.2);
		setsockopt(S, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)); close(S);' "$port"
}

# ended WANT TEXT: the receiver's exit status
ended() {
	received
	tap_eq "$status" "$1" "$2" || tap_diag "$(cat talk.txt)"
}

says() { # PATTERN FILE TEXT
	if grep -qE -- "$1" "$2"; then
		tap_result 0 "$3"
	else
		tap_result 1 "$3" || true
		tap_diag "$(cat "$2")"
	fi
}

# "${with_errno[@]}" NUMBER ERRNO COMMAND...: this system call of x86-64 fails so, as in many a container
# shellcheck disable=SC2016,SC2034 # of Perl; for those who source this
with_errno=(perl -MErrno -MPOSIX=uname -e '
	exit 99 if (uname)[4] ne "x86_64";
	my ($call, $error) = (shift, Errno->can(shift)->());
	# load nr; call? error : allow
	my $insns = pack("SCCL" x 4, 0x20, 0, 0, 0, 0x15, 0, 1, $call, 6, 0, 0, 0x50000 | $error, 6, 0, 0, 0x7fff0000);
	my $prog = pack("S x6 P", 4, $insns);
	syscall(157, 38, 1, 0, 0, 0) == 0 or exit 99;	# prctl: PR_SET_NO_NEW_PRIVS
	syscall(157, 22, 2, $prog) == 0 or exit 99;	# PR_SET_SECCOMP
	exec @ARGV;')

# refused STATUS PATTERN TEXT COMMAND...: it has to end with that status, and say why
refused() {
	local want=$1 pattern=$2 text=$3

	shift 3
	status=0
	timeout 20 "$@" >stdout 2>talk.txt </dev/null || status=$?
	if [ "$status" = "$want" ] && grep -qE -- "$pattern" talk.txt; then
		tap_result 0 "$text"
	else
		tap_result 1 "$text" || true
		tap_diag "status $status, wanted $want and: $pattern"
		tap_diag "$(cat talk.txt)"
	fi
}
