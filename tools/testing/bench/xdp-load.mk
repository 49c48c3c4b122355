# SPDX-License-Identifier: GPL-2.0-or-later
prog := xdp-load
srcs := xdp-load.c

include ../../build.mk
