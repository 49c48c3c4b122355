# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-vfio-user
srcs := test-vfio-user.c
lib := $(addprefix bnxt-emu/,vfio_user.c vfio_dma.c vfio_irq.c unix_socket.c pci.c sigbus.c loop.c dma.c)
libs := -pthread
cflags := -pthread

include ../../build.mk
