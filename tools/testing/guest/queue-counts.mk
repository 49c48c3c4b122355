# SPDX-License-Identifier: GPL-2.0-or-later
prog := queue-counts
srcs := queue-counts.c

include ../../build.mk
