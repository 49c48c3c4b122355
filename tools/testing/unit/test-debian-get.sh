#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# scripts/debian-get, with an apt that pretends: which package of which suite, both
# layouts of kernel packages, what is kept, and what cannot be had

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
tool=$here/../../../scripts/debian-get

command -v dpkg-deb >/dev/null || tap_skip_all "no dpkg-deb"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export ZCRX_CACHE=$dir/cache
unset ZCRX_QEMU

# FAKE_SUITES: what each suite has, such as "trixie=6.12.8+deb13 forky=qemu,7.3.4"; one that
# is not there cannot be read. Kernels of a release above 7 have modules and configuration apart. A "qemu-old"
# has no vfio-user-pci. FAKE_BROKEN is a suite of which only the first package can be fetched
mkdir "$dir/fake"
cat >"$dir/fake/apt-get" <<'FAKE'
#!/bin/bash
own=$(dirname "$APT_CONFIG" 2>/dev/null)
suite=$(sed -n 's/^Suites: \([^ ]*\).*/\1/p' "$own/sources/zcrx.sources" 2>/dev/null)
has=$(tr ' ' '\n' <<<"$FAKE_SUITES" | sed -n "s/^$suite=//p")
name=${!#}
pack() { # NAME
	printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' \
		"$1" | install -D -m 644 /dev/stdin pkg/DEBIAN/control
	dpkg-deb -b pkg "$1.deb" >/dev/null
	rm -rf pkg
}
one() { # NAME: makes the package
	local version=${1#linux-*-} at=boot
	case $1 in
	qemu-system-x86)
		mkdir -p pkg/usr/bin pkg/usr/lib64
		: >pkg/usr/bin/qemu-system-x86_64
		printf "#!/bin/sh\necho '%s'\n" "$(grep -q qemu-old <<<"$has" || echo 'name "vfio-user-pci"')" \
			>pkg/usr/lib64/ld-linux-x86-64.so.2
		chmod 755 pkg/usr/lib64/* ;;
	linux-modules-*)
		at=pkg/usr/lib/modules/$version
		mkdir -p "$at"
		echo new >"$at/vmlinuz" ;;
	linux-base-*)
		at=pkg/usr/lib/modules/$version
		mkdir -p "$at"
		echo CONFIG_NEW=y >"$at/config" ;;
	linux-image-7*) mkdir -p pkg/usr/share ;;
	linux-image-*)
		mkdir -p pkg/boot "pkg/lib/modules/$version"
		echo old >"pkg/boot/vmlinuz-$version"
		echo CONFIG_OLD=y >"pkg/boot/config-$version" ;;
	esac
	pack "$1"
}
case "$*" in
*indextargets*) [ -n "${FAKE_NO_LISTS:-}" ] || echo 'Debian main stable http://mirror.invalid/debian/' ;;
*update*) [ -n "$has" ] || { echo "W: Temporary failure resolving 'mirror.invalid'"; exit 100; } ;;
*' install '*)
	case $name in
	qemu*) ! grep -q qemu <<<"$has" || echo "Inst $name (1 x)" ;;
	esac ;;
*download*)
	shift $(($# - 1 - $(printf '%s\n' "$@" | grep -c '^linux\|^qemu') + 1))
	for name; do
		one "$name"
		[ "$suite" != "${FAKE_BROKEN:-}" ] || exit 100
	done ;;
esac
FAKE
cat >"$dir/fake/apt-cache" <<'FAKE'
#!/bin/bash
suite=$(sed -n 's/^Suites: \([^ ]*\).*/\1/p' "$(dirname "$APT_CONFIG")/sources/zcrx.sources")
tr ' ' '\n' <<<"$FAKE_SUITES" | sed -n "s/^$suite=//p" | tr , '\n' |
	sed -n 'h; s/^[0-9].*/linux-image-&-amd64/p; g; s/^7.*[^a-z]$/linux-modules-&-amd64\nlinux-base-&-amd64/p' | grep "^$2"
FAKE
printf '#!/bin/sh\necho Acquire::Retries 7\\;\n' >"$dir/fake/apt-config"
# the machine's own QEMU is of no interest
printf '#!/bin/sh\nexit 1\n' >"$dir/fake/qemu-system-x86_64"
printf '#!/bin/sh\necho name \\"vfio-user-pci\\"\n' >"$dir/good-qemu"
chmod +x "$dir/fake"/* "$dir/good-qemu"
# shellcheck disable=SC2317 # called by way of tap_ok
get() { PATH=$dir/fake:$PATH FAKE_SUITES=$1 "$tool" "${@:2}"; }

tap_fails "nothing asked" 'usage: debian-get' get ''
tap_eq "$status" 2 "which is wrong usage"
tap_fails "something that it does not know" 'nope is not known' get '' nope

tap_fails "no suite has it" 'none of trixie bookworm-backports gave one' \
	get 'trixie=6.11.2+deb13,6.12.9+deb13-cloud,6.12.9+deb13-rt bookworm-backports=7.3.4+deb13' kernel-6.12
tap_eq "$status" 3 "which is exit status 3"
tap_fails "a machine that is offline" 'offline' get '' kernel-6.12
FAKE_NO_LISTS=1 tap_fails "no mirror that is known" 'name no Debian mirror' get 'trixie=6.12.8+deb13' kernel-6.12
tap_eq "$(find "$dir/cache/debian" -mindepth 1 -type d)" '' "nothing is left of that"

tap_ok "a kernel" get 'trixie=6.12.8+deb13,6.12.10+deb13,6.12.9+deb13-cloud bookworm-backports=6.12.99+deb12' kernel-6.12
kernel=$dir/cache/debian/kernel-6.12
tap_eq "$(tail -n 1 <<<"$out")" "$kernel" "prints where it is"
tap_eq "$(cat "$kernel/vmlinuz" "$kernel/config" | xargs):$(ls "$kernel/lib/modules")" \
	"old CONFIG_OLD=y:6.12.10+deb13-amd64" "the newest of the first suite: kernel, configuration, modules"
tap_ok "the modules have a map" test -f "$kernel/lib/modules/6.12.10+deb13-amd64/modules.dep"
tap_ok "another time it needs no network" get '' kernel-6.12
tap_ok "a second suite, and modules in a package of their own" get 'forky=7.3.4+deb14' kernel-7.3
kernel=$dir/cache/debian/kernel-7.3
tap_eq "$(cat "$kernel/vmlinuz" "$kernel/config" | xargs):$(ls "$kernel/lib/modules")" \
	"new CONFIG_NEW=y:7.3.4+deb14-amd64" "in their layout"
FAKE_BROKEN=forky tap_ok "what a suite gave in part" get 'forky=7.3.4+deb14 sid=7.3.5+deb14' --update kernel-7.3
tap_eq "$(ls "$kernel/lib/modules"):$(find "$kernel" -name '*7.3.4*')" 7.3.5+deb14-amd64: "does not get into that of another"
tap_ok "--update fetches again" get 'trixie-backports=7.3.9+deb13' --update kernel-7.3
tap_eq "$(ls "$kernel/lib/modules")" 7.3.9+deb13-amd64 "and takes the place of what was there"
tap_fails "an old version, of which the suite has not everything any more" 'no more of it than linux-image-7.0.1' \
	get 'trixie-backports=7.0.1+gone' kernel-7.0
tap_eq "$status" 3 "which is exit status 3"
tap_fails "an update that fails" 'offline' get '' --update kernel-7.3
tap_eq "$(ls "$kernel/lib/modules")" 7.3.9+deb13-amd64 "leaves it"

ZCRX_QEMU=$dir/good-qemu tap_ok "a QEMU that is named" get '' qemu
tap_eq "$out" "$dir/good-qemu" "is the one"
ZCRX_QEMU=/bin/true tap_fails "one that is too old" '/bin/true has no vfio-user-pci' get '' qemu
tap_eq "$status" 3 "cannot be had"
tap_fails "no suite has a QEMU" 'none of trixie-backports.trixie forky sid gave one' \
	get 'trixie-backports=qemu-old forky=7.3.4' qemu
tap_ok "a suite whose QEMU is too old, and another" get 'trixie-backports=qemu-old sid=qemu' qemu
tap_eq "$(tail -n 1 <<<"$out")" "$dir/cache/debian/qemu/qemu-system-x86_64" "prints the program"
tap_eq "$(find "$dir/cache/debian" -maxdepth 1 -name 'tmp.*')" '' "no temporary files stay"
tap_done
