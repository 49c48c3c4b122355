# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-stats
srcs := test-stats.c
lib := lib/stats.c

include ../../build.mk
