# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-nic
srcs := test-nic.c nic-driver.c nic-frames.c
include nic-core.mk

include ../../build.mk
