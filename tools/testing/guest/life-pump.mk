# SPDX-License-Identifier: GPL-2.0-or-later
prog := life-pump
srcs := life-pump.c
lib := lib/pattern.c

include ../../build.mk
