#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# scripts/zcrx-flow against an ethtool that only pretends: undoes exactly what it
# did, whatever fails or kills it on the way

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
tool=$(readlink -f "$here/../../../scripts/zcrx-flow")

command -v ip >/dev/null || tap_skip_all "no ip (scripts/setup installs iproute2)"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/bin" "$dir/dev"

# A device in files: channels, table, ntuple, gro, rules, context.N. FAKE_FAIL is an extended
# regular expression of command lines that fail, FAKE_KILL of those after which
# the caller dies, FAKE_SLOW of those that take a while before they do anything. FAKE_NEW: an ethtool and driver that can set data split.
# FAKE_CONTEXTS: a device that has RSS contexts. FAKE_CLOSED=0: one that is closed.
cat >"$dir/bin/ethtool" <<'FAKE'
#!/usr/bin/env bash
cd "${FAKE_DEV:?}" || exit 1
option=$1
iface=${2:-}
line="$*"
ulimit -S -f unlimited
changed() {
	if [ -n "${FAKE_KILL:-}" ] && grep -qE -- "$FAKE_KILL" <<<"$line"; then
		# the script and the subshell that it may have called this from
		pids=()
		pid=$PPID
		while grep -qa scripts/zcrx-flow "/proc/$pid/cmdline"; do
			pids=("$pid" "${pids[@]}")
			pid=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")
		done
		kill -KILL "${pids[@]}"
	fi
	echo "$line" >>log
	exit 0
}
if [ -n "${FAKE_FAIL:-}" ] && grep -qE -- "$FAKE_FAIL" <<<"$line"; then
	echo "netlink error: no" >&2
	exit 1
fi
if [ -n "${FAKE_SLOW:-}" ] && grep -qE -- "$FAKE_SLOW" <<<"$line"; then
	: >slow
	sleep 0.3
fi
weights() {
	awk -v w="$*" 'BEGIN { n = split(w, v, " "); for (i = 1; i <= n; i++) sum += v[i]
		for (i = 0; i < 64; i++) { while (i >= 64 * part / sum) part += v[++j]; printf "%s%d", i ? " " : "", j - 1 } }' >table
}
# as a recent kernel: one that a rule leads to stays
context() { # new|NUMBER ARGUMENT...
	local n=$1

	[ -n "${FAKE_CONTEXTS:-}" ] || { echo "Cannot set RX flow hash configuration: Operation not supported" >&2; exit 1; }
	shift
	if [ "$n" != new ]; then
		! grep -q " @$n$" rules || { echo "Cannot set RX flow hash configuration: Device or resource busy" >&2; exit 1; }
		rm "context.$n"
		return
	fi
	n=1
	while [ -e "context.$n" ]; do n=$((n + 1)); done
	mv table table.kept
	if [ "$1" = start ]; then spread "$4" "$2"; else shift; weights "$@"; fi
	mv table "context.$n"
	mv table.kept table
	echo "New RSS context is $n"
}
spread() { seq 0 63 | awk -v n="$1" -v s="${2:-0}" '{ printf "%s%d", (NR > 1 ? " " : ""), s + (NR - 1) % n }' >table; }
case $option in
-h)
	[ -z "${FAKE_NEW:-}" ] || echo "		[ tcp-data-split on|off|auto ]"
	# more than a pipe holds
	seq 20000
	;;
-l)
	[ "$iface" = "${FAKE_IF:?}" ] || { echo "netlink error: Operation not supported" >&2; exit 1; }
	printf 'Channel parameters for %s:\nPre-set maximums:\nRX:\t\tn/a\nTX:\t\tn/a\nOther:\t\tn/a\nCombined:\t8\n' "$iface"
	printf 'Current hardware settings:\nRX:\t\tn/a\nTX:\t\tn/a\nOther:\t\tn/a\nCombined:\t%s\n' "$(cat channels)"
	;;
-L)
	# as bnxt_en: neither a rule nor a table that was set may use what goes
	if awk -v n="$4" '$4 >= n { bad = 1 } END { exit !bad }' rules ||
		{ [ -e configured ] && [ "$(xargs -n 1 <table | sort -n | tail -n 1)" -ge "$4" ]; }; then
		echo "netlink error: requested channel counts are too low" >&2
		exit 1
	fi
	echo "$4" >channels
	[ -e configured ] || spread "$4"
	changed
	;;
-g)
	split=$(cat gro)
	[ "$(cat split)" = auto ] || split=$(cat split)
	printf 'Ring parameters for %s:\nPre-set maximums:\nRX:\t\t2047\nCurrent hardware settings:\nRX:\t\t511\n' "$iface"
	printf 'TX Push:\toff\nTCP data split:\t%s\n' "$split"
	[ -z "${FAKE_NEW:-}" ] || printf 'HDS thresh:\t\t%s\n' "$(cat threshold)"
	;;
-G)
	[ -n "${FAKE_NEW:-}" ] || { echo "ethtool (-G): unknown parameter" >&2; exit 1; }
	case $3 in tcp-data-split) echo "$4" >split ;; hds-thresh) echo "$4" >threshold ;; esac
	changed
	;;
-k) printf 'Features for %s:\nrx-checksumming: on\nntuple-filters: %s\nrx-gro-hw: %s\n' "$iface" "$(cat ntuple)" "$(cat gro)" ;;
-K)
	echo "$4" >"$(sed 's/^rx-gro-hw$/gro/' <<<"$3")"
	# as bnxt_en
	[ "$3 $4" != 'ntuple off' ] || : >rules
	changed
	;;
-x)
	table=table${4:+.none}
	[ -z "${4:-}" ] || [ ! -e "context.$4" ] || table=context.$4
	[ -e $table ] || { echo "Cannot get RX flow hash indir size and/or key size: No such file or directory" >&2; exit 1; }
	echo "RX flow hash indirection table for $iface with $(cat channels) RX ring(s):"
	# as bnxt_en while it is closed
	sed "s/[0-9][0-9]*/${FAKE_CLOSED:-&}/g" $table | xargs -n 8 | awk '{ printf "%5d: ", (NR - 1) * 8; for (i = 1; i <= NF; i++) printf " %5d", $i; print "" }'
	printf 'RSS hash key:\n00:11:22\nRSS hash function:\n    toeplitz: on\n'
	;;
-X)
	shift 2
	if [ "$1" = context ]; then
		context "${@:2}"
		changed
	fi
	start=0
	[ "$1" != start ] || { start=$2; shift 2; }
	: >configured
	case $1 in
	default) rm configured; spread "$(cat channels)" ;;
	equal) spread "$2" "$start" ;;
	weight)
		shift
		weights "$@"
		;;
	esac
	changed
	;;
-n)
	printf '%s RX rings available\nTotal %s rules\n\n' "$(cat channels)" "$(wc -l <rules)"
	tac rules | while read -r id family port queue; do
		printf 'Filter: %s\n\tRule Type: TCP over IPv%s\n\tSrc port: 0 mask: 0xffff\n' "$id" "$family"
		printf '\tDest port: %s mask: 0x0\n' "$port"
		case $queue in @*) printf '\tRSS Context ID: %s\n' "${queue#@}"; queue=0 ;; esac
		printf '\tAction: Direct to queue %s\n\n' "$queue"
	done
	;;
-N)
	if [ "$3" = delete ]; then
		grep -q "^$4 " rules || { echo "Cannot delete RX class rule: No such file" >&2; exit 1; }
		sed -i "/^$4 /d" rules
	else
		id=0
		while grep -q "^$id " rules; do id=$((id + 1)); done
		echo "$id ${4#tcp} $(sed 's/.*dst-port //; s/action //; s/context /@/' <<<"$line")" >>rules
		echo "Added rule with ID $id"
	fi
	changed
	;;
esac
FAKE
# A sed that changes a file, and then its caller dies where the command line matches FAKE_SED
cat >"$dir/bin/sed" <<'FAKE'
#!/usr/bin/env bash
PATH=${PATH#*:}
sed "$@" || exit
[ -z "${FAKE_SED:-}" ] || ! grep -qE -- "$FAKE_SED" <<<"$*" || kill -KILL "$PPID"
FAKE
# One that knows split on demand, in the file demand where there is one
cat >"$dir/bin/zcrx-split" <<'FAKE'
#!/usr/bin/env bash
cd "${FAKE_DEV:?}" && [ -e demand ] || exit 3
if [ $# -eq 1 ]; then
	sed 's/^auto 0/on 0/' demand
	exit
fi
if [ -n "${FAKE_FAIL:-}" ] && grep -qE -- "$FAKE_FAIL" <<<"split $*"; then
	echo "zcrx-split: $1: refused" >&2
	exit 1
fi
if [ -n "${FAKE_SLOW:-}" ] && grep -qE -- "$FAKE_SLOW" <<<"split $*"; then
	: >slow
	sleep 0.3
fi
echo "was $(cat demand)"
echo "$2 $3" >demand
echo "split $*" >>log
FAKE
chmod 755 "$dir/bin/"*

export PATH=$dir/bin:$PATH FAKE_DEV=$dir/dev FAKE_IF=lo ZCRX_FLOW_STATE=$dir/state
export ZCRX_SPLIT=$dir/bin/zcrx-split
unset FAKE_FAIL FAKE_KILL FAKE_NEW FAKE_CONTEXTS FAKE_SLOW FAKE_SED FAKE_CLOSED

# The device as it is before each test
fresh() {
	rm -rf "${dir:?}/dev" "$dir/state"
	mkdir "$dir/dev"
	(
		cd "$dir/dev" || exit 1
		echo 4 >channels
		echo on >ntuple
		echo on >gro
		echo auto >./split
		echo 256 >threshold
		echo '5 4 22 1' >rules
		: >log
		ethtool -X lo default
	)
	: >"$dir/dev/log"
	snapshot >"$dir/before"
}

snapshot() { (cd "$dir/dev" && shopt -s nullglob && tail -n +1 channels ntuple gro split threshold rules table context.* demand*); }

# Where there is no root, one of a user namespace will do
as_root=()
if [ "$(id -u)" -ne 0 ]; then
	as_root=(unshare -Ur)
	"${as_root[@]}" true 2>/dev/null || tap_skip_all "neither root nor user namespaces"
fi
# shellcheck disable=SC2317 # called by way of tap_ok
flow() { ${as_root[@]+"${as_root[@]}"} "$tool" "$@"; }

same() { snapshot | cmp -s - "$dir/before"; }
# shellcheck disable=SC2317
no_state() { [ ! -e "$dir/state/lo" ]; }
done_commands() { tr '\n' ';' <"$dir/dev/log"; }

undone() { # TEXT
	same
	tap_result $? "$1: everything is as before" || tap_diag "$(snapshot | diff "$dir/before" -)" "$out"
	tap_ok "$1: no state left" no_state
}

fresh
tap_ok "up" flow up lo --queue 3 --port 9999
tap_eq "$(done_commands)" '-X lo equal 3;-N lo flow-type tcp4 dst-port 9999 action 3;-N lo flow-type tcp6 dst-port 9999 action 3;' \
	"what up did"
tap_ok "status: in force" flow status lo
tap_ok "up once more" flow up lo --queue 3 --port 9999
tap_eq "$(wc -l <"$dir/dev/log")" 3 "that did nothing"
tap_fails "up for another queue" 'is up for something else' flow up lo --queue 2 --port 9999
sed -i '/^0 /d' "$dir/dev/rules"
tap_fails "status: a rule is gone" 'rule 0: is gone' flow status lo
tap_ok "down" flow down lo
undone "down, one rule gone already"
tap_ok "down once more" flow down lo

fresh
tap_ok "up with channels, one family, two ports" flow up lo --queue 7 --channels 8 --port 80 --port 443 -6
tap_eq "$(done_commands)" '-L lo combined 8;-X lo equal 7;-N lo flow-type tcp6 dst-port 80 action 7;-N lo flow-type tcp6 dst-port 443 action 7;' \
	"what that did"
flow down lo >/dev/null 2>&1
undone "down"

# every queue, tables of several kinds
for table in default 'equal 3' 'start 1 equal 3' 'weight 1 2 3 4' 'weight 0 0 1 1'; do
	fresh
	# shellcheck disable=SC2086
	ethtool -X lo $table
	snapshot >"$dir/before"
	for q in 0 1 2 3; do
		run flow up lo --queue $q --port 9999
		tap_eq "$(tr ' ' '\n' <"$dir/dev/table" | grep -cx $q)" 0 "table $table: queue $q is out of it"
		run flow down lo
		undone "table $table, queue $q"
	done
done
fresh
seq 63 -1 0 | awk '{ printf "%s%d", (NR > 1 ? " " : ""), $1 % 3 }' >"$dir/dev/table"
snapshot >"$dir/before"
tap_fails "a table that ethtool cannot set again" 'could not set again' flow up lo --queue 2 --port 1
undone "that"
tap_ok "unless the queue is not in it" flow up lo --queue 3 --port 1
flow down lo >/dev/null 2>&1
undone "down"

fresh
ethtool -K lo ntuple off
echo off >"$dir/dev/gro"
snapshot >"$dir/before"
tap_ok "up turns on what is off" flow up lo --queue 1 --port 1 --src-ip 192.0.2.1
tap_eq "$(cat "$dir/dev/gro" "$dir/dev/ntuple" | xargs)" 'on on' "namely ntuple filters and data split"
flow down lo >/dev/null 2>&1
undone "down"
FAKE_NEW=1 tap_ok "up with an ethtool that can set data split" flow up lo --queue 1 --port 1
tap_eq "$(cat "$dir/dev/gro" "$dir/dev/split" "$dir/dev/threshold" | xargs)" 'off on 0' "split and threshold"
tap_ok "down" env FAKE_NEW=1 PATH="$PATH" "${as_root[@]}" "$tool" down lo
sed -i 's/^auto$/off/' "$dir/before"
snapshot | sed 's/^auto$/off/' >"$dir/after"
tap_ok "that is undone" diff "$dir/before" "$dir/after"

# a failure, and death, at each step
for step in '-L lo combined 6' '-K lo ntuple on' '-X lo equal' '-K lo rx-gro-hw on' '-N lo flow-type tcp4' '-N lo flow-type tcp6'; do
	fresh
	ethtool -K lo ntuple off
	echo off >"$dir/dev/gro"
	snapshot >"$dir/before"
	FAKE_FAIL=$step run flow up lo --queue 5 --channels 6 --port 9999
	tap_ok "failed $step: exit status" test "$status" -ne 0
	undone "failed $step"
	FAKE_KILL=$step run flow up lo --queue 5 --channels 6 --port 9999
	tap_eq "$status" 137 "killed after $step"
	tap_fails "killed after $step: up wants a down first" 'cut short' flow up lo --queue 5 --channels 6 --port 9999
	tap_ok "killed after $step: down" flow down lo
	undone "killed after $step"
done

# several queues: an RSS context where there are some, or rules in turn
export FAKE_CONTEXTS=1
fresh
tap_ok "up with several queues" flow up lo -q 1-3 -p 9999
tap_eq "$(done_commands)" '-X lo equal 1;-X lo context new start 1 equal 3;-N lo flow-type tcp4 dst-port 9999 context 1;-N lo flow-type tcp6 dst-port 9999 context 1;' \
	"what up did"
run flow status lo
tap_eq "$status" 0 "status: in force"
tap_eq "$out" "$(cat <<'STATUS'
lo: up for queues 1-3 port 9999 family 4 6, of 4 queues
  RSS: leaves queues 1-3 alone
  header/data split: on
  RSS context 1: spreads over queues 1-3
  rule 0: port 9999 to RSS context 1
  rule 1: port 9999 to RSS context 1
STATUS
)" "status: how things stand"
tap_ok "up once more, the list in other words" flow up lo --queue 1,2,3 --port 9999
tap_eq "$(wc -l <"$dir/dev/log")" 4 "that did nothing"
tap_fails "up for another list" 'is up for something else' flow up lo -q 1,2 -p 9999
ethtool -X lo equal 2
tap_fails "status: other traffic comes" 'sends other traffic to queue 1 as well' flow status lo
ethtool -X lo equal 1
cp "$dir/dev/context.1" "$dir/context"
sed -i 's/3/0/g' "$dir/dev/context.1"
tap_fails "status: the context has another queue" 'spreads over queues 0-2$' flow status lo
cp "$dir/context" "$dir/dev/context.1"
tap_ok "down" flow down lo
undone "down"
tap_eq "$(tail -n 4 "$dir/dev/log" | tr '\n' ';')" '-N lo delete 1;-N lo delete 0;-X lo context 1 delete;-X lo default;' "rules before the context that they lead to"

fresh
ethtool -X lo context new start 0 equal 2 >"$dir/said"
snapshot >"$dir/before"
tap_ok "up with queues that are apart, beside another's context" flow up lo -q 1,3 -p 9999 -4
tap_eq "$(tail -n 3 "$dir/dev/log" | tr '\n' ';')" '-X lo weight 1 0 1 0;-X lo context new weight 0 1 0 1;-N lo flow-type tcp4 dst-port 9999 context 2;' "what that did"
rm "$dir/dev/context.2"
sed -i '/@2/d' "$dir/dev/rules"
tap_fails "status: the context is gone" 'RSS context 2: is gone' flow status lo
tap_ok "down" flow down lo
undone "down"

fresh
tap_ok "up with rules in turn, though there are contexts" flow up lo -q 2,3 -p 80 -p 443 --src-ip 192.0.2.1 --src-ip 2001:db8::1 --spread rules
tap_eq "$(done_commands)" "$(printf '%s;' '-X lo equal 2' '-N lo flow-type tcp4 src-ip 192.0.2.1 dst-port 80 action 2' \
	'-N lo flow-type tcp6 src-ip 2001:db8::1 dst-port 80 action 3' '-N lo flow-type tcp4 src-ip 192.0.2.1 dst-port 443 action 2' \
	'-N lo flow-type tcp6 src-ip 2001:db8::1 dst-port 443 action 3')" "what that did"
tap_ok "down" flow down lo
undone "down"

unset FAKE_CONTEXTS
fresh
tap_ok "no contexts: parts of the senders' ports" flow up lo -q 2,3 -p 80 -4
tap_eq "$(grep -c 'no RSS context (Operation not supported): rules' <<<"$out")" 1 "says so"
tap_eq "$(awk 'length > 80' <<<"$out")" '' "in 80 columns"
tap_eq "$(done_commands)" "$(printf '%s;' '-X lo equal 2' '-N lo flow-type tcp4 src-port 0 m 0xfffd dst-port 80 action 2' \
	'-N lo flow-type tcp4 src-port 2 m 0xfffd dst-port 80 action 3')" "what that did"
tap_ok "down" flow down lo
undone "down"
fresh
run flow up lo -q 1-3 -p 80 -6 --src-ip 2001:db8::1 --spread rules
tap_eq "$(sed -n 's/.*src-ip 2001:db8::1 src-port \(.*\) m 0xfff1 .* action /\1:/p' "$dir/dev/log" | xargs)" '0:1 2:2 4:3 6:1 8:2 10:3 12:1 14:2' \
	"three queues: the parts are as equal as they can be"
run flow down lo
undone "down"
tap_fails "no contexts, but asked for" 'fix: --spread rules' flow up lo -q 2,3 -p 80 -p 81 --spread rss
undone "that"
fresh
tap_ok "no contexts: as many ports" flow up lo -q 2,3 -p 80 -p 81 -4
tap_eq "$(done_commands)" '-X lo equal 2;-N lo flow-type tcp4 dst-port 80 action 2;-N lo flow-type tcp4 dst-port 81 action 3;' "what that did"
tap_ok "down" flow down lo
undone "down"

export FAKE_CONTEXTS=1
for step in '-X lo equal' '-X lo context new' '-N lo flow-type tcp4' '-N lo flow-type tcp6'; do
	fresh
	FAKE_FAIL=$step run flow up lo -q 2,3 -p 9999 --spread rss
	tap_ok "several queues, failed $step: exit status" test "$status" -ne 0
	undone "several queues, failed $step"
	FAKE_KILL=$step run flow up lo -q 2,3 -p 9999 --spread rss
	tap_eq "$status" 137 "several queues, killed after $step"
	tap_ok "several queues, killed after $step: down" flow down lo
	undone "several queues, killed after $step"
done
fresh
tap_ok "several queues, dry run" flow up lo -q 2,3 -p 1 --dry-run
tap_eq "$(grep -c -e 'context new start 2 equal 2' -e 'tcp[46] dst-port 1 context 1' <<<"$out")" 3 "says what it would do"
undone "dry run"
tap_fails "all queues" 'these are all 4 queues' flow up lo -q 0-3 -p 1
undone "that"
tap_fails "a queue that there is not" 'no queue 4, the device has 4' flow up lo -q 2-4 -p 1
for list in 3-2 2,2 2-3,3 -2 2- 2,,3 '2,' a 65536 '2 3' 0-64; do
	tap_fails "not a list: $list" '^zcrx-flow: --queue .*: (not a number|a range goes|a queue is named|more than 64)' flow up lo -q "$list" -p 1
done
unset FAKE_CONTEXTS
FAKE_FAIL='src-port 2 m' tap_fails "a device that takes no parts of ports" 'fix: .*or one for each queue, by --port and --src-ip' flow up lo -q 2,3 -p 1
undone "that"

# a signal while a command runs: that command is undone as well
signal_at() { # SIGNAL STEP ARGUMENT...
	local signal=$1 step=$2 pid

	shift 2
	FAKE_SLOW=$step flow_background "$@"
	for _ in {1..100}; do
		[ ! -e "$dir/dev/slow" ] || break
		sleep 0.05
	done
	tap_ok "$signal at $step: it runs" test -e "$dir/dev/slow"
	kill "-$signal" "$pid"
	wait "$pid"
	tap_eq $? $((128 + $(kill -l "$signal"))) "$signal at $step: exit status"
	# for a command that it did not wait for
	sleep 0.4
	out=$(cat "$dir/said")
	undone "$signal at $step"
}

# unshare becomes the script; its pid is left in $pid
flow_background() {
	${as_root[@]+"${as_root[@]}"} "$tool" "$@" >"$dir/said" 2>&1 &
	pid=$!
}

for step in '-L lo combined 6' '-K lo ntuple on' '-X lo equal' '-K lo rx-gro-hw on' 'context new' '-N lo flow-type tcp6'; do
	fresh
	ethtool -K lo ntuple off
	echo off >"$dir/dev/gro"
	snapshot >"$dir/before"
	FAKE_CONTEXTS=1 signal_at TERM "$step" up lo -q 4,5 --channels 6 -p 9999
done
fresh
signal_at HUP '-N lo flow-type tcp4' up lo -q 3 -p 9999
fresh
echo 'off 256' >"$dir/dev/demand"
snapshot >"$dir/before"
signal_at TERM 'split lo on 0' up lo -q 3 -p 9999

# death between a change and what is known after it
for step in 'undo adding' 'undo making' 'undo demand'; do
	fresh
	echo 'auto 256' >"$dir/dev/demand"
	snapshot >"$dir/before"
	FAKE_CONTEXTS=1 FAKE_SED=$step run flow up lo -q 2,3 -p 9999
	tap_eq "$status" 137 "killed with the note '$step'"
	FAKE_CONTEXTS=1 tap_ok "killed with the note '$step': down" flow down lo
	undone "killed with the note '$step'"
done

# nobody to read what it says
exec 8> >(exit)
wait $!
for err in /dev/full /dev/fd/8; do
	fresh
	FAKE_FAIL='-N lo flow-type tcp6' flow up lo -q 3 -p 9999 2>"$err"
	tap_eq $? 1 "failed, with stderr to $err"
	undone "failed, with stderr to $err"
	flow up lo -q 3 -p 9999 2>"$err"
	tap_eq $? 0 "up, with stderr to $err"
	flow down lo 2>"$err"
	tap_eq $? 0 "down, with stderr to $err"
	undone "down, with stderr to $err"
done
exec 8>&-

# a full disk keeps the state as it was
fresh
run flow up lo -q 3 -p 9999
cp "$dir/state/lo" "$dir/lo.state"
# shellcheck disable=SC2317 # called by way of tap_fails
flow_full() { (ulimit -S -f 0 && trap '' XFSZ && flow "$@"); }
FAKE_FAIL='-X' tap_fails "down that fails in part, and cannot write" 'keeps all of it' flow_full down lo
tap_ok "the state is as it was" cmp "$dir/state/lo" "$dir/lo.state"
tap_ok "down again" flow down lo
undone "down again"
tap_fails "up that cannot write" 'cannot write to ' flow_full up lo -q 3 -p 9999
undone "up that cannot write"

# others' changes are theirs
fresh
run flow up lo --queue 3 --port 9999
ethtool -X lo weight 1 1 0 0
cp "$dir/dev/table" "$dir/table"
tap_ok "down after somebody else set the table" flow down lo
tap_ok "leaves the table" cmp "$dir/table" "$dir/dev/table"
fresh
run flow up lo --queue 3 --port 9999
FAKE_FAIL='-X' tap_fails "down that fails in part" 'could not undo: rss' flow down lo
tap_eq "$(grep -c ^undo "$dir/state/lo")" 1 "keeps what is left"
tap_ok "down again" flow down lo
undone "down again"

fresh
run flow up lo --queue 3 --port 9999
ethtool -X lo default
tap_ok "down after somebody else set the table as it was" flow down lo
tap_eq "$(grep -c 'RSS table' <<<"$out")" 0 "has nothing to say of it"
undone "down after that"
fresh
ethtool -X lo weight 1 1 1 1
snapshot >"$dir/before"
FAKE_SED='undo rss pending' run flow up lo --queue 3 --port 9999
tap_eq "$status" 137 "killed with the table set"
cp "$dir/dev/table" "$dir/table"
ethtool -X lo weight 1 1 1 1
sed -i 's/^undo rss [0-9.]* /undo rss pending /' "$dir/state/lo"
: >"$dir/dev/log"
tap_ok "killed before the table was set: down" flow down lo
tap_eq "$(done_commands)" '' "does not set it"

# numbers that went to others' rules and contexts
export FAKE_CONTEXTS=1
fresh
run flow up lo -q 2,3 -p 9999
sed -i 's/^1 6 9999 @1$/1 6 443 1/' "$dir/dev/rules"
tap_fails "status: another rule" 'rule 1: is another one now' flow status lo
tap_ok "down when another rule has the number" flow down lo
tap_eq "$(grep -c 'rule 1: is another one now; left' <<<"$out")" 1 "says so"
tap_eq "$(cat "$dir/dev/rules")" "$(printf '5 4 22 1\n1 6 443 1')" "leaves it, and deletes the other"
fresh
run flow up lo -q 2,3 -p 9999
sed -i '/@1$/d' "$dir/dev/rules"
seq 0 63 | awk '{ printf "%s%d", (NR > 1 ? " " : ""), NR % 2 }' >"$dir/dev/context.1"
tap_ok "down when another context has the number" flow down lo
tap_eq "$(grep -c 'RSS context 1: has been changed since; left' <<<"$out")" 1 "says so"
tap_ok "leaves it" test -e "$dir/dev/context.1"
unset FAKE_CONTEXTS

# values that somebody else has set since: FILE VALUE
for change in 'channels 7' 'split off' 'threshold 100' 'demand off_100' 'demand on_100'; do
	fresh
	[[ $change != demand* ]] || echo 'auto 256' >"$dir/dev/demand"
	echo off >"$dir/dev/gro"
	export FAKE_NEW=1
	run flow up lo -q 5 --channels 6 -p 9999
	read -r file value <<<"${change/_/ }"
	echo "$value" >"$dir/dev/$file"
	: >"$dir/dev/log"
	tap_ok "down after $change by others" flow down lo
	unset FAKE_NEW
	tap_eq "$(cat "$dir/dev/$file")" "$value" "that is left"
	[ "$change" = 'split off' ] || tap_eq "$(grep -c 'has been changed since, from .* to .*; left as it is' <<<"$out")" 1 "and said"
done

# ntuple filters that others use by now
fresh
ethtool -K lo ntuple off
snapshot >"$dir/before"
run flow up lo -q 3 -p 9999
run flow down lo --dry-run
tap_eq "$(grep -c 'ntuple off' <<<"$out")" 1 "down, dry run, without others' rules"
ethtool -N lo flow-type tcp4 dst-port 80 action 1 >"$dir/said"
tap_ok "down, with others' rules" flow down lo
tap_eq "$(cat "$dir/dev/ntuple" "$dir/dev/rules" | xargs)" 'on 2 4 80 1' "ntuple filters stay on"
tap_eq "$(grep -c 'filter rules of others' <<<"$out")" 1 "says so"
fresh
ethtool -K lo ntuple off
snapshot >"$dir/before"
run flow up lo -q 3 -p 9999
FAKE_FAIL='delete 1' tap_fails "a rule of its own stays" 'could not undo: ntuple' flow down lo
tap_ok "down again" flow down lo
undone "down again"

# split on demand
for demand in 'auto 256' 'off 0' 'on 0' 'on 256' 'auto 0'; do
	fresh
	echo "$demand" >"$dir/dev/demand"
	snapshot >"$dir/before"
	run flow up lo -q 3 -p 9999
	tap_eq "$(cat "$dir/dev/demand")" 'on 0' "split was $demand"
	run flow down lo
	undone "split was $demand"
	FAKE_FAIL='split lo on 0' tap_fails "split was $demand, refused" 'could not be turned on' flow up lo -q 3 -p 9999
	tap_eq "$(grep -c '] .*zcrx-split lo [aof]' <<<"$out")" 1 "split was $demand: only what was refused"
	undone "split was $demand, refused"
done

# what cannot be told is not gone
for step in '-x lo$' '-x lo context' '-n lo'; do
	fresh
	export FAKE_CONTEXTS=1
	run flow up lo -q 2,3 -p 9999
	FAKE_FAIL=$step tap_fails "down, failed $step" 'could not undo: ' flow down lo
	tap_eq "$(grep -cm1 '^netlink error: no' <<<"$out")" 1 "with ethtool's message"
	tap_ok "down again" flow down lo
	undone "down again"
	FAKE_FAIL=$step run flow up lo -q 2,3 -p 9999
	tap_eq "$status" "$([ "$step" = '-x lo context' ]; echo $?)" "up, failed $step: exit status"
	run flow down lo
	undone "up, failed $step"
	unset FAKE_CONTEXTS
done

# an interface that can go down, be renamed: lo of another namespace
unshare ${as_root[@]+-Ur} -n sleep 300 &
holder=$!
trap 'kill $holder 2>/dev/null; rm -rf "$dir"' EXIT
there() { nsenter -t $holder ${as_root[@]+-U --preserve-credentials} -n "$@"; }
for _ in {1..20}; do
	[ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/$holder/ns/net)" ] || break
	sleep 0.05
done
if there ip link set lo up 2>/dev/null; then
	fresh
	run there "$tool" up lo -q 3 -p 9999
	cp "$dir/state/lo" "$dir/lo.state"
	snapshot >"$dir/after"
	there ip link set lo down
	FAKE_CLOSED=0 tap_fails "down while the interface is down" 'fix: ip link set lo up' there "$tool" down lo
	tap_eq "$status" 3 "exit status"
	tap_ok "the state is as it was" cmp "$dir/state/lo" "$dir/lo.state"
	tap_eq "$(snapshot)" "$(cat "$dir/after")" "and the device"
	FAKE_CLOSED=0 tap_fails "status while the interface is down" 'interface is down' there "$tool" status lo
	there ip link set lo up
	tap_ok "down when it is up again" there "$tool" down lo
	undone "down when it is up again"

	# a name that changes, and one more
	fresh
	run there "$tool" up lo -q 3 -p 9999
	there ip link set lo down
	there ip link set lo name zc0
	there ip link set zc0 up
	FAKE_IF=zc0 tap_ok "renamed: status" there "$tool" status zc0
	FAKE_IF=zc0 tap_ok "renamed: up once more" there "$tool" up zc0 -q 3 -p 9999
	tap_eq "$(wc -l <"$dir/dev/log")" 3 "that did nothing"
	cp "$dir/state/lo" "$dir/lo.state"
	tap_ok "renamed: down of the name that it had" there "$tool" down lo
	tap_eq "$(grep -c 'lo is zc0' <<<"$out")" 1 "says so"
	tap_eq "$(grep -c -- 'N zc0 delete' "$dir/dev/log")" 2 "that is what it undoes"
	undone "renamed: down"
	for kind in dummy ifb veth bridge; do
		! there ip link add lo type $kind 2>/dev/null || break
	done
	if there ip link show dev lo >"$dir/said" 2>&1; then
		cp "$dir/lo.state" "$dir/state/lo"
		there ip link set lo up
		for command in up down status; do
			words=()
			[ $command != up ] || words=(-q 3 -p 9999)
			tap_fails "$command of a name that is another's now" 'fix: zcrx-flow down zc0' there "$tool" $command lo ${words[@]+"${words[@]}"}
		done
		FAKE_IF=zc0 tap_ok "and of the name that it has" there "$tool" down zc0
		there ip link delete lo
	else
		tap_skip "a name that is another's now" "no kind of interface to make"
	fi
	there ip link set zc0 down
	there ip link set zc0 name lo
	there ip link set lo up
	if there ip link property add dev lo altname another-name-of-lo 2>/dev/null; then
		fresh
		run there "$tool" up lo -q 3 -p 9999
		tap_ok "up by altname" there "$tool" up another-name-of-lo -q 3 -p 9999
		tap_eq "$(wc -l <"$dir/dev/log")" 3 "that did nothing"
		tap_ok "down by altname" there "$tool" down another-name-of-lo
		undone "down by altname"
	else
		tap_skip "an altname" "none here"
	fi
else
	tap_skip "an interface that goes down" "no network namespaces"
fi

# another device, another boot, another namespace: the words of "device" are boot, namespace,
# ifindex and place in sysfs
device_word() { awk -v i="$1" -v w="$2" '/^device / { $(i + 1) = w } { print }' "$dir/lo.state" >"$dir/state/$3"; }
fresh
run flow up lo -q 3 -p 9999
cp "$dir/state/lo" "$dir/lo.state"
for word in '1 00000000-0000-0000-0000-000000000000' '3 999999'; do
	fresh
	mkdir "$dir/state"
	# shellcheck disable=SC2086 # words
	device_word $word lo
	tap_fails "word $word: status" 'not up' flow status lo
	tap_ok "word $word: down, dry run" flow down lo --dry-run
	tap_ok "leaves the state" test -e "$dir/state/lo"
	tap_ok "word $word: up" flow up lo -q 3 -p 9999
	tap_eq "$(wc -l <"$dir/dev/log")" 3 "does all of it"
	run flow down lo
	undone "word $word"
	# shellcheck disable=SC2086 # words
	device_word $word none0
	tap_ok "word $word: down of what is gone, dry run" flow down none0 --dry-run
	tap_ok "leaves the state" test -e "$dir/state/none0"
	tap_ok "word $word: down of what is gone" flow down none0
	tap_ok "no state left" test ! -e "$dir/state/none0"
done
device_word 2 1 lo
tap_fails "up in another namespace: up" 'in another network namespace' flow up lo -q 3 -p 9999
tap_fails "up in another namespace: down" 'in another network namespace' flow down lo
tap_eq "$status" 3 "exit status"
tap_ok "the state is kept" test -e "$dir/state/lo"
rm "$dir/state/lo"
for bound in /sys/bus/*/devices/*/driver; do
	bound=${bound%/driver} bound=${bound#/sys/bus/}
	if [ -e "/sys/bus/$bound/driver" ] && ! ip -d link | grep "parentdev ${bound##*/}" >"$dir/said"; then break; fi
	bound=''
done
if [ -n "$bound" ]; then
	sed -E "s|^(device [^ ]+ [^ ]+) .*|\1 999999 $bound|" "$dir/lo.state" >"$dir/state/none0"
	tap_fails "an interface that went elsewhere: down" 'has left this network namespace' flow down none0
	tap_ok "the state is kept" test -e "$dir/state/none0"
	rm "$dir/state/none0"
else
	tap_skip "an interface that went elsewhere: down" "no device with a driver"
fi
fresh
run flow up lo -q 3 -p 9999
: >"$dir/dev/rules"
tap_fails "up for the same, but not in force" 'fix: zcrx-flow down lo, then up again' flow up lo -q 3 -p 9999
run flow down lo

# refusals
fresh
tap_fails "queue out of range" 'no queue 4, the device has 4 \(0 to 3\)' flow up lo --queue 4 --port 1
tap_fails "too many channels" 'more than the device has \(8\)' flow up lo --queue 4 --port 1 --channels 9
: >"$dir/dev/rules"
snapshot >"$dir/before"
tap_fails "one queue" 'other traffic needs one too' flow up lo --queue 0 --port 1 --channels 1
undone "refused"
echo 'off [fixed]' >"$dir/dev/ntuple"
tap_fails "no ntuple filters" 'has no ntuple filters' flow up lo --queue 1 --port 1
echo on >"$dir/dev/ntuple"
echo off >"$dir/dev/gro"
FAKE_FAIL='-K' tap_fails "no data split" 'GRO_HW' flow up lo --queue 1 --port 1
FAKE_IF=other tap_fails "a device without queues" 'does not tell how many queues' flow up lo --queue 0 --port 1
tap_fails "no such interface" 'no such interface' flow up none0 --queue 0 --port 1
tap_fails "no queue" 'needs --queue' flow up lo --port 1
tap_fails "queue that is no number" 'queue 1x: not a number' flow up lo --queue 1x --port 1
tap_fails "port 0" 'ports are 1..65535' flow up lo --queue 1 --port 0
tap_fails "port 65536" 'ports are 1..65535' flow up lo --queue 1 --port 65536
tap_fails "port 09 is 9, 08x is not" 'ports are' flow up lo --queue 1 --port 08x
tap_fails "IPv4 address and -6" 'do not go together' flow up lo --queue 1 --port 1 --src-ip 192.0.2.1 -6
tap_fails "interface that is a path" 'cannot be an interface' flow up ../lo --queue 1 --port 1
for option in --src-ip --channels --queue --port; do
	tap_fails "an empty word after $option" "$option needs a value" flow up lo --queue 1 --port 1 $option ''
done
tap_fails "no such way" 'auto, rss or rules' flow up lo --queue 1 --port 1 --spread some
tap_fails "unknown option" "what is '--nope'" flow up lo --nope
fresh
tap_ok "dry run" flow up lo --queue 7 --channels 8 --port 1 --dry-run
tap_eq "$(grep -c -- '-X lo equal 7' <<<"$out")" 1 "says what it would do"
undone "dry run"
tap_eq "$(done_commands)" '' "and did nothing"
tap_done
