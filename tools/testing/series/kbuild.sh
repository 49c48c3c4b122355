#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 900
#
# The new files of linux/ compile by way of Kbuild, and sparse and kernel-doc find nothing in them

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
cd "$here/../../.." || exit 1
out=''

[ -e "${KSRC:-/usr/src/linux-source-6.12.tar.xz}" ] || tap_skip_all "no kernel source (scripts/setup installs it)"
run scripts/kernel-tree image zc || tap_skip_all "the kernel does not build"
objects=$(scripts/kernel-tree where zc | sed -n 's/^objects //p')
[ -n "$objects" ] || tap_skip_all "the kernel was built, but its objects are gone"

# a copy, since objects come to lie beside the sources; programs are not Kbuild's
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp -r Kbuild linux "$dir"
rm -rf "$dir/linux/tools"

tap_ok "Kbuild compiles the new files" make -s -C "$objects" ARCH=um M="$dir" KCFLAGS=-Werror
tap_eq "$(cd "$dir/linux" && find . -name '*.c' | sort)" "$(cd "$dir/linux" && find . -name '*.o' | sort | sed 's/o$/c/')" "all of them"

# Whoever includes these where the option is off gets stubs, and no second definition of anything
mkdir "$dir/off"
echo '#undef CONFIG_IO_URING_ZC_RX' >"$dir/off/off.h"
printf '#include %s\n' '<net/zc_rx.h>' '<net/data_pool.h>' '"io_uring/zc_rx.h"' >"$dir/off/stubs.c"
# shellcheck disable=SC2016 # make's
printf '%s\n' 'always-y := stubs.o' 'ccflags-y := -include $(src)/off.h -I$(srctree)' >"$dir/off/Kbuild"
tap_ok "the headers compile without the option" make -s -C "$objects" ARCH=um M="$dir/off" KCFLAGS=-Werror
tap_eq "$(nm --defined-only --extern-only "$dir/off/stubs.o" 2>&1)" '' "and define nothing then"
rm -rf "$dir/off"

if command -v sparse >/dev/null; then
	run make -C "$objects" ARCH=um M="$dir" C=2 CF=-D__CHECK_ENDIAN__
	tap_eq "$(grep -E ': (warning|error): ' <<<"$out")" '' "sparse finds nothing"
	tap_eq "$(grep -c '^  CHECK ' <<<"$out")" "$(cd "$dir/linux" && find . -name '*.c' | wc -l)" "in all of them"
else
	tap_skip "sparse finds nothing" "no sparse (scripts/setup installs it)"
fi
# of functions, structures and enumerations alike: parameters and members without a word, or that
# are not there
source=$(scripts/kernel-tree where zc | sed -n 's/^source //p')
doc_says() { "$source/scripts/kernel-doc" -none -Wall "$@" 2>&1; }
mapfile -t documented < <(find "$dir/linux" -name '*.[ch]')
tap_eq "$(doc_says "${documented[@]}")" '' "kernel-doc finds nothing"
sed 's/^ \* @off: /&\n * @no_such_member: /' linux/include/uapi/linux/io_uring/zc_rx.h >"$dir/wrong.h"
tap_ok "and would" grep -q no_such_member <(doc_says "$dir/wrong.h")
make -s -C "$objects" ARCH=um M="$dir" clean
tap_eq "$(find "$dir" -name '*.o')" '' "clean removes the objects"
tap_done
