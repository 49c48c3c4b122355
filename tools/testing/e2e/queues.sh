#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# One receiver with several queues: each connection is received by the thread of the queue that its
# flow comes by, without a copy, and every byte is right; so is that of a flow that comes by
# another queue. Ended in mid-stream, by SIGINT, by an error of one thread or by SIGKILL, it
# leaves the queues as they were.

# shellcheck source=lib.sh disable=SC2317 # functions are called by name
. "$(dirname "$0")/lib.sh"

size=${ZCRX_TEST_SIZE:-4M}
# all other traffic comes by queues 0 and 1
spread=2

# Flows are told apart by the port of the sender, whose last digit is the queue. Each port serves
# once: who closes a connection first keeps it for a minute
steer() { # FLOWS QUEUE...
	local q n flows=$1

	shift
	queue=$1 "$top/scripts/zcrx-flow" up eth0 --quiet --queue "$1" --port "$port" --src-ip 203.0.113.9 || return
	ethtool -X eth0 equal "$spread" || return
	for q; do
		for ((n = 0; n < flows; n++)); do
			ethtool -N eth0 flow-type tcp4 src-port $((20000 + n * 10 + q)) dst-port "$port" action "$q" || return
		done
	done
}

# A file from each of the ports. What cannot be sent the receiver would wait for
send() { # WHAT PORT...
	local what=$1

	shift
	peer "for p in $*; do
		nc -N -p \$p $ZCRX_GUEST $port <$work/input.\$p & sent+=(\$!); done
		for s in \${sent[@]}; do wait \$s || exit; done"
	tap_eq $? 0 "$what: all senders end well" && return
	tap_diag "$(cat "$peer_out")"
	kill -KILL "$recv_pid"
}

# start LIST OPTION...
start() {
	local list=$1

	shift
	"$bin/zcrx-recv" -i eth0 -q "$list" -p "$port" --json "$@" >"$work/recv.json" 2>"$work/recv.err" &
	recv_pid=$!
	wait_for 10 listening || tap_diag "$(cat "$work/recv.err")"
}

finish() { # STATUS WHAT
	local rc=0

	wait "$recv_pid" || rc=$?
	cat "$work/recv.json" >>"$work/lines"
	tap_eq "$rc" "$1" "$2" || tap_diag "$(cat "$work/recv.err")"
}

# "PORT QUEUE SHA256" of each connection, sorted
connections() {
	sed -n '/"event":"connection"/s/.*"peer":"[^"]*:\([0-9]*\)".*"queue":\([0-9]*\),"sha256":"\([0-9a-f]*\)".*/\1 \2 \3/p' \
		"$work/recv.json" | sort
}

wanted() { # PORT...: each by the queue of its last digit
	local p

	for p; do
		echo "$p ${p: -1} $(sha256sum <"$work/input.$p" | cut -d ' ' -f 1)"
	done | sort
}

# "QUEUE VALUE" a line: a member of each queue's part of the final report
by_queue() { # MEMBER
	sed -n '/"event":"end"/{s/.*"queues":\[\(.*\)\],"elsewhere.*/\1/; s/},{"queue"/}\n{"queue"/g; p}' "$work/recv.json" |
		sed -n "s/{\"queue\":\([0-9]*\),.*\"$1\":\([0-9.]*\).*/\1 \2/p"
}

# What comes by the queues goes to user memory no more, and nobody has them
restored() { # QUEUE...
	local q

	for q; do
		"$bin/zcrx-recv" check -i eth0 -q "$q" | grep -q '^ok *owner .*nobody' || return
	done
	no_pool_detached
}

guest_queues() { # LIST QUEUE...
	local list=$1 q zc
	local -a ports=()

	shift
	for q; do ports+=($((20000 + q)) $((20010 + q))); done
	tap_ok "flows are steered to queues $*" steer 2 "$@"
	start "$list" --connections ${#ports[@]} --hash sha256 --require-zerocopy --directory "$work/out"
	send "two flows each" "${ports[@]}"
	finish 0 "the receiver ends well"
	tap_eq "$(connections)" "$(wanted "${ports[@]}")" "each connection by the thread of its queue, equal sha256"
	while read -r q zc; do
		tap_ok "queue $q: $zc % without a copy" at_least "$zc" 99.9
	done < <(by_queue zero_copy_percent)
	tap_eq "$(by_queue connections | cut -d ' ' -f 1 | xargs)" "$*" "each queue has a report"
	tap_eq "$(by_queue bytes | awk '{ sum += $2 } END { print sum }')" "$(recv_value bytes)" "which sum up"
	tap_eq "$(recv_value elsewhere_connections) $(recv_value unknown_connections)" "0 0" "no connection came by another queue"
	tap_ok "the queues are restored" wait_for 5 restored "$@"
}

# What is not at its end when the receiver ends
mid_stream() { # SIGNAL PORT...
	local signal=$1

	shift
	start 2,3 --directory "$work/out"
	peer_start "for p in $*; do nc -N -p \$p $ZCRX_GUEST $port </dev/zero & done; wait"
	wait_for 10 grep -q '"interval"' "$work/recv.json"
	kill "-$signal" "$recv_pid"
}

# checked CHECK QUEUE RESULT TEXT: what the check of queues 2 to 4 found
checked() {
	tap_ok "$4" grep -q "\"check\":\"$1\",\"queue\":$2,\"result\":\"$3\"" "$work/check.json" ||
		tap_diag "$(grep "\"check\":\"$1\"" "$work/check.json")"
}

guest_check() {
	local rc=0

	tap_ok "flows are steered to queues 2 and 3" steer 1 2 3
	start 3
	"$bin/zcrx-recv" check -i eth0 -q 2,3,9,4 -p "$port" --json >"$work/check.json" 2>"$work/check.err" || rc=$?
	tap_eq "$rc" 3 "check of four queues: not ready"
	checked owner 2 ok "nobody has queue 2"
	checked owner 3 failed "somebody has queue 3"
	checked queue 9 failed "there is no queue 9"
	checked owner 9 skipped "whose owner is not looked for"
	checked steering 3 ok "a flow is steered to queue 3, another one to queue 2"
	checked steering 4 failed "and none to queue 4"
	tap_eq "$(grep -c '"check":"memory"' "$work/check.json")" 1 "memory is looked at once"
	ethtool -X eth0 default
	"$bin/zcrx-recv" check -i eth0 -q 2-4 -p "$port" >"$work/check.out"
	tap_eq "$(grep -c 'fix: *ethtool -X eth0 weight 1 1 0 0 0 1$' "$work/check.out")" 3 "one RSS table leaves out all three" ||
		tap_diag "$(cat "$work/check.out")"
	ethtool -X eth0 weight 1 1 0 0 0 1
	"$bin/zcrx-recv" check -i eth0 -q 2-4 -p "$port" >"$work/check.out"
	tap_eq "$(grep -c '^ok *RSS *queue [2-4]: leaves the queue alone' "$work/check.out")" 3 "and is right for each" ||
		tap_diag "$(cat "$work/check.out")"
	tap_eq "$(awk 'length > 80 && !/fix:/' "$work/check.out")" '' "in 80 columns"
	kill -TERM "$recv_pid"
	finish 0 "the receiver of queue 3 ends well"
}

guest_ends() {
	tap_ok "flows are steered to queues 2 and 3" steer 9 2 3
	start 2,3 --connections 3 -o "$work/all"
	send "one file for all" 20002
	send "one file for all" 20003
	send "one file for all" 20012
	finish 0 "one file for all: the receiver ends well"
	tap_ok "one file for all: equal to all that was sent" cmp "$work/all" <(cat "$work"/input.{20002,20003,20012})

	start 2,3 --connections 2 --hash sha256
	send "a flow by another queue" 20009 20013
	finish 0 "a flow by another queue: the receiver ends well"
	tap_eq "$(connections | cut -d ' ' -f 1,3)" "$(wanted 20009 20013 | cut -d ' ' -f 1,3)" "a flow by another queue: equal sha256"
	tap_eq "$(recv_value elsewhere_connections)" 1 "a flow by another queue: is counted"
	tap_ok "a flow by another queue: is told of" grep -q 'ZC127' "$work/recv.err"

	start 2,3 --bytes 3000001
	peer "nc -N -p 20022 $ZCRX_GUEST $port <$work/input.20002 & nc -N -p 20023 $ZCRX_GUEST $port <$work/input.20003; wait"
	finish 0 "--bytes: the receiver ends well"
	tap_eq "$(recv_value bytes)" 3000001 "--bytes: so many, of both queues together"

	mid_stream INT 20032 20033 20042
	finish 1 "SIGINT in mid-stream: files are not complete"
	tap_eq "$(grep -c '"event":"end"' "$work/recv.json")" 1 "SIGINT in mid-stream: one final report"
	tap_eq "$(recv_value incomplete) $(find "$work/out" -name '*.part' | wc -l)" "3 3" "SIGINT in mid-stream: three files are not complete"
	tap_ok "SIGINT in mid-stream: the queues are restored" wait_for 5 restored 2 3
	mid_stream KILL 20052 20053 20062
	wait "$recv_pid" 2>/dev/null
	tap_ok "SIGKILL in mid-stream: the queues are restored" wait_for 5 restored 2 3

	# the second thread of the second receiver cannot begin
	start 3
	"$bin/zcrx-recv" -i eth0 -q 2,3 -p 9998 --require-zerocopy >"$work/out.err" 2>&1
	tap_eq $? 3 "a queue that is bound: not ready"
	tap_ok "a queue that is bound: which" grep -q 'ZC016 cannot bind eth0 queue 3' "$work/out.err" || tap_diag "$(cat "$work/out.err")"
	kill -TERM "$recv_pid"
	finish 0 "the other receiver ends well"
	tap_ok "the queues are restored" wait_for 5 restored 2 3
	"$bin/zcrx-recv" -i eth0 -q 2-7 -p 9998 --require-zerocopy >"$work/out.err" 2>&1
	tap_eq $? 3 "queues that the NIC does not have: not ready"
	tap_ok "queues that the NIC does not have: the first of them" grep -q 'ZC014 .*queue 6' "$work/out.err" ||
		tap_diag "$(cat "$work/out.err")"
}

main() {
	local p said rc=0

	need_kernel "$kernel"
	make_work
	mkdir "$work/out"
	for p in 2000{2,3,4,5,9} 2001{2,3,4,5}; do
		head -c "$size" /dev/urandom >"$work/input.$p"
	done
	vm "two queues" queues --queues 6 --mtu 4168 -- 2,3 2 3
	vm "four queues" queues --queues 6 --mtu 4168 -- 2-5 2 3 4 5
	vm "ends" ends --queues 6 --mtu 4168
	vm "check" check --queues 6 --mtu 4168
	said=$("$top/tools/testing/json-lines.sh" "$top/tools/zcrx-recv/report.schema.json" "$work/lines") || rc=$?
	case $rc in
	77) tap_skip 'JSON lines are what the schema says' 'no python3-jsonschema' ;;
	*) tap_eq "$rc" 0 'JSON lines are what the schema says' || tap_diag "$said" ;;
	esac
}

e2e_main "$@"
