# SPDX-License-Identifier: GPL-2.0-or-later
prog := held-pages
srcs := held-pages.c races-ifq.c
lib := lib/pattern.c
libs := -luring -lpthread

include ../../build.mk
