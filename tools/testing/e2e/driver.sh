#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 3000
# alone
#
# The unmodified bnxt_en driver on the emulated NIC, as a table: driver.table has
# commands and what is expected of each, for every kernel, while traffic runs both
# ways. What its rows can call beside programs is in driver-lib.sh.
#
#	ZCRX_TEST_KERNELS    columns to run (default: 6.12 7.3; more: 6.12v3; with
#	                     ZCRX_TEST_ARCH=x86_64 those are Debian's kernels: 6.12v3 7.3)
#	ZCRX_TEST_SECTIONS   names of sections (default: all)
#	ZCRX_TEST_DOWN_UP    how often the interface goes down and up (default: 10)
#	ZCRX_TEST_REBIND     how often the driver is unbound and bound (default: 3)
#	ZCRX_TEST_ROW_MS     milliseconds from which on the time of a row is shown (default: 1000)

# shellcheck source=driver-lib.sh disable=SC2317 # functions are called by name
. "$(dirname "$0")/driver-lib.sh"

table=$here/driver.table
columns=${ZCRX_TEST_KERNELS:-}
case $arch:$columns in
um:) columns='6.12 7.3' ;;
*:) columns='6.12v3 7.3' ;;
esac
# shellcheck disable=SC2034 # rows use them
down_ups=${ZCRX_TEST_DOWN_UP:-10} rebinds=${ZCRX_TEST_REBIND:-3}
row_ms=${ZCRX_TEST_ROW_MS:-1000}

# What a column is made of
column_kernel() { # COLUMN
	case $arch:$1 in
	um:6.12v3) echo "$kernel" ;;
	*:6.12*) echo "$stock" ;;
	*:7.3) echo "$upstream" ;;
	esac
}

column_options() { # COLUMN
	case $1 in
	6.12) echo "--emu-arg --rfs=v2" ;;
	6.12v3 | 7.3) echo "--emu-arg --rfs=v3 --emu-arg --queue-restart" ;;
	esac
}

# lines SECTION FUNCTION: calls it with each line of a section that says something
lines() {
	local lines_of=$1 tell=$2 line on=''

	while IFS= read -r line || [ -n "$line" ]; do
		[[ $line =~ ^(#.*)?$ ]] && continue
		if [[ $line == =* ]]; then
			read -r _ on _ <<<"$line"
			continue
		fi
		[ "$on" != "$lines_of" ] || $tell "$line"
	done <"$table"
}

# ---------------------------------------------------------------------------
# In the guest: traffic in the background

traffic_start() { # light|heavy|none
	local rate=200M

	traffic=$1
	[ "$1" != none ] || return 0
	[ "$1" != light ] || rate=100K
	wait_for 5 nc -z -w 1 "$ZCRX_PEER" 5999 || tap_diag "no iperf3 server"
	iperf3 -c "$ZCRX_PEER" -p 5999 --bidir -l 2K -t 86400 -b "$rate" >"$work/iperf" 2>&1 &
	iperf_pid=$!
	wait_for 5 traffic_moves || tap_diag "no traffic: $(head -n 3 "$work/iperf")"
}

traffic_stop() {
	[ "$traffic" != none ] || return 0
	kill "$iperf_pid"
	wait "$iperf_pid" 2>/dev/null
	traffic=none
}

# Bytes that the guest's connections received and sent
traffic_bytes() {
	ss -Htin "dport = :5999" | awk '
		{ for (i = 1; i <= NF; i++) { split($i, v, ":"); if (v[1] == "bytes_received") r += v[2]; if (v[1] == "bytes_acked") s += v[2] } }
		END { printf "%.0f %.0f\n", r, s }'
}

traffic_moves() {
	local r0 s0 r s

	read -r r0 s0 < <(traffic_bytes)
	sleep 0.1
	read -r r s < <(traffic_bytes)
	[ "$r" -gt "$r0" ] && [ "$s" -gt "$s0" ]
}

# What a section did, the connections survive; without, the next section has new ones
traffic_check() {
	[ "$traffic" != none ] || return 0
	wait_for 15 traffic_moves
	tap_result $? "$1: traffic still runs both ways" || traffic_stop
}

# ---------------------------------------------------------------------------
# In the guest: the table

# expectation COLUMN LINE...: of the lines behind a row those for a column to $wants: all
# "+ PATTERN" and "! PATTERN", and last "ok PATTERN", "fails PATTERN" or "skip WHY", from the
# line that fits the column best
expectation() {
	local column=$1 line of best='ok' rank=-1 r

	shift
	wants=()
	for line in "$@"; do
		of=''
		if [[ $line =~ ^([0-9.v]+):\ (.*)$ ]]; then
			of=${BASH_REMATCH[1]}
			line=${BASH_REMATCH[2]}
		fi
		case $of in
		'') r=0 ;;
		"$column") r=2 ;;
		"${column%v3}") r=1 ;;
		*) continue ;;
		esac
		case $line in
		[+!]*) wants+=("$line") ;;
		*) [ "$r" -le "$rank" ] || { best=$line rank=$r; } ;;
		esac
	done
	wants+=("$best")
}

# One of the lines that a row printed, as grep would; but a program takes a guest of User Mode
# Linux some 20 ms, and there are some hundred rows with several patterns
matches() { # PATTERN
	local line

	for line in ${said[@]+"${said[@]}"}; do
		[[ ! $line =~ $1 ]] || return 0
	done
	return 1
}

# complain WANT STATUS: adds to $why where a row's output and status are not what it says
complain() {
	local verdict=${1%% *} pattern=''

	[[ $1 != *' '* ]] || pattern=${1#* }
	case $verdict in
	ok) [ "$2" -eq 0 ] || why+="status $2 " ;;
	fails)
		[ "$2" -ne 0 ] || why+='it succeeded, but should be refused '
		[ "$2" -lt 125 ] || why+="status $2 "
		;;
	+) ;;
	!)
		! matches "$pattern" || why+="something like: $pattern "
		return
		;;
	*) why+="the table is wrong: $1 " ;;
	esac
	[ -z "$pattern" ] || matches "$pattern" || why+="nothing like: $pattern "
}

# row SECTION EACH COMMAND [LINE...]: one result
row() {
	local title="$1: $3" each=$2 command=$3 want='' rc why='' line start=$EPOCHREALTIME ms
	local -a wants said

	shift 3
	expectation "$column" "$@"
	want=${wants[-1]}
	if [[ $want == skip* ]]; then
		tap_skip "$title" "${want#skip }"
		return
	fi
	eval "$command" >"$work/row" 2>&1 </dev/null
	rc=$?
	mapfile -t said <"$work/row"
	for want in "${wants[@]}"; do
		complain "$want" "$rc"
	done
	if [ -n "$each" ] && [ -z "$why" ]; then
		eval "$each" >>"$work/row" 2>&1 </dev/null || why="$each fails after it"
	fi
	[ -z "$why" ]
	if tap_result $? "$title ($want)"; then
		for line in ${said[@]+"${said[@]}"}; do
			[[ $line != 'note: '* ]] || echo "# ${line#note: }"
		done
		ms=$(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000))
		[ "$ms" -lt "$row_ms" ] || echo "# $ms ms"
	else
		tap_diag "$why"
		tap_diag "$(head -n 40 "$work/row")"
	fi
}

# guest_table COLUMN SECTION...
guest_table() {
	local column=$1 name command='' each='' traffic=none want_traffic iperf_pid=''
	local -a expected=()
	# shellcheck disable=SC2034 # rows use them
	local rules=() rule='' context=''

	shift
	pci=$(nic_address)
	ethtool -C eth0 stats-block-usecs 250000
	ethtool -X eth0 hkey "$hash_key"
	peer_start "iperf3 -s -p 5999"
	settings() {
		case $1 in
		'~ traffic '*) want_traffic=${1#'~ traffic '} ;;
		'~ each '*) each=${1#'~ each '} ;;
		esac
	}
	flush_row() {
		[ -z "$command" ] || row "$name" "$each" "$command" ${expected[@]+"${expected[@]}"}
		command='' expected=()
	}
	one_line() {
		case $1 in
		'~'*) ;;
		'$ '*)
			flush_row
			command=${1#'$ '}
			;;
		*) expected+=("$1") ;;
		esac
	}
	for name in "$@"; do
		want_traffic=light each=''
		lines "$name" settings
		if [ "$traffic" != "$want_traffic" ]; then
			traffic_stop
			traffic_start "$want_traffic"
		fi
		lines "$name" one_line
		flush_row
		unrule_all
		traffic_check "$name"
	done
	traffic_stop
}

# ---------------------------------------------------------------------------

# Sections of a column, "NAME GUEST-OPTION..." each
sections() { # COLUMN
	local name only options

	for_guest() { [[ $1 != '~ guest '* ]] || options=${1#'~ guest '}; }
	while read -r _ name only; do
		[ -z "$only" ] || [[ " $only " == *" $1 "* ]] || continue
		[ -z "${ZCRX_TEST_SECTIONS:-}" ] || [[ " $ZCRX_TEST_SECTIONS " == *" $name "* ]] || continue
		options=''
		lines "$name" for_guest
		echo "$name $options"
	done < <(grep '^=' "$table")
}

# Sections one after the other that want the same guest share one
run_column() { # COLUMN
	local name options last=''
	local -a names=() own=()

	boot() {
		[ ${#names[@]} -gt 0 ] || return 0
		read -ra own <<<"$(column_options "$1") $last"
		vm "$1" table --mtu 1500 "${own[@]}" -- "$1" "${names[@]}"
	}
	while read -r name options; do
		if [ "$options" != "$last" ]; then
			boot "$1"
			names=() last=$options
		fi
		names+=("$name")
	done < <(sections "$1")
	boot "$1"
}

# A process of its own, as if it were the only column
column_test() ( # COLUMN
	vm_kernel=$(column_kernel "$1")
	need_kernel "$vm_kernel"
	make_work
	run_column "$1"
	echo "1..$tap_run"
)

main() {
	if ! make -s -C "$here/../guest" -f frames.mk VARIANT=gcc >&2 ||
		! make -s -C "$here/../guest" -f queue-counts.mk VARIANT=gcc >&2 ||
		! make -s -C "$top/tools/zcrx-split" >&2; then
		echo "Bail out! frames, queue-counts or zcrx-split cannot be built"
		exit 1
	fi
	make_work
	vm_limit=$((1200 + down_ups + rebinds * 5))
	# they wait more than they compute
	# shellcheck disable=SC2086 # words
	columns_at_once column_test $columns
}

e2e_main "$@"
