# SPDX-License-Identifier: GPL-2.0-or-later
prog := two-ifqs
srcs := two-ifqs.c races-ifq.c
lib := lib/hash.c
libs := -luring -lcrypto

include ../../build.mk
