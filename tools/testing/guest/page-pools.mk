# SPDX-License-Identifier: GPL-2.0-or-later
prog := page-pools
srcs := page-pools.c genl.c

include ../../build.mk
