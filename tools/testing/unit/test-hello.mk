# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-hello
srcs := test-hello.c
lib := $(addprefix lib/, diag.c ethnl.c geometry.c hello.c look.c nicinfo.c nl.c queues.c wrap.c)

include ../../build.mk
