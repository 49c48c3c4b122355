# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-shape
srcs := test-shape.c
lib := zcrx-send/shape.c lib/geometry.c
cflags = -I$(tools)/zcrx-send

include ../../build.mk
