#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Round trip of scripts/kernel-tree on a small made-up kernel: patches and plain
# files to commits and back, and what it has to refuse.

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
tool=$here/../../../scripts/kernel-tree

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export ZCRX_CACHE=$dir/cache ZCRX_LINUX=$dir/linux KSRC=$dir/base
export GIT_AUTHOR_NAME='Ann Öther' GIT_AUTHOR_EMAIL=ann@example.org
export GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
tree=$dir/tree

# shellcheck disable=SC2317 # called by way of tap_ok
kernel_tree() { "$tool" "$@"; }

commit() { # DATE MESSAGE
	git -C "$tree" add -f -A
	GIT_AUTHOR_DATE=$1 git -C "$tree" commit -q --cleanup=verbatim -F - <<<"$2"
}

# --- the made-up kernel -----------------------------------------------------
mkdir -p "$KSRC/net/core" "$KSRC/io_uring" "$KSRC/scripts" "$ZCRX_LINUX"
printf 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 7\n' >"$KSRC/Makefile"
seq 1 60 | sed 's/.*/int old_&;/' >"$KSRC/net/core/skbuff.c"
seq 1 30 >"$KSRC/io_uring/Makefile"
echo '*.ignored' >"$KSRC/.gitignore"
echo 'seen all the same' >"$KSRC/x.ignored"
printf '#!/bin/sh\n' >"$KSRC/scripts/run.sh"
chmod 755 "$KSRC/scripts/run.sh"
printf 'no newline at the end' >"$KSRC/net/core/tail.c"
echo gone >"$KSRC/net/core/dead.c"
: >"$KSRC/net/core/empty.c"
printf '\0\1\2\3' >"$KSRC/net/blob.bin"
{
	echo 'version: 6.12.7'
	echo 'tried: 6.12.7'
} >"$ZCRX_LINUX/base"
printf '# made for the test\n' >"$ZCRX_LINUX/series"

# --- export of a work tree ---------------------------------------------------
tap_ok "apply with an empty series" kernel_tree apply "$tree"
tap_eq "$(cd "$tree" && cat x.ignored)" 'seen all the same' "a file that .gitignore names is in the tree"
tap_eq "$(git -C "$tree" describe --tags)" base "the pristine source has the tag 'base'"

# 1: upstream file and two new ones
sed -i 's/old_5;/new_5;/' "$tree/net/core/skbuff.c"
seq 1 50 | sed 's/.*/int zc_&;/' >"$tree/io_uring/zc_rx.c"
mkdir -p "$tree/include/net"
printf 'int pool;' >"$tree/include/net/pool.h"
commit '2024-05-06 07:08:09 +0200' 'io_uring: add "zero" copy: \n & 100 % ü

Body line.

  indented


Two gaps above.

Signed-off-by: Ann Öther <ann@example.org>'
# 2: new file touched for the first time, in the middle; mode and missing newline
sed -i 's/zc_25;/zc_25_second;/' "$tree/io_uring/zc_rx.c"
printf 'int pool;\nint more;' >"$tree/include/net/pool.h"
printf 'now with one\n' >"$tree/net/core/tail.c"
chmod 644 "$tree/scripts/run.sh"
commit '2024-05-06 07:08:10 +0200' 'net: second'
# 3: new file touched again close by, becomes executable; new script; only new files otherwise
sed -i -e 's/zc_26;/zc_26_third;/' -e '1d' "$tree/io_uring/zc_rx.c"
chmod 755 "$tree/io_uring/zc_rx.c"
printf '#!/bin/sh\necho new\n' >"$tree/scripts/new.sh"
chmod 755 "$tree/scripts/new.sh"
ln -s zc_rx.c "$tree/io_uring/link.c"
printf '\1\0\2' >"$tree/io_uring/fw.bin"
: >"$tree/io_uring/nothing.h"
commit '2024-05-06 07:08:11 +0200' 'io_uring: third

Nothing but a body.'
# 4: a new file goes, upstream ones go, binary changes, a name with odd characters
rm "$tree/include/net/pool.h" "$tree/net/core/dead.c" "$tree/net/core/empty.c"
printf '\0\1\2\3\4' >"$tree/net/blob.bin"
echo odd >"$tree/io_uring/a [b]*c.txt"
commit '2024-05-06 07:08:12 +0200' 'net: remove

Cc: nobody@example.org'
# 5: the odd one changes, pool.h comes again, only new files in the next
echo odder >>"$tree/io_uring/a [b]*c.txt"
printf 'again\n' >"$tree/include/net/pool.h"
commit '2024-05-06 07:08:13 +0200' 'net: again'
echo only >"$tree/io_uring/only.c"
commit '2025-01-01 00:00:00 +0000' 'io_uring: a subject so long that its file name has to be cut somewhere in the middle of it'
want=$(git -C "$tree" rev-parse 'HEAD^{tree}')
log=$(git -C "$tree" log --format='%an %ae %ai%n%B' base..)

tap_ok "export" kernel_tree export "$tree"
tap_eq "$(grep -vc '^#' "$ZCRX_LINUX/series")" 6 "six patches in the series"
tap_eq "$(head -n 1 "$ZCRX_LINUX/series")" '# made for the test' "the comment of the series file stays"
tap_ok "a new file is a plain file with what it is at the end" cmp "$tree/io_uring/zc_rx.c" "$ZCRX_LINUX/io_uring/zc_rx.c"
tap_ok "its mode too" test -x "$ZCRX_LINUX/io_uring/zc_rx.c"
tap_eq "$(readlink "$ZCRX_LINUX/io_uring/link.c")" zc_rx.c "a symbolic link is one"
tap_ok "trailer names the new file" grep -q '^New-file: io_uring/zc_rx.c$' "$ZCRX_LINUX/patches/0001-"*
tap_fails "the bringing patch has no hunk of it" '^$' grep 'b/io_uring/zc_rx.c' "$ZCRX_LINUX/patches/0001-"*
tap_ok "a later patch has" grep -q '^+int zc_25_second;' "$ZCRX_LINUX/patches/0002-"*
tap_fails "no Date: where it is the fixed one" '^$' grep '^Date:' "$ZCRX_LINUX/patches/0006-"*
tap_ok "check" kernel_tree check

# --- and back ----------------------------------------------------------------
rm -rf "$tree"
tap_ok "apply what was exported" kernel_tree apply "$tree"
tap_eq "$(git -C "$tree" rev-parse 'HEAD^{tree}')" "$want" "the same source comes back"
tap_eq "$(git -C "$tree" log --format='%an %ae %ai%n%B' base..)" "$log" "the same messages, authors and dates come back"
tap_eq "$(git -C "$tree" show HEAD~3:io_uring/zc_rx.c | head -n 1)" 'int zc_2;' "state of a new file after patch 3"
tap_eq "$(git -C "$tree" show HEAD~5:io_uring/zc_rx.c | md5sum)" "$(seq 1 50 | sed 's/.*/int zc_&;/' | md5sum)" \
	"state of a new file as patch 1 brought it"
tap_eq "$(git -C "$tree" ls-tree HEAD~5 io_uring/zc_rx.c | cut -c1-6)" 100644 "its mode then"
tap_eq "$(git -C "$tree" show HEAD~4:include/net/pool.h)" $'int pool;\nint more;' "state of a new file that went and came"
first=$(git -C "$tree" rev-parse HEAD)
cp -a "$ZCRX_LINUX" "$dir/before"
tap_ok "export again" kernel_tree export "$tree"
tap_ok "nothing changes by that" diff -r "$dir/before" "$ZCRX_LINUX"
rm -rf "$ZCRX_CACHE" "$tree"
tap_ok "apply with an empty cache" kernel_tree apply "$tree"
tap_eq "$(git -C "$tree" rev-parse HEAD)" "$first" "the same commit ids come out"

# --- the pristine source, by itself --------------------------------------------
pristine=$(kernel_tree source)
tap_ok "source names a directory with the kernel" test -f "$pristine/Makefile"
tap_fails "of which the series has not touched anything" '' test -e "$pristine/io_uring/zc_rx.c"

# --- a plain file may be edited where later patches do not touch it ----------
sed -i 's/zc_45;/zc_45_edited;/' "$ZCRX_LINUX/io_uring/zc_rx.c"
tap_ok "check after an edit of a plain file" kernel_tree check
tap_ok "apply moves an unchanged tree on" kernel_tree apply "$tree"
tap_ok "the edit is in the patch that brought the file" \
	sh -c "git -C '$tree' show HEAD~5:io_uring/zc_rx.c | grep -q zc_45_edited"
sed -i 's/zc_25_second;/zc_25_other;/' "$ZCRX_LINUX/io_uring/zc_rx.c"
tap_fails "an edit that a later patch's hunk contradicts" '000[23]-.*edited where a later patch touches it' kernel_tree check
sed -i 's/zc_25_other;/zc_25_second;/' "$ZCRX_LINUX/io_uring/zc_rx.c"

# --- order, removal ----------------------------------------------------------
printf '# made for the test\n' >"$ZCRX_LINUX/series.new"
sed -e 1d -e 's/^0003/# why the third\n0003/' "$ZCRX_LINUX/series" >>"$ZCRX_LINUX/series.new"
mv "$ZCRX_LINUX/series.new" "$ZCRX_LINUX/series"
tap_ok "a comment in the series file" kernel_tree check
git -C "$tree" reset -q --hard HEAD~1
tap_ok "export with the last patch dropped" kernel_tree export "$tree"
tap_ok "its new file is gone" test ! -e "$ZCRX_LINUX/io_uring/only.c"
tap_eq "$(find "$ZCRX_LINUX/patches" -type f | wc -l)" 5 "its patch file is gone"
tap_ok "the comment is still there" grep -q '^# why the third' "$ZCRX_LINUX/series"
tap_ok "check then" kernel_tree check

# --- mailable set ------------------------------------------------------------
printf 'Receive without a copy\n\nWhat it is.\n*** odd ***\n' >"$ZCRX_LINUX/cover-letter"
tap_ok "series" kernel_tree series "$dir/out" -v2 --rfc
tap_eq "$(grep -c . <<<"$(ls "$dir/out")")" 6 "a cover letter and five mails"
tap_ok "the cover letter has its subject" grep -q '^Subject: \[RFC PATCH v2 0/5\] Receive without a copy' "$dir/out/v2-0000-cover-letter.patch"
tap_ok "and its text" grep -q '^What it is.' "$dir/out/v2-0000-cover-letter.patch"
tap_fails "no New-file: in a mail" '^$' grep -r New-file "$dir/out"
tap_ok "git am on the pristine source gives the same" kernel_tree check-series "$dir/out"
sed -i 's/^+int zc_30;/+int zc_30_broken;/' "$dir/out"/v2-0001*
tap_fails "a mail that differs is noticed" 'another source|git am stopped' kernel_tree check-series "$dir/out"

# --- refusals ----------------------------------------------------------------
echo stray >"$ZCRX_LINUX/stray.c"
tap_fails "a file that no patch brings" 'no patch brings linux/stray.c' kernel_tree check
rm "$ZCRX_LINUX/stray.c"
mv "$ZCRX_LINUX/io_uring/zc_rx.c" "$dir/kept.c"
tap_fails "a new file that is not there" 'zc_rx.c: does not exist' kernel_tree check
mv "$dir/kept.c" "$ZCRX_LINUX/io_uring/zc_rx.c"
mv "$ZCRX_LINUX/scripts/new.sh" "$dir/kept.sh"
tap_fails "one that no later patch touches" "New-file: scripts/new.sh', but there is no" kernel_tree check
mv "$dir/kept.sh" "$ZCRX_LINUX/scripts/new.sh"
sed -i 's/^New-file: io_uring.zc_rx.c$/&\nNew-file: Makefile/' "$ZCRX_LINUX/patches/0001-"*
cp "$KSRC/Makefile" "$ZCRX_LINUX/Makefile"
tap_fails "a new file that is not new" "New-file: Makefile', which exists before" kernel_tree check
rm "$ZCRX_LINUX/Makefile"
sed -i '/^New-file: Makefile$/d' "$ZCRX_LINUX/patches/0001-"*
echo 0009-none.patch >>"$ZCRX_LINUX/series"
tap_fails "a patch that is not there" 'names 0009-none.patch' kernel_tree check
sed -i '$d' "$ZCRX_LINUX/series"
echo dirt >>"$tree/Makefile"
tap_fails "apply over changes" 'has work that this would lose' kernel_tree apply "$tree"
git -C "$tree" commit -q -a -m 'x

---
text'
tap_fails "a message that a mail cannot hold" 'take for its end' kernel_tree export "$tree"
git -C "$tree" reset -q --hard HEAD~1
tap_fails "export of what is no tree" 'no git tree' kernel_tree export "$dir/out"
tap_fails "export without its base" "no revision 'nope'" kernel_tree export --base nope "$tree"
KSRC=$dir/none tap_fails "a source that is not there" 'KSRC=.*does not exist' kernel_tree check
mkdir "$dir/built" && cp -r "$KSRC/." "$dir/built" && mkdir -p "$dir/built/include/config"
KSRC=$dir/built tap_fails "a source that was built in" 'make mrproper' kernel_tree check
sed -i 's/old_6;/changed_6;/' "$KSRC/net/core/skbuff.c"
tap_fails "a source that the series does not fit" '0001-.* does not apply on Linux 6.12.7' kernel_tree check
tap_fails "a kernel that there is not" "no kernel is named 'nope'" kernel_tree image nope

# --- the source of upstream, with an apt that pretends ------------------------
# FAKE_SUITES: what each suite has, such as "a=7.2,7.4 b=7.3"; one that is not
# there, "a=unsigned" or "a=unreachable" cannot be read
mkdir -p "$dir/fake" "$ZCRX_LINUX/upstream"
printf 'version: 7.3\nsuites: a b\n' >"$ZCRX_LINUX/upstream/base"
cat >"$dir/fake/apt-get" <<'FAKE'
#!/bin/bash
own=$(dirname "$APT_CONFIG" 2>/dev/null)
suite=$(sed -n 's/^Suites: //p' "$own/sources/zcrx.sources" 2>/dev/null)
has=$(tr ' ' '\n' <<<"$FAKE_SUITES" | sed -n "s/^$suite=//p")
case "$*" in
*indextargets*) [ -n "${FAKE_NO_LISTS:-}" ] || echo 'Debian main stable http://mirror.invalid/debian/' ;;
*update*)
	case $has in
	'') echo "E: The repository does not have a Release file."; exit 100 ;;
	unsigned) echo "W: GPG error: NO_PUBKEY 0123"; exit 100 ;;
	unreachable) echo "W: Temporary failure resolving 'mirror.invalid'"; exit 100 ;;
	esac ;;
*download*)
	name=${!#}
	mkdir -p pkg/DEBIAN pkg/usr/src k
	printf 'Package: %s\nVersion: %s.1-1~%s\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' \
		"$name" "${name##*-}" "$suite" >pkg/DEBIAN/control
	printf 'VERSION = 7\nPATCHLEVEL = %s\nSUBLEVEL = 1\n' "${name##*.}" >k/Makefile
	tar -cJf "pkg/usr/src/$name.tar.xz" k
	dpkg-deb -b pkg "$name.deb" >/dev/null ;;
esac
FAKE
cat >"$dir/fake/apt-cache" <<'FAKE'
#!/bin/bash
suite=$(sed -n 's/^Suites: //p' "$(dirname "$APT_CONFIG")/sources/zcrx.sources")
tr ' ' '\n' <<<"$FAKE_SUITES" | sed -n "s/^$suite=//p" | tr , '\n' | sed 's/^/linux-source-/'
FAKE
printf '#!/bin/sh\necho Acquire::Retries 7\;\n' >"$dir/fake/apt-config"
chmod +x "$dir/fake"/*
fetch() { PATH=$dir/fake:$PATH FAKE_SUITES=$1 "$tool" fetch; }
# shellcheck disable=SC2317 # called by way of tap_fails
image_upstream() { PATH=$dir/fake:$PATH FAKE_SUITES='' "$tool" image upstream; }

if command -v dpkg-deb >/dev/null; then
	tap_fails "no suite has it" 'none of a b gave linux-source-7.3' fetch 'a=7.2,6.19 b=7.2'
	tap_eq "$status" 3 "which is exit status 3"
	tap_fails "keys that do not verify a suite" 'debian-archive-keyring' fetch 'a=unsigned'
	tap_fails "a machine that is offline" 'offline' fetch 'a=unreachable b=unreachable'
	tap_fails "a mirror without the suite" 'the mirror does not have it' fetch 'b=7.2'
	FAKE_NO_LISTS=1 tap_fails "no mirror that is known" 'name no Debian mirror' fetch 'a=7.3'
	tap_fails "nothing is kept, and nothing can be fetched" 'no kernel source for upstream' image_upstream
	tap_eq "$(basename "$(fetch 'a=7.2,7.4 b=7.5,7.3' 2>/dev/null)")" linux-source-7.3_7.3.1-1~b.tar.xz \
		"the version that was asked for, wherever it is"
	tap_eq "$(basename "$(fetch 'a=7.2,7.4,8.0 b=7.10,7.9' 2>/dev/null)")" linux-source-7.10_7.10.1-1~b.tar.xz \
		"else the newest of its major number"
	tap_eq "$(basename "$(fetch 'a=unsigned b=7.3' 2>/dev/null)")" linux-source-7.3_7.3.1-1~b.tar.xz \
		"a suite that cannot be read does not hide another"
	# it gets as far as the configuration, which this linux/ does not have
	tap_fails "what was kept needs no network" 'there is no .*configs/uml' image_upstream
	KSRC_UPSTREAM=$dir/none tap_fails "another source that is not there" 'KSRC_UPSTREAM=.*does not exist' image_upstream
	echo x >"$dir/none.deb"
	KSRC_UPSTREAM=$dir/none.deb tap_fails "a package that is none" 'holds no /usr/src/linux-source' image_upstream
else
	tap_skip "fetching the source of upstream" "no dpkg-deb"
fi
tap_eq "$(find "$ZCRX_CACHE/kernel" -maxdepth 1 -name 'tmp.*')" '' "no temporary files stay"
tap_done
