#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# make deb: the package can be built, lintian has nothing to say about it, it has what "make install"
# installs, owned by root, it depends on what that needs, and the programs in it work

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"

for tool in dpkg-buildpackage dh lintian; do
	command -v "$tool" >/dev/null || tap_skip_all "no $tool (scripts/setup installs it)"
done
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
unset PREFIX DESTDIR bindir sbindir mandir completionsdir docdir VARIANT
export DEBFULLNAME='Some Body' DEBEMAIL=somebody@debian.org

contents() { # what "make install" would have, as the package has it
	make -s --no-print-directory -C "$top" install DESTDIR="$dir/installed" PREFIX=/usr docdir=/usr/share/doc/zcrx-tools >&2
	(
		cd "$dir/installed" || exit
		find . -type f -printf '%M %p\n' -o -type l -printf '%M %p -> %l\n' |
			sed -E '/\/man\//s/$/.gz/; /\/zcrx-tools\/(README|diagnostics)/s/$/.gz/'
		printf '%s\n' '-rw-r--r-- ./usr/share/doc/zcrx-tools/copyright' '-rw-r--r-- ./usr/share/doc/zcrx-tools/changelog.gz'
	) | sort
}

field() { dpkg-deb -f "$deb" "$1"; }

mkdir -p "$dir/out/source"
echo mine | tee "$dir/out/source/file" >"$dir/out/log"
tap_ok "a package can be built" "$top/scripts/deb" "$dir/out" || tap_done
tap_eq "$(cat "$dir/out/log" "$dir/out/source/file" | xargs):$(find "$dir/out" -mindepth 1 -maxdepth 1 -type d)" \
	"mine mine:$dir/out/source" "what else is in its directory stays, and nothing more gets there"
deb=$(echo "$dir"/out/zcrx-tools_*.deb)
tap_eq "$out" "$deb" "its path is printed"
tap_eq "$(lintian --allow-root --tag-display-limit 0 -I "$dir"/out/zcrx-tools_*.changes 2>&1)" '' "lintian has nothing to say"
dpkg-deb -c "$deb" >"$dir/contents"
tap_eq "$(grep -v '^d' "$dir/contents" | awk '{ print $1, $6 ($7 == "" ? "" : " " $7 " " $8) }' | sort)" "$(contents)" \
	"it has what make install installs, and what Debian wants"
tap_eq "$(awk '$2 != "root/root"' "$dir/contents")" '' "all of it is root's"
tap_eq "$(field Maintainer)" 'Some Body <somebody@debian.org>' "who built it"
tap_ok "the version is one of Debian" dpkg --validate-version "$(field Version)"
field Depends >"$dir/depends"
for package in libc6 liburing2 ethtool iproute2; do
	tap_ok "depends on $package" grep -qE "(^|, )$package( |,|\$)" "$dir/depends"
done
tap_eq "$(grep -oE 'libasan|libubsan' "$dir/depends")" '' "but on nothing that only tests need"

dpkg-deb -x "$deb" "$dir/root"
for tool in bin/zcrx-recv bin/zcrx-send sbin/zcrx-flow; do
	tap_ok "$tool works" "$dir/root/usr/$tool" --help
done
tap_ok "programs are position independent, their relocations read only, symbols bound at once" \
	sh -c "readelf -h -l -d $dir/root/usr/bin/zcrx-recv | tr '\n' ' ' | grep -q 'DYN.*GNU_RELRO.*NOW'"
if apt-cache show liburing2 >/dev/null 2>&1; then
	tap_ok "apt could install it" apt-get -s -q install --no-install-recommends "$deb"
else
	tap_skip "apt could install it" "apt has no package lists"
fi

tap_fails "an operand too many" usage "$top/scripts/deb" a b
tap_fails "an unknown option" usage "$top/scripts/deb" --nope
tap_ok "help" "$top/scripts/deb" --help
tap_done
