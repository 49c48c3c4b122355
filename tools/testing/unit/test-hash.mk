# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-hash
srcs := test-hash.c
lib := lib/hash.c
libs := -lcrypto

include ../../build.mk
