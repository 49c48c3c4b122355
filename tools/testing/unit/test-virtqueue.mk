# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-virtqueue
srcs := test-virtqueue.c
lib := bnxt-emu/virtqueue.c bnxt-emu/dma.c

include ../../build.mk
