#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make install: each file is where it belongs, with the right mode, and works from there;
# uninstall takes all of it away and nothing else

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
# variables of who runs this are not those of the test
unset PREFIX DESTDIR bindir sbindir mandir completionsdir docdir

# shellcheck disable=SC2317 # called by name
make_it() { make -s --no-print-directory -C "$top" "$@"; }

# "MODE PATH" of all files, and "PATH -> TARGET" of links
listing() { (cd "$1" && find . -type f -printf '%m %P\n' -o -type l -printf '%P -> %l\n' | sort); }

wanted() { # PREFIX without its first slash
	{
		printf "755 $1/%s\n" bin/zcrx-recv bin/zcrx-send sbin/zcrx-flow sbin/zcrx-split
		for page in "$top"/Documentation/man/*; do
			echo "644 $1/share/man/man${page##*.}/${page##*/}"
		done
		printf "644 $1/share/%s\n" bash-completion/completions/zcrx-recv doc/zcrx/README doc/zcrx/diagnostics.rst
		printf "$1/share/bash-completion/completions/%s -> zcrx-recv\n" zcrx-send zcrx-flow
	} | sort
}

umask 077
tap_ok "make install" make_it install DESTDIR="$dir/a"
tap_eq "$(listing "$dir/a")" "$(wanted usr/local)" "files and modes"
tap_eq "$(find "$dir/a" -mindepth 1 -type d ! -perm 755)" '' "directories can be read by all, whatever the umask"
umask 022

prefix=$dir/a/usr/local
for tool in bin/zcrx-recv bin/zcrx-send sbin/zcrx-flow; do
	tap_ok "$tool works from there" "$prefix/$tool" --help
done
tap_fails "zcrx-split works from there" 'usage' "$prefix/sbin/zcrx-split"
tap_fails "zcrx-recv check runs from there" ZC013 "$prefix/bin/zcrx-recv" check -i nosuch
if command -v man >/dev/null; then
	for page in "1 zcrx-recv" "1 zcrx-send" "8 zcrx-flow" "8 zcrx-split" "7 io_uring_zc_rx"; do
		# shellcheck disable=SC2086 # section and name
		tap_ok "man finds $page" man -M "$prefix/share/man" -w $page
	done
else
	tap_skip "man finds the pages" "no man"
fi
# shellcheck disable=SC2016 # of that shell
tap_eq "$(PATH=$prefix/bin:$PATH bash -c '. "$0/zcrx-send" && COMP_WORDS=(zcrx-send --pat) COMP_CWORD=1 && _zcrx && echo "$COMPREPLY"' \
	"$prefix/share/bash-completion/completions")" --pattern "completion works from there"
# shellcheck disable=SC2016 # as sh runs it
tap_eq "$(sh -c 'cd / && sed -n "/^find_split_tool/,/^}/p" "$1" >"$2" && printf "%s\n" "find_split_tool && echo \$split_tool" >>"$2"
	bash "$2"' sh "$prefix/sbin/zcrx-flow" "$prefix/sbin/finds")" "$prefix/sbin/zcrx-split" \
	"zcrx-flow finds the zcrx-split beside it"
rm -f "$prefix/sbin/finds"

# a stranger's files stay
echo mine >"$prefix/bin/other"
tap_ok "make install again" make_it install DESTDIR="$dir/a"
tap_ok "make uninstall" make_it uninstall DESTDIR="$dir/a"
tap_eq "$(listing "$dir/a")" "644 usr/local/bin/other" "nothing is left but what is another's"
tap_ok "make uninstall, where nothing is" make_it uninstall DESTDIR="$dir/a"

tap_ok "make install PREFIX=/usr" make_it install DESTDIR="$dir/b" PREFIX=/usr
tap_eq "$(listing "$dir/b")" "$(wanted usr)" "files and modes"
tap_ok "make install without DESTDIR" make_it install PREFIX="$dir/c"
tap_ok "is in PREFIX" test -x "$dir/c/bin/zcrx-recv"
tap_ok "make install with all directories" make_it install DESTDIR="$dir/d" bindir=/b sbindir=/s mandir=/m completionsdir=/c docdir=/d
tap_eq "$(cd "$dir/d" && find . -mindepth 1 -maxdepth 1 | sort | xargs)" './b ./c ./d ./m ./s' "they are where they were to be"
tap_ok "make uninstall with all directories" make_it uninstall DESTDIR="$dir/d" bindir=/b sbindir=/s mandir=/m completionsdir=/c docdir=/d
tap_eq "$(find "$dir/d" ! -type d)" '' "nothing is left"
tap_fails "a directory that cannot be made" '/dev/null' make_it install DESTDIR=/dev/null
tap_done
