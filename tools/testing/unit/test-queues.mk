# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-queues
srcs := test-queues.c
lib := lib/queues.c

include ../../build.mk
