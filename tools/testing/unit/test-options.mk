# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-options
srcs := test-options.c
lib := lib/options.c

include ../../build.mk
