# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-faults
srcs := test-faults.c
lib := bnxt-emu/faults.c
libs := -lm

include ../../build.mk
