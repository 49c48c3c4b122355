#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What holds for every file: licence line, white space; and that clang-format can
# read its file

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
cd "$here/../../.." || exit 1

sources() { find scripts tools .ci linux -type f \( -name '*.[ch]' -o -name '*.sh' -o -name Makefile -o -name '*.mk' \
	-o -path 'scripts/*' -o -path '.ci/*' \) ! -name '*.patch' -print0 | sort -z; }

no_licence() {
	local f

	while IFS= read -r -d '' f; do
		head -n 2 "$f" | grep -q 'SPDX-License-Identifier: ' || echo "$f"
	done < <(sources)
}

tap_eq "$(no_licence)" '' "the first lines of every source file name its licence"
tap_eq "$(sources | xargs -0 grep -nE '[[:space:]]$')" '' "no white space at the end of a line"
if command -v clang-format >/dev/null; then
	tap_ok "clang-format can read .clang-format" clang-format --style=file --dump-config tools/testing/tap.h
else
	tap_skip "clang-format can read .clang-format" "no clang-format"
fi
tap_done
