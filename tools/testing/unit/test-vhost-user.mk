# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-vhost-user
srcs := test-vhost-user.c
lib := $(addprefix bnxt-emu/,vhost_user.c unix_socket.c virtqueue.c sigbus.c loop.c dma.c)

include ../../build.mk
