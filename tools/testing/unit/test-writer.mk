# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-writer
srcs := test-writer.c
lib := lib/uring.c lib/writer.c
libs := -luring

include ../../build.mk
