#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every shell script of the tree, read by shellcheck

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
cd "$here/../../.." || exit 1

command -v shellcheck >/dev/null || tap_skip_all "no shellcheck (scripts/setup installs it)"
while IFS= read -r -d '' f; do
	head -n 5 "$f" | grep -qaE '^#!.*\b(ba)?sh\b|^# shellcheck shell=' || continue
	tap_ok "${f#./}" shellcheck -x -P SCRIPTDIR "$f"
done < <(find .ci scripts tools -type f -print0 | sort -z)
tap_done
