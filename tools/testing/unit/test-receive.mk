# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-receive
srcs := test-receive.c
lib := $(addprefix lib/, backend.c copy.c epoll.c rbuf.c rbuf_ring.c upstream.c uring.c)
libs := -luring

include ../../build.mk
