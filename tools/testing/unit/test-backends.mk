# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-backends
srcs := test-backends.c
lib := bnxt-emu/loop.c bnxt-emu/be_pair.c bnxt-emu/be_tap.c

include ../../build.mk
