# SPDX-License-Identifier: GPL-2.0-or-later
prog := xsk-bind
srcs := xsk-bind.c

include ../../build.mk
