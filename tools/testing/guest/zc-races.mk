# SPDX-License-Identifier: GPL-2.0-or-later
prog := zc-races
srcs := zc-races.c races-recv.c races-hand.c races-ifq.c genl.c rng.c
lib := lib/pattern.c
libs := -luring -lpthread

include ../../build.mk
