# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-writer
srcs := test-writer.c
lib := lib/writer.c

include ../../build.mk
