#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# alone
#
# The benchmark of the emulated NIC, for a moment: every byte of every line of its
# table comes out right. How fast is not judged here

set -u
here=$(cd "$(dirname "$0")" && pwd)

if ! said=$(make -s -C "$here" -f bench-nic.mk VARIANT=gcc 2>&1); then
	echo "Bail out! bench-nic does not build: $said"
	exit 1
fi
exec "$here/../../../build/gcc/bench-nic" --check
