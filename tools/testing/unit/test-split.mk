# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-split
srcs := test-split.c
lib := zcrx-split/change.c
cflags = -I$(tools)/zcrx-split

include ../../build.mk
