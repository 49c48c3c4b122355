# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-pci
srcs := test-pci.c
lib := bnxt-emu/pci.c

include ../../build.mk
