#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 900
#
# A guest that means harm, against bnxt-emu with sanitizers. ZCRX_HOSTILE_SECONDS: length of
# the storm (10), ZCRX_HOSTILE_SEED: what it depends on (1)

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
cd "$here/../../.." || exit 1

for d in tools/bnxt-emu tools/testing/hostile; do
	if ! run make -s -C "$d" VARIANT=asan; then
		echo "Bail out! $d does not build"
		tap_diag "$out"
		exit 1
	fi
done
# A network namespace of its own, for the TAP. Root needs no user namespace for that, which
# cannot be had in a chroot
flags=-rn
[ "$(id -u)" -ne 0 ] || flags=-n
unshare "$flags" true 2>/dev/null || tap_skip_all "no network namespaces here (unshare $flags)"
exec unshare "$flags" build/asan/hostile-guest --emu build/asan/bnxt-emu \
	--seconds "${ZCRX_HOSTILE_SECONDS:-10}" --seed "${ZCRX_HOSTILE_SEED:-1}"
