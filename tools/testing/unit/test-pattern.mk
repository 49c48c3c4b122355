# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-pattern
srcs := test-pattern.c
lib := lib/pattern.c

include ../../build.mk
