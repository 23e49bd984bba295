# SPDX-License-Identifier: GPL-2.0-only

# Arguments, as in a kernel tree:
#	KDIR	kernel to build the module for (default: the running one's)
#	V=1	show the commands
#	INSTALL_MOD_PATH, DESTDIR, PREFIX: where to install
# and of kselftest:
#	TARGETS=vfio  WHERE=auto|host|vm  PLATFORM=...  TOPOLOGY=...
# and of report:
#	RESULTS	results.json to draw (default: the latest run's)
#	BEFORE	results.json to compare it with
# and of patches:
#	TREE	kernel source to make the series for
#	OUT	where the series goes (default: build/patches)

KDIR		?= /lib/modules/$(shell uname -r)/build
PREFIX		?= /usr/local
WHERE		?= auto
PLATFORM	?= x86_64-4k
TARGETS		?= vfio
RESULTS		?= build/results/latest/results.json
BEFORE		?=

TREE		?=

BUILD		:= $(CURDIR)/build
DRIVER		:= $(CURDIR)/drivers/vfio/pci/subpage
SUITE		:= $(CURDIR)/tools/testing/selftests/vfio
OUT		?= $(BUILD)/patches
LIBEXEC		:= $(DESTDIR)$(PREFIX)/libexec/vfio-pci-subpage
BIN		:= $(DESTDIR)$(PREFIX)/bin
# Of the suite: what is not there to test this project.
PROGRAMS	:= $(patsubst $(SUITE)/%.c,$(BUILD)/suite/%,$(filter-out %_unit_test.c %_stale_map.c, \
		   $(wildcard $(SUITE)/vfio_pci_subpage_*.c)))

ifeq ($(V),1)
Q :=
else
Q := @
MAKEFLAGS += --no-print-directory -s
endif

.PHONY: all modules modules_install suite survey tools_install install deb kselftest report check check-all check-clients htmldocs patches clean help

all: modules

# The objects of each kernel in a directory of their own: the sources stay
# clean, and two kernels do not rebuild each other's objects.
modules:
	$(Q)scripts/build/module.sh "$(KDIR)" modules

modules_install: modules
	$(Q)scripts/build/module.sh "$(KDIR)" modules_install

suite:
	$(Q)scripts/build/suite.sh "$(BUILD)/suite"

# What it finds is its exit code, and no failure of make.
survey:
	$(Q)scripts/packages.sh build
	$(Q)scripts/build/suite.sh "$(BUILD)/suite"
	$(Q)$(BUILD)/suite/vfio_pci_subpage_survey || [ $$? != 2 ]

install: modules_install tools_install

# Commands, each also in bin under the name that its manual page has.
tools_install: suite
	$(Q)install -d "$(LIBEXEC)/profiles" "$(LIBEXEC)/report" "$(BIN)"
	$(Q)install -m 755 $(PROGRAMS) scripts/vfio-*.sh scripts/report.py "$(LIBEXEC)"
	$(Q)install -m 644 scripts/lib.sh scripts/bindings.sh scripts/results.sh "$(LIBEXEC)"
	$(Q)install -m 644 $(SUITE)/profiles/*.profile "$(LIBEXEC)/profiles"
	$(Q)install -m 644 scripts/report/*.py "$(LIBEXEC)/report"
	$(Q)for file in $(notdir $(PROGRAMS) $(wildcard scripts/vfio-*.sh)); do \
		ln -sf "../libexec/vfio-pci-subpage/$$file" \
			"$(BIN)/$$(basename "$$file" .sh | tr _ -)"; \
	done
	$(Q)ln -sf ../libexec/vfio-pci-subpage/report.py "$(BIN)/vfio-pci-subpage-report"

deb:
	$(Q)scripts/package/deb.sh

kselftest:
	$(Q)WHERE="$(WHERE)" PLATFORM="$(PLATFORM)" scripts/kselftest.sh "$(TARGETS)"

# Whoever has matplotlib from elsewhere needs no package.
report:
	$(Q)/usr/bin/python3 -c 'import matplotlib' 2>/dev/null || scripts/packages.sh report
	$(Q)scripts/report.py $(if $(BEFORE),"$(BEFORE)" --compare) "$(RESULTS)"

check:
	$(Q)scripts/check.sh

check-all:
	$(Q)ALL=1 scripts/check.sh

check-clients:
	$(Q)scripts/check.sh clients life

htmldocs:
	$(Q)scripts/build/docs.sh "$(BUILD)/docs"

patches:
	$(Q)scripts/patches/series.sh "$(TREE)" "$(OUT)"

clean:
	$(Q)rm -rf "$(BUILD)"

help:
	@echo 'make kselftest TARGETS=vfio  run the suite on this host or in the reference VM'
	@echo '                             (WHERE=auto|host|vm, PLATFORM=x86_64-4k|...|all,'
	@echo '                             TOPOLOGY=main|window-full|scale|...)'
	@echo 'make report                  draw report.html beside the latest results (RESULTS=, BEFORE=)'
	@echo 'make check                   run the tests, half an hour; ends with a line of totals'
	@echo 'make check-all               the same on every platform'
	@echo 'make check-clients           QEMU with real guests, DPDK, and a Debian 13 that is booted'
	@echo 'make survey                  list BARs of this host that are smaller than a page'
	@echo 'make modules                 build vfio_pci_subpage.ko (KDIR=, V=1)'
	@echo 'make modules_install         install the module (INSTALL_MOD_PATH=)'
	@echo 'make install                 the module, the suite, the survey and scripts (PREFIX=, DESTDIR=)'
	@echo 'make tools_install           all of these but the module (PREFIX=, DESTDIR=)'
	@echo 'make deb                     build Debian packages of module and suite into build/deb'
	@echo 'make suite                   build the suite only'
	@echo 'make htmldocs                build the documentation'
	@echo 'make patches TREE=...        write the series for a kernel tree into build/patches (OUT=)'
	@echo 'make clean                   remove build/; caches are kept'
