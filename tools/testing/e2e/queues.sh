#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# One receiver with several queues: each connection is received by the thread of the queue that its
# flow comes by, without a copy, and every byte is right; so is that of a flow that comes by
# another queue, and of one whose rule is changed on the way. Ended in mid-stream, by SIGINT, by an
# error of one thread or by SIGKILL, it leaves the queues as they were. One ring with two ifqs: each
# request is of the ifq that it names. ZCRX_TEST_SIZE is what one connection carries (default 4M).

# shellcheck source=lib.sh disable=SC2317 # functions are called by name
. "$(dirname "$0")/lib.sh"
# shellcheck source=queues-lib.sh
. "$here/queues-lib.sh"

# checked CHECK QUEUE RESULT TEXT: what the check of queues 2 to 4 found
checked() {
	tap_ok "$4" grep -q "\"check\":\"$1\",\"queue\":$2,\"result\":\"$3\"" "$work/check.json" ||
		tap_diag "$(grep "\"check\":\"$1\"" "$work/check.json")"
}

guest_check() {
	local rc=0

	tap_ok "flows are steered to queues 2 and 3" steer 1 2 3
	start 3
	tap_eq "$("$bin/page-pools" | grep -c ' active io_uring$')" 1 "netlink marks the page pool of the queue that somebody has"
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
	tap_eq "$("$bin/page-pools" | grep -c io_uring)" 0 "then netlink marks none"
}

main() {
	local said rc=0

	need_kernel "$kernel"
	make_work
	make_inputs 2000{2,3,4,5,9} 2001{2,3,4,5} 20033
	vm "two queues" queues --queues 6 --mtu 4168 -- 2,3 2 3
	vm "four queues" queues --queues 6 --mtu 4168 --mem 1G -- 2-5 2 3 4 5
	vm "two ifqs" two_ifqs --queues 6 --mtu 4168
	vm "ends" ends --queues 6 --mtu 4168
	# memory of another queue is memory like any other: what lies there is copied
	vm "crossed" crossed --queues 6 --mtu 4168 -- OK
	vm "check" check --queues 6 --mtu 4168
	said=$("$top/tools/testing/json-lines.sh" "$top/tools/zcrx-recv/report.schema.json" "$work/lines") || rc=$?
	case $rc in
	77) tap_skip 'JSON lines are what the schema says' 'no python3-jsonschema' ;;
	*) tap_eq "$rc" 0 'JSON lines are what the schema says' || tap_diag "$said" ;;
	esac
}

e2e_main "$@"
