# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-nic-parts
srcs := test-nic-parts.c nic-frames.c
lib := $(addprefix bnxt-emu/,csum.c toeplitz.c dma.c parse.c)

include ../../build.mk
