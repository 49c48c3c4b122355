# SPDX-License-Identifier: GPL-2.0-or-later
# "make help" tells what there is. Variables:
#   JOBS=N       compilers at once (default: number of CPUs)
#   KSRC=DIR     another 6.12 kernel source, directory or tar file
#   VARIANT=...  gcc (default), clang, asan: which compiler for "make tools"
#   TEST_JOBS=N  tests at once (default: 2, or 1 with JOBS=1)
#   TESTS=...    run only these tests of "make check"
#   PLANTS=...   only these of "make plants"
#   SLOW=N       let things take N times longer in "make check-smp" (default 5, for QEMU without
#                KVM)
#   PREFIX=DIR   where "make install" puts things (default /usr/local); DESTDIR=DIR in front of all; bindir,
#                sbindir, mandir, completionsdir and docdir one by one
#   SECONDS=N    how long "make fuzz" runs each target (default 60), and "make bench"
#                measures each line (default 2)

SHELL := /bin/bash
JOBS ?= $(shell nproc)
# more than two have not been tried
TEST_JOBS ?= $(if $(filter 1,$(JOBS)),1,2)
VARIANT ?= gcc
export JOBS KSRC

programs := $(patsubst tools/%/Makefile,%,$(wildcard tools/*/Makefile))
guest := $(sort $(patsubst tools/testing/guest/%.mk,%,$(wildcard tools/testing/guest/*.mk)))
unit := $(sort $(patsubst tools/testing/unit/%.mk,%,$(wildcard tools/testing/unit/test-*.mk)))
# all processors, unless a make above hands out jobs already
sub = +@$(MAKE) --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(JOBS))

# Tests that need no other kernel, and all
fast_tests := $(unit:%=build/asan/%) $(sort $(wildcard tools/testing/unit/test-*.sh tools/testing/static/*.sh tools/testing/fuzz/*.sh \
	tools/testing/hostile/*.sh)) tools/testing/bench/smoke.sh
# those that two at once may run of come first, those that need the kernel built beside them last
every_e2e := $(filter-out %lib.sh %/peer.sh,$(sort $(wildcard tools/testing/e2e/*.sh)))
# dice, thousands of orders, each allocation: they find more the longer they run
long_tests := $(shell grep -lx '\# long' $(every_e2e))
# what User Mode Linux cannot do
smp_only := $(shell grep -lx '\# smp' $(every_e2e))
e2e_tests := $(filter-out $(long_tests) $(smp_only),$(every_e2e))
alone := $(shell grep -lx '\# alone' $(e2e_tests))
late := tools/testing/e2e/driver.sh tools/testing/e2e/matrix.sh tools/testing/e2e/upstream.sh
all_tests := $(fast_tests) $(sort $(wildcard tools/testing/series/*.sh)) \
	$(filter-out $(alone),$(e2e_tests)) $(filter-out $(late),$(alone)) $(late)

# on several processors, with QEMU: all that boot guests, but that of User Mode Linux's machine
smp_tests := $(filter-out $(long_tests) tools/testing/e2e/vm.sh,$(shell grep -l '^[[:blank:]]*need_kernel ' $(every_e2e)))
SLOW ?= 5

PREFIX ?= /usr/local
bindir ?= $(PREFIX)/bin
sbindir ?= $(PREFIX)/sbin
mandir ?= $(PREFIX)/share/man
completionsdir ?= $(PREFIX)/share/bash-completion/completions
docdir ?= $(PREFIX)/share/doc/zcrx

.PHONY: help install uninstall deb setup setup-compile tools unit-tests guest-tests test-kernels linux series demo screenshots check check-fast check-long check-smp plants fuzz bench bench-disk clean
.PHONY: $(programs:%=program-%) $(guest:%=guest-%) $(unit:%=unit-%)

help:
	@echo 'make demo        receive a stream without a copy, on an emulated NIC'
	@echo 'make check       all tests but the long ones'
	@echo 'make check-fast  those that need no other kernel'
	@echo 'make check-long  those that are the better the longer they run: lifetimes, faults, fuzzing'
	@echo 'make check-smp   those that boot guests, on two processors in QEMU (an hour without KVM)'
	@echo 'make plants      put known bugs into the kernel, one at a time: do tests find them? (an hour)'
	@echo 'make fuzz        fuzz the emulated NIC (SECONDS=N for each target, default 60)'
	@echo 'make bench       speed of the emulated NIC (SECONDS=N for each line, default 2)'
	@echo 'make bench-disk  from the emulated NIC to ext4 and xfs without a copy, beside fio'
	@echo 'make tools       the programs, in build/gcc (VARIANT=clang, VARIANT=asan: in build/clang, ...)'
	@echo 'make install     put receiver, sender and zcrx-flow into PREFIX (/usr/local)'
	@echo 'make uninstall   take them away again'
	@echo 'make deb         the same as a Debian package, in build/deb'
	@echo 'make linux       the kernel with the series, for User Mode Linux'
	@echo 'make series      the series as mails, in build/series'
	@echo 'make screenshots pictures of the tools on a terminal, in build/screenshots'
	@echo 'make setup       install the Debian packages that all this needs'
	@echo 'make clean       remove build/ (not the kernels, which are in ~/.cache/zcrx)'

# Without root this names what is missing; what can be run is run all the same
setup:
	@scripts/setup || [ $$? -eq 3 ]

# What it takes to begin with; the rest is installed beside the compilers
setup-compile:
	@[ "$$(id -u)" -ne 0 ] || scripts/setup --compile || [ $$? -eq 3 ]

tools:
	$(sub) $(programs:%=program-%) VARIANT=$(VARIANT)

$(programs:%=program-%): program-%:
	@$(MAKE) --no-print-directory -C tools/$* VARIANT=$(VARIANT)

unit-tests:
	$(sub) $(unit:%=unit-%) VARIANT=asan

$(unit:%=unit-%): unit-%:
	@$(MAKE) --no-print-directory -C tools/testing/unit -f $*.mk VARIANT=$(VARIANT)

# What a machine needs that receives or sends; the emulated NIC and the guests are for those who
# have the source. The sections of man pages are the ends of their names.
installed_bin := zcrx-recv zcrx-send
installed_sbin := build/$(VARIANT)/zcrx-split scripts/zcrx-flow
installed_man := $(wildcard Documentation/man/*.[1-8])
installed_completion := zcrx-recv zcrx-send zcrx-flow
installed_doc := README Documentation/diagnostics.rst
man_file = $(DESTDIR)$(mandir)/man$(subst .,,$(suffix $1))/$(notdir $1)
man_files := $(foreach m,$(installed_man),$(call man_file,$m))

install: program-zcrx-recv program-zcrx-send program-zcrx-split
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(sbindir) $(sort $(dir $(man_files))) \
		$(DESTDIR)$(completionsdir) $(DESTDIR)$(docdir)
	install -m 755 $(installed_bin:%=build/$(VARIANT)/%) $(DESTDIR)$(bindir)
	install -m 755 $(installed_sbin) $(DESTDIR)$(sbindir)
	@set -e $(foreach m,$(installed_man),; install -m 644 $m $(call man_file,$m))
	install -m 644 tools/completion/zcrx.bash $(DESTDIR)$(completionsdir)/zcrx-recv
	@set -e; for f in $(filter-out zcrx-recv,$(installed_completion)); do \
		ln -sf zcrx-recv $(DESTDIR)$(completionsdir)/$$f; done
	install -m 644 $(installed_doc) $(DESTDIR)$(docdir)

# Directories stay, but for the one that has no other owner
uninstall:
	rm -f $(installed_bin:%=$(DESTDIR)$(bindir)/%) $(addprefix $(DESTDIR)$(sbindir)/,$(notdir $(installed_sbin))) \
		$(man_files) $(installed_completion:%=$(DESTDIR)$(completionsdir)/%) \
		$(addprefix $(DESTDIR)$(docdir)/,$(notdir $(installed_doc)))
	-@rmdir $(DESTDIR)$(docdir) 2>/dev/null || true

# In a copy of the source, with the flags of the distribution
deb:
	@scripts/deb

# What the end-to-end tests run in the guest
guest-tests:
	$(sub) $(guest:%=guest-%)
	$(sub) -C tools/testing/bench -f xdp-load.mk VARIANT=gcc

$(guest:%=guest-%): guest-%:
	@$(MAKE) --no-print-directory -C tools/testing/guest -f $*.mk VARIANT=gcc

# Beside the tools: not all that it takes to make a kernel is done by several processes, and
# dpkg mostly waits for the disk
test-kernels:
	@scripts/kernel-tree build stock >/dev/null || true
	@scripts/kernel-tree build zc >/dev/null || true

linux: setup
	@scripts/kernel-tree build zc

series: setup
	@scripts/kernel-tree series build/series
	@scripts/kernel-tree check-series build/series

demo: setup
	$(sub) tools
	@scripts/demo

# With packages of its own
screenshots: setup
	@[ "$$(id -u)" -ne 0 ] || scripts/setup --screenshots
	$(sub) tools
	@scripts/screenshots

# A kernel that does not build is a failure of the tests that boot it. Most of the tests wait
# more than they compute: "upstream", which only the last ones boot, is built meanwhile.
check: setup-compile
	$(sub) -k setup test-kernels tools unit-tests guest-tests || true
	@tools/testing/run --jobs $(TEST_JOBS) --beside 'scripts/kernel-tree build upstream' $(if $(TESTS),$(TESTS),$(all_tests))

check-fast:
	$(sub) -k tools unit-tests || true
	@tools/testing/run --jobs $(TEST_JOBS) $(if $(TESTS),$(TESTS),$(fast_tests))

# With the variables that each of them has they go on for as long as one likes
check-long: setup
	$(sub) -k tools guest-tests || true
	@tools/testing/run --log build/check-long $(if $(TESTS),$(TESTS),$(long_tests))

check-smp: setup
	$(sub) -k tools guest-tests || true
	@scripts/kernel-tree build zc-x86 >/dev/null || true
	@ZCRX_TEST_ARCH=x86_64 ZCRX_TEST_SLOW=$(SLOW) tools/testing/run --log build/check-smp --slow $(SLOW) $(if $(TESTS),$(TESTS),$(smp_tests))

# One after the other: each takes a kernel
plants: setup
	$(sub) tools guest-tests
	@tools/testing/plants/run $(PLANTS)

# from the command line only: shells have a variable of that name
fuzz:
	@tools/testing/fuzz/campaign run --seconds $(if $(findstring command,$(origin SECONDS)),$(SECONDS),60)

# One after the other, on a machine that has nothing else to do
bench: setup
	$(sub) program-bnxt-emu program-vm-agent
	$(sub) -C tools/testing/bench -f bench-nic.mk VARIANT=gcc
	$(sub) -C tools/testing/bench -f xdp-load.mk VARIANT=gcc
	@build/gcc/bench-nic --seconds $(or $(SECONDS),2)
	@echo
	@ZCRX_BENCH_SECONDS=$(or $(SECONDS),2) tools/testing/bench/xdp.sh

# The first time it compiles a kernel, which no test boots
bench-disk: setup
	$(sub) tools guest-page-pools
	@tools/testing/bench/disk.sh

clean:
	rm -rf build
