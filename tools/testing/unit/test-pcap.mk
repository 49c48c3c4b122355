# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-pcap
srcs := test-pcap.c
lib := bnxt-emu/pcap.c bnxt-emu/pcap_read.c bnxt-emu/be_replay.c

include ../../build.mk
