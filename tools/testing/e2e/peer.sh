#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# peer.sh DIR - the peer's end in the tests: runs what the guest leaves in DIR as
# N.cmd once there is N.go, all at once, each one's output to N.out and exit status to
# N.rc, until there is a file "stop"

set -u
cd "$1" || exit 1
n=1
while [ ! -e stop ]; do
	if [ -e $n.go ]; then
		(
			bash "$n.cmd" >"$n.out" 2>&1 </dev/null
			echo $? >"$n.rc.new"
			mv "$n.rc.new" "$n.rc"
		) &
		n=$((n + 1))
	else
		sleep 0.02
	fi
done
jobs -p | xargs -r kill 2>/dev/null
exit 0
