# SPDX-License-Identifier: GPL-2.0-or-later
prog := zc-life
srcs := zc-life.c life-judge.c life-orders.c life-rounds.c life-user.c life-nic.c life-watch.c races-ifq.c genl.c pinned.c
lib := lib/pattern.c
libs := -luring

include ../../build.mk
