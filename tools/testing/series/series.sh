#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 1200
# alone
#
# The series: comes back the same from its commits, applies as mails on pristine
# source, each patch compiles, is in the kernel's style

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
cd "$here/../../.." || exit 1

[ -e "${KSRC:-/usr/src/linux-source-6.12.tar.xz}" ] || tap_skip_all "no kernel source (scripts/setup installs it)"
mails=$(mktemp -d)
trap 'rm -rf "$mails"' EXIT

tap_ok "linux/ comes back the same from the commits it gives" scripts/kernel-tree check
if ! scripts/kernel-tree series "$mails" 2>"$mails/said"; then
	tap_result 1 "the series as mails" || tap_diag "$(cat "$mails/said")"
	tap_done
fi
tap_ok "git am takes the mails on pristine source" scripts/kernel-tree check-series "$mails"
tap_ok "every patch compiles" scripts/kernel-tree check-build

# The kernel's own checker. What it is told to overlook: a maintainer entry for a
# new file is not ours to make, and a macro's argument that names a member can be
# neither evaluated twice nor put in parentheses; a header of test-only/0004 has "extern"
# everywhere. All of the kernel's trace events are written as it would not have macros
# written, and those of the kselftest harness end in an "else" of their own. On stderr it complains about Python modules.
tree=$(scripts/kernel-tree source)
# copies: checkpatch takes a file that git knows for source code
mkdir "$mails/test-only"
cp linux/test-only/*.patch "$mails/test-only"
rm -f "$mails"/*0000-cover-letter.patch
# shellcheck disable=SC2016 # the inner shell's
printf '%s\0' "$mails"/*.patch "$mails"/test-only/*.patch |
	xargs -0 -n 1 -P "$(nproc)" sh -c 'more=
		! grep -q "^+++ b/include/trace/events/" "$1" || more=,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT
		! grep -q kselftest_harness.h "$1" || more=,BRACES,COMPLEX_MACRO,SINGLE_STATEMENT_DO_WHILE_MACRO
		perl "$0/scripts/checkpatch.pl" --root="$0" --strict --no-signoff --quiet --no-summary \
		--ignore FILE_PATH_CHANGES,MACRO_ARG_REUSE,MACRO_ARG_PRECEDENCE,AVOID_EXTERNS$more "$1" 2>"$1.err" >"$1.out" ||
		[ -s "$1.out" ] || cat "$1.err" >"$1.out"' "$tree"
for mail in "$mails"/*.patch "$mails"/test-only/*.patch; do
	tap_eq "$(cat "$mail.out" 2>&1)" '' "checkpatch --strict: ${mail##*/}"
done
tap_done
