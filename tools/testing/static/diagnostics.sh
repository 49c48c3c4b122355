#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each code of tools/lib/diag.c is provoked by an end-to-end test, which names it; or the list below says
# why none can. A code of the list that a test names by now does not belong there any more.

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
cd "$here/../../.." || exit 1

declare -A not_provoked=(
	[ZC023]='pinning fails without a limit only when the machine is out of memory, which ends other things first'
	[ZC024]='the rings fail only when the machine is out of memory; zc-faults.c makes their allocations fail'
	[ZC025]='whatever else the kernel may say: all that it says has a line of its own'
	[ZC040]='a listener that is MPTCP or of a BPF sockmap without its knowledge; zc-uapi.c has the errno'
	[ZC044]='kernels before 6.0'
	[ZC045]='a bug of the kernel'
	[ZC078]='copies on the way out of which nobody knows the cause'
	[ZC080]='a NIC that does not split headers from data though it was told to'
	[ZC084]='a bug of the kernel, or of this program'
	[ZC085]='a bug of the kernel, or of this program'
	[ZC128]='kernels without CONFIG_NET_RX_BUSY_POLL, or before 6.8'
)

mapfile -t codes < <(sed -n 's/^\t{ "\(ZC[0-9]*\)", .*/\1/p' tools/lib/diag.c)
tap_ok "there are codes: ${#codes[@]}" test "${#codes[@]}" -gt 50

tap_eq "$(printf '%s\n' "${codes[@]}" | sort | uniq -d)" '' 'each is the code of one'

missing='' known=''
for code in "${codes[@]}"; do
	# a test that wants one not to come does not provoke it
	if grep -hE "^[^#]*\b$code\b" tools/testing/e2e/*.sh | grep -qvE 'tap_fails .*grep|! grep'; then
		[ -z "${not_provoked[$code]:-}" ] || known+=" $code"
	elif [ -z "${not_provoked[$code]:-}" ]; then
		missing+=" $code"
	fi
done
tap_eq "$missing" '' 'each is provoked by a test, or it is said why none can'
tap_eq "$known" '' 'none of those that no test can provoke is provoked by one'
gone=''
for code in "${!not_provoked[@]}"; do
	grep -q "^\s{ \"$code\"," tools/lib/diag.c || gone+=" $code"
done
tap_eq "$gone" '' 'all of these are codes'
tap_done
