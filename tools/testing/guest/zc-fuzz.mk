# SPDX-License-Identifier: GPL-2.0-or-later
prog := zc-fuzz
srcs := zc-fuzz.c fuzz-world.c fuzz-uring.c fuzz-reg.c fuzz-rings.c fuzz-hand.c rng.c
libs := -lpthread

include ../../build.mk
