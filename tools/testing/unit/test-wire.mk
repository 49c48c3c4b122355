# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-wire
srcs := test-wire.c nic-frames.c
lib := $(addprefix bnxt-emu/,wire.c faults.c gso.c parse.c csum.c)

include ../../build.mk
