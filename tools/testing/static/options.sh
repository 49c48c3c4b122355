#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The options of zcrx-recv, zcrx-send and zcrx-flow: those that --help has are those of the man page,
# with the same arguments, and those that completion offers. Where
# something is missing it is said what, and where. EXAMPLES begin with an ordinary nc.

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
cd "$here/../../.." || exit 1

for tool in zcrx-recv zcrx-send; do
	make -s -C "tools/$tool" >&2 || tap_skip_all "$tool does not build"
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bin"
cp build/gcc/zcrx-recv build/gcc/zcrx-send scripts/zcrx-flow "$tmp/bin"
PATH=$tmp/bin:$PATH

# "-i --interface IFACE" a line, sorted: from tags like "-i, --interface IFACE" or, of man
# pages, "-i IFACE, --interface IFACE"
normal() {
	sed -E 's/\[=?([A-Z]+)\]/ \1/g; s/([A-Z])=/\1 /g; s/ ([A-Z]+),/,/; s/,//g; s/ +/ /g' | sort
}

help_tags() { "$1" --help | sed -n -E 's/^ {2,6}(-.*)/\1/; T; s/ {2,}.*//; p' | normal; }

# Tags follow .TP; what does not begin with a dash is none of an option. Rendered by name of
# request: \- is a dash, \~ a blank, font changes and macro quotes are nothing
page_tags() {
	awk '/^\.TP/ { tag = 1; next } tag { print; tag = 0 }' "$1" |
		sed -E 's/\\-/-/g; s/\\f[A-Z]//g; s/^\.(BI|BR|B|IR|I|RB) //; s/ //g; s/\\~/ /g; s/"//g' |
		grep '^-' | normal
}

# What the completion offers for a word that begins with "-"
# shellcheck source=../../completion/zcrx.bash
. tools/completion/zcrx.bash
offered() { # WORD...: the last one is to be completed
	local COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()

	_zcrx
	printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} | sort
}

flags() { grep -oE -- '(^| )--?[a-zA-Z0-9][a-z0-9-]*' | tr -d ' ' | sort; }

# missing TITLE FROM TO: lines of file FROM that file TO does not have
missing() {
	local lines

	lines=$(comm -23 "$tmp/$2" "$tmp/$3")
	tap_eq "$lines" '' "$1"
}

for tool in zcrx-recv zcrx-send zcrx-flow; do
	page=$(echo Documentation/man/"$tool".[18])
	help_tags "$tool" >"$tmp/help"
	page_tags "$page" >"$tmp/page"
	flags <"$tmp/help" >"$tmp/help.flags"
	offered "$tool" - >"$tmp/offered"
	tap_ok "$tool: its help has options" test "$(wc -l <"$tmp/help")" -ge 7
	missing "$tool: options of --help that ${page##*/} lacks, or has with other arguments" help page
	missing "$tool: options of ${page##*/} that --help lacks, or has with other arguments" page help
	missing "$tool: options of --help that completion lacks" help.flags offered
	missing "$tool: options of completion that --help lacks" offered help.flags
	tap_eq "$(awk '/^\.SH EXAMPLES/ { on = 1 } on && /\.EX/ { block = 1; next } on && /\.EE/ { exit }
		block' "$page" | grep -c '"nc \\-')" 1 "$tool: the first example of ${page##*/} is one with nc"
	tap_eq "$(sed -n '/^\.SH EXIT STATUS/,/^\.SH/p' "$page" | grep -A1 '^\.TP' | sed -n 's/^\.B \([0-9]\)$/\1/p' | xargs)" \
		"$("$tool" --help | tr '\n' ' ' | sed -E 's/.*[Ee]xit status: (.*)/\1/; s/Examples?:.*//; s/example:.*//' |
			grep -oE '(^|[;,] +)[0-9] ' | tr -d ' ;,' | xargs)" "$tool: exit status of ${page##*/} and of --help"
done

tap_eq "$(offered zcrx-recv -i e --backend u | xargs)" 'upstream upstream-nodev' "completion: what --backend can be"
tap_eq "$(offered zcrx-recv ch)" check "completion: the check"
tap_eq "$(offered zcrx-flow d)" down "completion: what zcrx-flow does"
tap_eq "$(offered zcrx-recv -i l)" lo "completion: an interface"
tap_eq "$(offered zcrx-flow up lo --queue '' | head -n 1)" 0 "completion: its queues"
tap_eq "$(offered zcrx-flow up lo -q 4-7, | head -n 1)" 4-7,0 "completion: one more of its queues"
tap_eq "$(offered zcrx-flow up lo --spread '' | xargs)" 'auto rss rules' "completion: how it can spread flows"
tap_eq "$(offered zcrx-recv -i lo -q '' | head -n 1)" 0 "completion: a queue of the receiver"
tap_eq "$(offered zcrx-recv -i lo -q 4-7, | head -n 1)" 4-7,0 "completion: one more queue of a list"
tap_eq "$(offered zcrx-recv -o tools/completion/z)" tools/completion/zcrx.bash "completion: a file"
tap_eq "$(offered zcrx-recv --port '')" '' "completion: nothing for a number"
tap_done
