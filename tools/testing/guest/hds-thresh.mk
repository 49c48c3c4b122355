# SPDX-License-Identifier: GPL-2.0-or-later
prog := hds-thresh
srcs := hds-thresh.c
lib := lib/nl.c

include ../../build.mk
