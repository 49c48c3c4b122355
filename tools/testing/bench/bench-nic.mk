# SPDX-License-Identifier: GPL-2.0-or-later
prog := bench-nic
srcs := bench-nic.c bench-rx.c bench-tx.c
include ../unit/nic-core.mk
lib += bnxt-emu/pcap.c testing/unit/nic-driver.c testing/unit/nic-frames.c

# what the table says of itself
cflags = -DBENCH_CFLAGS='"$(CFLAGS)"'

include ../../build.mk
