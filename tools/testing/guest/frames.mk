# SPDX-License-Identifier: GPL-2.0-or-later
prog := frames
srcs := frames.c

include ../../build.mk
