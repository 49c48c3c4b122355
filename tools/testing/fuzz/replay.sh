#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
#
# The fuzz targets on their whole corpus, with gcc's sanitizers and with clang's, and
# some seconds of fuzzing. ZCRX_FUZZ_SECONDS: length of that for each target (3)

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
cd "$here/../../.." || exit 1

targets=(hwrm rings frames vhost vfio wire pcap hello)

# shellcheck disable=SC2317	# called through tap_ok
replay() { # PROGRAM TARGET
	FUZZ_TARGET=$2 "$1" tools/testing/fuzz/corpus/"$2"/*
}

for target in "${targets[@]}"; do
	files=(tools/testing/fuzz/corpus/"$target"/*)
	tap_ok "$target: there is a corpus" test -f "${files[0]}"
done
if tap_ok "gcc builds the targets" make -s -C tools/testing/fuzz VARIANT=asan -j"$(nproc)"; then
	for target in "${targets[@]}"; do
		tap_ok "$target: the corpus, gcc" replay build/asan/fuzz "$target"
	done
fi
if ! tools/testing/fuzz/campaign probe; then
	tap_skip "clang, and some seconds of fuzzing" "no libFuzzer (scripts/setup installs it)"
elif tap_ok "clang builds the targets, with libFuzzer" make -s -C tools/testing/fuzz VARIANT=fuzz -j"$(nproc)"; then
	for target in "${targets[@]}"; do
		tap_ok "$target: the corpus, clang" replay build/fuzz/fuzz "$target"
		tap_ok "$target: ${ZCRX_FUZZ_SECONDS:-3} seconds of fuzzing" \
			tools/testing/fuzz/campaign run --seconds "${ZCRX_FUZZ_SECONDS:-3}" "$target"
	done
fi
tap_done
