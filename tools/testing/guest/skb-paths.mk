# SPDX-License-Identifier: GPL-2.0-or-later
prog := skb-paths
srcs := skb-paths.c paths-user.c paths-feed.c paths-sock.c paths-upper.c paths-tap.c paths-net.c paths-nfq.c paths-bpf.c genl.c pinned.c
lib := lib/backend.c lib/copy.c lib/epoll.c lib/pattern.c lib/rbuf.c lib/rbuf_ring.c lib/upstream.c lib/uring.c
libs := -luring -lpthread

include ../../build.mk
