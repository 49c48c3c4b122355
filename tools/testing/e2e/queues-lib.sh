# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # lib.sh's variables; functions are called by name
#
# One receiver with several queues in a guest. For those who have sourced lib.sh.

# Of main: what is sent from the ports of a list, and where files go that are received
make_inputs() { # PORT...
	local p

	mkdir "$work/out"
	for p; do
		head -c "${ZCRX_TEST_SIZE:-4M}" /dev/urandom >"$work/input.$p"
	done
}

# all other traffic comes by so many queues, from 0
others=2

# Flows are told apart by the port of the sender, whose last digit is the queue. Each port serves
# once: who closes a connection first keeps it for a minute
steer() { # FLOWS QUEUE...
	local q n flows=$1

	shift
	queue=$1 "$top/scripts/zcrx-flow" up eth0 --quiet --queue "$1" --port "$port" --src-ip 203.0.113.9 || return
	ethtool -X eth0 equal "$others" || return
	for q; do
		for ((n = 0; n < flows; n++)); do
			ethtool -N eth0 flow-type tcp4 src-port $((20000 + n * 10 + q)) dst-port "$port" action "$q" || return
		done
	done
}

unsteer() {
	local id

	"$top/scripts/zcrx-flow" down eth0 --quiet
	for id in $(ethtool -n eth0 | sed -n 's/^Filter: //p'); do ethtool -N eth0 delete "$id"; done
	ethtool -X eth0 default
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

# two_ifqs gives what two-ifqs says of these ports, less what is copied: "all", "none"
two_ifqs() { # PORT IFQ COPIED ...
	while [ $# -gt 0 ]; do
		echo "$1 $2 $(stat -c %s "$work/input.$1") $3 $(sha256sum <"$work/input.$1" | cut -d ' ' -f 1)"
		shift 3
	done
}

# The headers of a few packets are not split: 0.1 %
copied_in_words() {
	awk '{ $4 = $4 == $3 ? "all" : $4 * 1000 <= $3 ? "none" : $4; print }' | sort
}

# One ring with two ifqs, each of whose requests may be for a flow of its own queue, or of the other's
guest_two_ifqs() {
	local rc=0

	tap_ok "flows are steered to queues 2 and 3" steer 4 2 3
	"$bin/two-ifqs" eth0 2 3 "$port" 4 >"$work/two.out" 2>"$work/two.err" &
	recv_pid=$!
	wait_for 10 listening || tap_diag "$(cat "$work/two.err")"
	tap_eq "$("$bin/page-pools" | grep -c ' active io_uring$')" 2 "both queues are bound"
	send "four flows" 20002 20003 20012 20013
	tap_ok "the first ifq is unregistered" wait_for 10 grep -q '^one left$' "$work/two.out"
	tap_eq "$(head -n -1 "$work/two.out" | copied_in_words)" "$(two_ifqs 20002 0 none 20003 0 all 20012 1 all 20013 1 none)" \
		"each by its own queue without a copy, by the other's with one; equal sha256"
	tap_eq "$("$bin/page-pools" | grep -c ' active io_uring$')" 1 "one queue is bound"
	send "then" 20033
	wait "$recv_pid" || rc=$?
	tap_eq "$rc" 0 "it ends well" || tap_diag "$(cat "$work/two.err")"
	tap_eq "$(tail -n 1 "$work/two.out" | copied_in_words)" "$(two_ifqs 20033 1 none)" "then: without a copy, equal sha256"
	tap_ok "the queues are restored" wait_for 5 restored 2 3
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

# A flow whose rule is changed on the way comes by the queue of another thread: whether it ends well,
# the other flow does. WANT is OK, or the code of the error
guest_crossed() { # WANT
	local id rc=0

	rm -f "$work/crossed"
	tap_ok "flows are steered to queues 2 and 3" steer 1 2 3
	start 2,3 --connections 2 --hash sha256 --interval 0.1
	id=$(ethtool -n eth0 | awk '/^Filter: / { id = $2 } /Src port: 20002 / { print id }')
	peer_start "(head -c 300000 $work/input.20002; while [ ! -e $work/crossed ]; do sleep 0.05; done
		tail -c +300001 $work/input.20002) | nc -N -p 20002 $ZCRX_GUEST $port"
	wait_for 10 grep -q '"event":"interval".*"bytes":[1-9]' "$work/recv.json"
	ethtool -N eth0 delete "$id"
	ethtool -N eth0 flow-type tcp4 src-port 20002 dst-port "$port" action 3 >/dev/null
	: >"$work/crossed"
	peer "nc -N -p 20003 $ZCRX_GUEST $port <$work/input.20003"
	tap_eq $? 0 "the other sender ends well"
	wait "$recv_pid" || rc=$?
	cat "$work/recv.json" >>"$work/lines"
	if [ "$1" = OK ]; then
		tap_eq "$rc" 0 "the receiver ends well" || tap_diag "$(cat "$work/recv.err")"
		tap_eq "$(connections)" "$(wanted 20002 20003)" "every byte of both is right"
		tap_ok "most of the first was copied" at_least "$(by_queue copied_bytes | sed -n 's/^2 //p')" 1000000
	else
		tap_eq "$rc" 1 "the receiver has failed" || tap_diag "$(cat "$work/recv.err")"
		tap_ok "as $1 says, of the first" grep -qE "$1 .*cannot receive from 192.0.2.1:20002" "$work/recv.err" ||
			tap_diag "$(cat "$work/recv.err")"
		tap_eq "$(connections | tail -n 1)" "$(wanted 20003)" "every byte of the other is right"
	fi
}

# All that steers, in words that can be compared
steering() {
	ethtool -x eth0
	ethtool -n eth0
	ethtool -x eth0 context 1 2>&1
	ethtool -k eth0 | grep -e ntuple -e gro-hw
	"$bin/zcrx-split" eth0 2>&1
}

checked_ok() { # CHECK QUEUES: of so many
	tap_eq "$(grep -c "^ok *$1 *queue" "$work/check.txt")" "$2" "check: $1 is right for each queue" || tap_diag "$(cat "$work/check.txt")"
}

# spread OPTION...: one command steers a port to several queues, another one undoes that. The
# flows that are sent by "command" come by more than one of them
spread() { # COMMAND FLOWS LIST OPTION...
	local command=$1 flows=$2 list=$3 before q n

	before=$(steering)
	run "$top/scripts/zcrx-flow" up eth0 --quiet -p "$port" -q "$list" "${@:4}"
	tap_eq "$status" 0 "zcrx-flow up, queues $list ${*:4}" || tap_diag "$out"
	run "$top/scripts/zcrx-flow" status eth0
	tap_eq "$status" 0 "status: in force" || tap_diag "$out"
	"$bin/zcrx-recv" check -i eth0 -q "$list" -p "$port" >"$work/check.txt"
	tap_eq $? 0 "check: all is well" || tap_diag "$(cat "$work/check.txt")"
	# buffers such that all flows on one queue fit into its region, however slow the receiver
	start "$list" --connections "$flows" --verify --require-zerocopy --rcvbuf 1M
	peer "$command"
	tap_eq $? 0 "the senders end well" || tap_diag "$(cat "$peer_out")"
	finish 0 "the receiver ends well"
	while read -r q n; do
		tap_diag "queue $q: $n connections, $(by_queue zero_copy_percent | sed -n "s/^$q //p") % without a copy"
	done < <(by_queue connections)
	tap_eq "$(recv_value elsewhere_connections) $(recv_value unknown_connections)" "0 0" "no connection came by another queue"
	tap_ok "more than one queue had some" at_least "$(by_queue connections | grep -vc ' 0$')" 2
	tap_ok "zcrx-flow down" "$top/scripts/zcrx-flow" down eth0 --quiet
	tap_eq "$(steering)" "$before" "all is as it was"
}

# Which queue a flow gets is the choice of the hash, or of the sender's kernel
streams() { echo "$bin/zcrx-send $ZCRX_GUEST $port --pattern -P $1 --bytes 16M"; }

guest_spread_rss() { spread "$(streams 16)" 16 1-3 --spread rss; }

guest_spread_rules() {
	tap_fails "no RSS context, but asked for" 'no RSS context .*Operation not supported' \
		"$top/scripts/zcrx-flow" up eth0 -p "$port" -q 2,3 --spread rss
	spread "$(streams 16)" 16 2,3
	spread "for h in $ZCRX_GUEST $ZCRX_GUEST6; do $bin/zcrx-send \$h $port --pattern --bytes 4M || exit; done" 2 2,3 \
		--src-ip "$ZCRX_PEER" --src-ip "$ZCRX_PEER6"
	tap_eq "$(by_queue connections | xargs)" '2 1 3 1' "a queue each"
}
