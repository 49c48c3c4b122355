# SPDX-License-Identifier: GPL-2.0-or-later
prog := devmem-bind
srcs := devmem-bind.c
lib := lib/nl.c

include ../../build.mk
