# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-rings
srcs := test-rings.c
lib := lib/rbuf_ring.c
libs := -pthread

include ../../build.mk
