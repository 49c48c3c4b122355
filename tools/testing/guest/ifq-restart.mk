# SPDX-License-Identifier: GPL-2.0-or-later
prog := ifq-restart
srcs := ifq-restart.c
lib := lib/backend.c lib/copy.c lib/diag.c lib/epoll.c lib/ethnl.c lib/look.c lib/nicinfo.c lib/nl.c lib/queues.c lib/rbuf.c lib/rbuf_ring.c lib/upstream.c lib/uring.c lib/wrap.c
libs := -luring

include ../../build.mk
