# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-nic-ctl
srcs := test-nic-ctl.c nic-driver.c nic-frames.c
include nic-core.mk

include ../../build.mk
