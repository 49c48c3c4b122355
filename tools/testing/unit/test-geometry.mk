# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-geometry
srcs := test-geometry.c
lib := lib/geometry.c

include ../../build.mk
