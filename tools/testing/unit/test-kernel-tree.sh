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
: >"$KSRC/io_uring/Kconfig"
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

# --- an export that is killed -------------------------------------------------
# whoever puts the FAKE_KILL-th file into linux/ is killed, and kernel-tree with it
mkdir "$dir/kill"
for name in cp mv; do
	cat >"$dir/kill/$name" <<-FAKE
		#!/bin/bash
		case \${!#} in
		$ZCRX_LINUX/.export/*) ;;
		$ZCRX_LINUX/*) echo >>"$dir/kill.count"
			[ "\$(wc -l <"$dir/kill.count")" -lt "\$FAKE_KILL" ] || { kill -KILL \$PPID; exit; } ;;
		esac
		exec $(type -P $name) "\$@"
	FAKE
done
chmod +x "$dir/kill"/*
killed_export() { # N
	rm -f "$dir/kill.count"
	{ PATH=$dir/kill:$PATH FAKE_KILL=$1 "$tool" export "$tree"; } 2>/dev/null
}
# what the series names, and what the patches say that there is, but is not there; but for
# the one that has to make way
missing() {
	local name path

	grep -v '^#' "$ZCRX_LINUX/series" | while read -r name; do
		[ -s "$ZCRX_LINUX/patches/$name" ] || echo "$name"
		sed -n 's/^New-file: //p' "$ZCRX_LINUX/patches/$name" | while IFS= read -r path; do
			[ -f "$ZCRX_LINUX/$path" ] || [ "$path" = io_uring/nothing.h ] || echo "$path"
		done
	done
}
cp -a "$ZCRX_LINUX" "$dir/before-kill"
# other names, a file less, one that becomes a directory, one behind "series" in the alphabet
sed -i 's/zc_40;/zc_40_more;/' "$tree/io_uring/zc_rx.c"
git -C "$tree" rm -q io_uring/fw.bin io_uring/nothing.h
mkdir "$tree/io_uring/nothing.h"
echo deep >"$tree/io_uring/nothing.h/deep.h"
mkdir "$tree/virt"
echo late >"$tree/virt/late.c"
git -C "$tree" add -f -A
git -C "$tree" commit -q -m 'all in one'
git -C "$tree" reset -q --soft base
git -C "$tree" commit -q -m 'io_uring: all in one'
for n in 1 2 4 4; do
	killed_export $n
	tap_eq "$?:$(missing)" 137: "killed at file $n, linux/ has all that its series names"
done
tap_ok "the next export" kernel_tree export "$tree"
tap_ok "does all of it" kernel_tree check
rm -rf "$ZCRX_CACHE/kernel"/tmp.*
tap_eq "$(cd "$ZCRX_LINUX" && ls -A io_uring patches; cat io_uring/nothing.h/deep.h)" "$(
	printf '%s\n' io_uring: 'a [b]*c.txt' link.c nothing.h zc_rx.c '' patches: 0001-io_uring-all-in-one.patch deep)" \
	"nothing of before is left"
rm -rf "$ZCRX_LINUX" "$tree"
cp -a "$dir/before-kill" "$ZCRX_LINUX"
kernel_tree apply "$tree" >/dev/null 2>&1

# --- what a git leaves that was killed ---------------------------------------------
: >"$ZCRX_CACHE/kernel/tree/base.index.lock"
tap_ok "a lock of the tree's index that nobody has" kernel_tree source

# --- kernels, with a make that pretends ---------------------------------------------
# It compiles an object when there is none, and says what FAKE_WARN says of it; FAKE_EDIT
# is what happens to linux/ meanwhile
mkdir "$dir/build" "$ZCRX_LINUX/configs"
cat >"$dir/build/make" <<'FAKE'
#!/bin/bash
for word; do
	case $word in
	O=*) obj=${word#O=} ;;
	allnoconfig) cp "$obj/all.config" "$obj/.config" ;;
	linux)
		eval "${FAKE_EDIT:-}"
		{ cat "$obj/.config"; echo "$KCFLAGS$KCPPFLAGS$LLVM$LOCALVERSION"; } >"$obj/linux" ;;
	*.o)
		[ ! -e "$obj/$word" ] || continue
		mkdir -p "$obj/${word%/*}"
		: >"$obj/$word"
		echo "${word%o}c:1:1: ${FAKE_WARN:-fine}" ;;
	esac
done
FAKE
for name in ld flex bison bc; do
	printf '#!/bin/sh\n' >"$dir/build/$name"
done
printf '#!/bin/sh\necho compiler 1\n' >"$dir/build/gcc"
chmod +x "$dir/build"/*
building() { PATH=$dir/build:$PATH "$tool" "$@"; }

tap_fails "a fragment that is missing stops it" 'there is no .*configs/uml$' building image stock
echo CONFIG_UML=y >"$ZCRX_LINUX/configs/uml"
tap_fails "any of them" 'there is no .*configs/uml-debug$' building image debug
tap_eq "$(ls "$ZCRX_CACHE/kernel/image" 2>/dev/null)" '' "and nothing is built"
tap_ok "an image" building image zc
image=$out
KCFLAGS=-O0 KCPPFLAGS=-Dx LLVM=1 LOCALVERSION=-mine building build stock >"$dir/stock" 2>/dev/null
tap_eq "$(cat "$(<"$dir/stock")")" 'CONFIG_UML=y' "the caller's flags are not in it"

# a signal ends make as well, which would hold the lock
echo CONFIG_LONG=y >>"$ZCRX_LINUX/configs/uml"
FAKE_EDIT="echo \$\$ >'$dir/maker'; exec sleep 60" PATH=$dir/build:$PATH "$tool" image zc >/dev/null 2>&1 &
builder=$!
for ((n = 0; n < 200; n++)); do
	[ ! -s "$dir/maker" ] || break
	sleep 0.05
done
start=$SECONDS
kill "$builder"
wait "$builder"
tap_eq "$?" 143 "a signal ends a build"
tap_eq "$((SECONDS - start < 30))" 1 "at once"
tap_fails "and its make" '' kill -0 "$(<"$dir/maker")"
sed -i /LONG/d "$ZCRX_LINUX/configs/uml"

# linux/ changes while another has the lock
lock=$ZCRX_CACHE/kernel/lock/tree-base
echo CONFIG_FIRST=y >>"$ZCRX_LINUX/configs/uml"
exec {held}>"$lock"
flock "$held"
building image zc >"$dir/waited" 2>"$dir/waited.err" {held}>&- &
waiter=$!
for ((n = 0; n < 200; n++)); do
	grep -q "waiting for another" "$dir/waited.err" 2>/dev/null && break
	sleep 0.05
done
echo CONFIG_SECOND=y >>"$ZCRX_LINUX/configs/uml"
exec {held}>&-
wait "$waiter"
tap_ok "an image for which it had to wait" grep -q CONFIG_SECOND "$(tail -n 1 "$dir/waited")"
tap_eq "$(building image zc 2>&1)" "$(cat "$dir/waited")" "is that of linux/ as it is then"
sed -i /SECOND/d "$ZCRX_LINUX/configs/uml"
FAKE_EDIT="echo CONFIG_THIRD=y >>'$ZCRX_LINUX/configs/uml'" \
	tap_fails "linux/ changes while it builds" 'was changed while it was read: nothing is kept' building image zc
sed -i /THIRD/d "$ZCRX_LINUX/configs/uml"
tap_ok "which is built anew then" building image zc
tap_eq "$(grep -c . "$(tail -n 1 <<<"$out")"):$(tail -n 1 <<<"$out" | grep -cxF "$image")" 2:0 "as it should be"

# a commit made of a linux/ that changes meanwhile
real_git=$(type -P git)
cat >"$dir/build/git" <<FAKE
#!/bin/bash
case "\$*" in
*commit-tree*) [ -z "\$FAKE_TOUCH" ] || echo '# changed' >>'$ZCRX_LINUX/series' ;;
esac
exec $real_git "\$@"
FAKE
chmod +x "$dir/build/git"
cp "$ZCRX_LINUX/series" "$dir/series.kept"
rm -rf "$ZCRX_CACHE/kernel/commit" "$ZCRX_CACHE/kernel/image"
FAKE_TOUCH=1 tap_fails "linux/ changes while its patches are applied" 'was changed while it was read' building image zc
tap_eq "$(ls "$ZCRX_CACHE/kernel/commit" 2>/dev/null)" '' "no commit is kept then"
cp "$dir/series.kept" "$ZCRX_LINUX/series"
rm "$dir/build/git"

# --- check-build ---------------------------------------------------------------------
: >"$ZCRX_LINUX/configs/uml-check"
FAKE_WARN='warning: odd' tap_fails "check-build and a warning" 'does not build: patch 1' building check-build
FAKE_WARN='warning: odd' tap_fails "it is there the second time too" 'does not build: patch 1' building check-build
tap_ok "check-build without one" building check-build
FAKE_WARN='warning: odd' tap_ok "what is done is not done again" building check-build
echo more >"$tree/net/core/more.c"
commit '2025-01-01 00:00:00 +0000' 'net: one more file'
kernel_tree export "$tree" >/dev/null 2>&1
rm -rf "$ZCRX_CACHE/kernel/obj/check"
FAKE_WARN='warning: odd' tap_fails "but for other files" 'does not build: patch 1' building check-build
tap_ok "all of them then" building check-build
rm -r "$ZCRX_CACHE/kernel/built" "$ZCRX_CACHE/kernel/obj/check/net"
FAKE_WARN='warning: odd' tap_fails "a warning in what is compiled later" 'does not build: patch 1' building check-build
FAKE_WARN='warning: odd' tap_fails "which stays one, too" 'does not build: patch 1' building check-build
git -C "$tree" reset -q --hard HEAD~1
kernel_tree export "$tree" >/dev/null 2>&1
rm -r "$ZCRX_LINUX/configs"

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
	: >"$ZCRX_CACHE/kernel/upstream/linux-source-7.90_7.90.1-1.tar.xz.new"
	tap_fails "a part of a source is none" 'there is no .*configs/uml' image_upstream
	rm "$ZCRX_CACHE/kernel/upstream"/*.new
	KSRC_UPSTREAM=$dir/none tap_fails "another source that is not there" 'KSRC_UPSTREAM=.*does not exist' image_upstream
	echo x >"$dir/none.deb"
	KSRC_UPSTREAM=$dir/none.deb tap_fails "a package that is none" 'holds no /usr/src/linux-source' image_upstream
else
	tap_skip "fetching the source of upstream" "no dpkg-deb"
fi
tap_eq "$(find "$ZCRX_CACHE/kernel" -maxdepth 1 -name 'tmp.*')" '' "no temporary files stay"
tap_done
