#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The documentation is well-formed, index.rst has all of it, and rfc.rst tells of each patch
# and of each new file of the series

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
cd "$here/../../.." || exit 1

# Of the directives that only the kernel's documentation has, the text is not there to be read
read_rst() {
	python3 -c '
import sys
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives

class KernelDoc(Directive):
    required_arguments = 1
    option_spec = {"doc": directives.unchanged, "identifiers": directives.unchanged}

    def run(self):
        return []

directives.register_directive("kernel-doc", KernelDoc)
with open(sys.argv[1]) as f:
    publish_doctree(f.read(), source_path=sys.argv[1], settings_overrides={"report_level": 2})
' "$1" 2>&1 | head -n 5
}

not_in_index() {
	local f

	for f in Documentation/*.rst; do
		[ "$f" = Documentation/index.rst ] || grep -qx "${f##*/}" Documentation/index.rst || echo "$f"
	done
}

# A file is named by its path, or by its name where its directory is named, too; of selftests the
# directory will do
not_in_rfc() {
	local f

	while IFS= read -r f; do
		f=${f#linux/}
		grep -qF "${f%/*}/\`\`" Documentation/rfc.rst && { [[ $f = tools/* ]] ||
			grep -qF "\`\`${f##*/}\`\`" Documentation/rfc.rst; } && continue
		grep -qF "\`\`$f\`\`" Documentation/rfc.rst || echo "$f"
	done < <(find linux/io_uring linux/net linux/include linux/drivers linux/Documentation linux/tools -type f \
		! -name '*.o*' ! -name '.*.cmd' | sort)
}

# Paths that rfc.rst names; those of the kernel's own files are in the patches
gone_from_tree() {
	local f

	# shellcheck disable=SC2016 # backquotes of the text
	grep -oE '``[a-zA-Z_]+/[a-zA-Z0-9_./-]+``' Documentation/rfc.rst | tr -d '`' | sort -u |
		while IFS= read -r f; do
			[ -e "$f" ] || [ -e "linux/$f" ] || grep -q "^+++ b/$f" linux/patches/*.patch || [ "$f" = net/ ] || echo "$f"
		done
}

# Numbers in the last column of the first table and the first column of the second, ranges too
patches_in_rfc() {
	awk '/^====  =/ { first++; next } /^=======  =/ { second++; next }
		first == 2 && /^[0-9]/ { sub(/.*  /, ""); print }
		second == 2 && /^[0-9]/ { sub(/  .*/, ""); print }' Documentation/rfc.rst |
		sed -E 's/[a-z]+: //g; s/;/,/g; s/ - /-/; s/, /\n/g' |
		while IFS=- read -r from to; do
			seq "$from" "${to:-$from}"
		done | sort -nu
}

if python3 -c 'import docutils' 2>/dev/null; then
	for f in Documentation/*.rst $(find linux/Documentation -name '*.rst'); do
		tap_eq "$(read_rst "$f")" '' "well-formed: $f"
	done
else
	tap_skip "well-formed documentation" "no python3-docutils (scripts/setup installs it)"
fi
tap_eq "$(not_in_index)" '' "index.rst has each file"
tap_eq "$(not_in_rfc)" '' "rfc.rst has each new file of the series"
tap_eq "$(gone_from_tree)" '' "each file that rfc.rst names is there"
tap_eq "$(patches_in_rfc)" "$(seq "$(grep -c '^[^#]' linux/series)")" "rfc.rst has each patch"
tap_done
