# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-netlink
srcs := test-netlink.c
lib := lib/nl.c

include ../../build.mk
