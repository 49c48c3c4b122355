# SPDX-License-Identifier: GPL-2.0-or-later
prog := test-nic-steer
srcs := test-nic-steer.c nic-driver.c nic-frames.c
include nic-core.mk

include ../../build.mk
