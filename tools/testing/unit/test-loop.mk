# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-loop
srcs := test-loop.c
lib := bnxt-emu/loop.c

include ../../build.mk
