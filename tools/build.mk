# SPDX-License-Identifier: GPL-2.0-or-later
# Rules shared by the user space programs. A directory's Makefile sets
#   prog := NAME          the program's name
#   srcs := FILES         its own sources
#   lib  := FILES         sources of other directories, relative to tools/
#   libs := -lFOO         libraries
# and includes this file. Variables of the caller:
#   O=DIR        where to build (default: build/ at the top, one directory a variant)
#   VARIANT=...  gcc (default), clang, asan (gcc with address and undefined behaviour sanitizers),
#                tsan (gcc with the thread sanitizer),
#                fuzz (clang, those two and libFuzzer, for tools/testing/fuzz), gcov (gcc, counts lines)

tools := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
top := $(abspath $(tools)/..)
VARIANT ?= gcc
O ?= $(top)/build/$(VARIANT)

comma := ,
CC := $(if $(filter clang fuzz,$(VARIANT)),clang,gcc)
san := $(if $(filter asan fuzz,$(VARIANT)),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
san += $(if $(filter tsan,$(VARIANT)),-fsanitize=thread)
san += $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer) $(if $(filter gcov,$(VARIANT)),--coverage)
CFLAGS ?= -O2 -g
all_cflags = -std=gnu11 -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith \
	-Wno-missing-field-initializers -D_GNU_SOURCE -I$(tools)/lib -I$(top)/linux/include/uapi \
	$(CFLAGS) $(san) $(cflags) -MMD -MP

out := $(O)/obj/$(prog)
objs := $(patsubst %.c,$(out)/%.o,$(srcs)) $(patsubst %.c,$(out)/_/%.o,$(lib))

.PHONY: all
all: $(O)/$(prog)

$(O)/$(prog): $(objs)
	$(CC) $(san) -o $@ $^ $(LDFLAGS) $(libs)

$(out)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(all_cflags) -c -o $@ $<

$(out)/_/%.o: $(tools)/%.c
	@mkdir -p $(@D)
	$(CC) $(all_cflags) -c -o $@ $<

-include $(objs:.o=.d)
