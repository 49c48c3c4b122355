# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-output
srcs := test-output.c
lib := lib/json.c lib/report.c lib/diag.c lib/ethnl.c lib/look.c lib/nicinfo.c lib/nl.c lib/queues.c lib/cpu.c lib/wrap.c
libs := -lm
cflags := -DTOP='"$(abspath ../../..)"'

include ../../build.mk
