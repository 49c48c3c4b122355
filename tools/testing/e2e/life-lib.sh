# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # variables of lib.sh
#
# What life.sh and faults-uapi.sh share: a guest with zc-life or zc-faults, life-pump at its peer

# Neither end has to ask for the other's address, which takes as long as many rounds. A segment
# that was lost is sent again soon.
life_peer_setup() {
	cat <<-'END'
		ping -c 1 -W 2 $ZCRX_GUEST >/dev/null
		dev=$(ip -o route get $ZCRX_GUEST | sed 's/.* dev \([^ ]*\).*/\1/')
		mac=$(ip neigh show $ZCRX_GUEST dev $dev | sed -n 's/.* lladdr \([^ ]*\).*/\1/p')
		ip neigh replace $ZCRX_GUEST lladdr $mac dev $dev nud permanent
		ip route replace $ZCRX_GUEST/32 dev $dev src $ZCRX_PEER rto_min 10ms
	END
}

# In the guest: life_run PROGRAM [OPTION...]: its results become the test's
life_run() {
	peer "$(life_peer_setup)"
	: >"$work/pump"
	peer_start "exec $bin/life-pump \$ZCRX_GUEST $work/pump 9999=flow*3 9998=quiet 9997=hole"
	# told as it comes, so that one that hangs has said how far it came
	retell '' <("$bin/$1" -i eth0 -q "$queue" --addr "$ZCRX_GUEST" --peer "$ZCRX_PEER" --pump "$work/pump" \
		"${@:2}" 2>&1 | tee "$work/said-life")
	tap_ok "$1 ran to its end" grep -q '^1\.\.' "$work/said-life"
}
