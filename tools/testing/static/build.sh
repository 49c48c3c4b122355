#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 600
# alone
#
# Every program builds with gcc, clang and the sanitizers, every unit test with
# gcc and clang; warnings are errors

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
cd "$here/../../.." || exit 1

for variant in gcc clang asan; do
	compiler=${variant/asan/gcc}
	if ! command -v "$compiler" >/dev/null; then
		tap_skip "$variant" "no $compiler (scripts/setup installs it)"
		continue
	fi
	for f in tools/*/Makefile; do
		d=${f%/Makefile}
		tap_ok "$variant: $d" make -s -C "$d" VARIANT="$variant" -j"$(nproc)"
	done
	[ "$variant" = clang ] || continue
	for f in tools/testing/unit/test-*.mk tools/testing/bench/*.mk tools/testing/guest/*.mk; do
		[ -f "$f" ] || continue
		tap_ok "$variant: ${f%.mk}" make -s -C "${f%/*}" -f "${f##*/}" VARIANT="$variant" -j"$(nproc)"
	done
done
tap_done
