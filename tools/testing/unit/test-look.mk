# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-look
srcs := test-look.c
lib := lib/diag.c lib/look.c lib/nicinfo.c lib/nl.c lib/queues.c lib/wrap.c

include ../../build.mk
