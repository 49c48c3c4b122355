# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-control
srcs := test-control.c
lib := bnxt-emu/control.c bnxt-emu/unix_socket.c bnxt-emu/ctl.c bnxt-emu/loop.c
libs := -pthread
cflags := -pthread

include ../../build.mk
