# SPDX-License-Identifier: GPL-2.0-or-later
prog := zc-uapi
srcs := zc-uapi.c pinned.c
libs := -luring

include ../../build.mk
