# SPDX-License-Identifier: GPL-2.0-only
#
# The programs of the sub-page BAR suite. Include this after lib.mk: it then
# adds to what a Makefile has already defined, and clashes with none of its
# rules.

SUBPAGE_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))

SUBPAGE_TEST := $(OUTPUT)/vfio_pci_subpage_test
SUBPAGE_PERF := $(OUTPUT)/vfio_pci_subpage_perf
SUBPAGE_OPEN := $(OUTPUT)/vfio_pci_subpage_open
SUBPAGE_SURVEY := $(OUTPUT)/vfio_pci_subpage_survey
SUBPAGE_UNIT_TEST := $(OUTPUT)/vfio_pci_subpage_unit_test
SUBPAGE_STALE_MAP := $(OUTPUT)/vfio_pci_subpage_stale_map

# Those that are linked with the suite's library, and the others.
SUBPAGE_LINKED := $(SUBPAGE_TEST) $(SUBPAGE_PERF) $(SUBPAGE_OPEN) $(SUBPAGE_UNIT_TEST)

# The survey alone wants libpci, and is left out where that is not installed.
ifeq ($(shell $(CC) -E -include pci/pci.h -x c /dev/null >/dev/null 2>&1 && echo yes),yes)
SUBPAGE_LINKED += $(SUBPAGE_SURVEY)
else
$(warning no pci/pci.h: vfio_pci_subpage_survey is not built: install libpci-dev)
endif

SUBPAGE_PROGS := $(SUBPAGE_LINKED) $(SUBPAGE_STALE_MAP)

# The unit test includes the tests of each folder.
SUBPAGE_C := $(sort $(filter-out %_test.c,$(wildcard $(SUBPAGE_DIR)/*.c $(SUBPAGE_DIR)/*/*.c)))
SUBPAGE_O := $(patsubst $(SUBPAGE_DIR)/%.c,$(OUTPUT)/subpage/%.o,$(SUBPAGE_C))
SUBPAGE_ROOMS := $(sort $(OUTPUT)/subpage $(patsubst %/,%,$(dir $(SUBPAGE_O))))
SUBPAGE_PROGS_O := $(addsuffix .o,$(SUBPAGE_PROGS))
SUBPAGE_ALL_O := $(SUBPAGE_O) $(SUBPAGE_PROGS_O)
SUBPAGE_D := $(SUBPAGE_ALL_O:.o=.d)

# VFIO's headers, as "make headers" installs them. Where nobody has done that,
# here: those of the distribution may be older than iommufd.
SUBPAGE_KHDR_DIRS := $(patsubst -isystem%,%,$(filter-out -isystem,$(KHDR_INCLUDES)))
ifeq ($(wildcard $(addsuffix /linux/vfio.h,$(SUBPAGE_KHDR_DIRS))),)
SUBPAGE_KHDR := $(abspath $(OUTPUT))/khdr
SUBPAGE_UAPI := $(abspath $(top_srcdir))/include/uapi
SUBPAGE_H := $(patsubst $(SUBPAGE_UAPI)/%,$(SUBPAGE_KHDR)/include/%,$(wildcard \
	     $(SUBPAGE_UAPI)/linux/iommufd.h $(SUBPAGE_UAPI)/linux/vfio.h))
KHDR_INCLUDES += -isystem $(SUBPAGE_KHDR)/include
EXTRA_CLEAN += $(SUBPAGE_KHDR)
endif

# lib.mk defines _GNU_SOURCE the same way, but not in every version.
# Functions behind a table of operations have parameters that some do not need.
SUBPAGE_CFLAGS = -std=gnu11 -D_GNU_SOURCE= -Wall -Wextra -Wno-unused-parameter -O2 -g -MD -MP
SUBPAGE_CFLAGS += -I$(SUBPAGE_DIR) -isystem $(selfdir) $(KHDR_INCLUDES)
SUBPAGE_LDLIBS = -ljson-c -lnuma -lm

TEST_GEN_PROGS += $(SUBPAGE_TEST)
TEST_GEN_PROGS_EXTENDED += $(filter-out $(SUBPAGE_TEST),$(SUBPAGE_PROGS))
TEST_FILES += profiles
EXTRA_CLEAN += $(SUBPAGE_ALL_O) $(SUBPAGE_D)

all: $(SUBPAGE_PROGS)

# Below $(OUTPUT), so that it makes that too.
$(SUBPAGE_ROOMS):
	$(Q)mkdir -p $@

ifneq ($(SUBPAGE_H),)
# headers_install.sh runs scripts/unifdef of the current directory.
HOSTCC ?= cc
$(SUBPAGE_KHDR)/scripts/unifdef: $(top_srcdir)/scripts/unifdef.c
	$(call msg,HOSTCC,,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) -O2 $< -o $@

$(SUBPAGE_H): $(SUBPAGE_KHDR)/include/%: $(SUBPAGE_UAPI)/% | $(SUBPAGE_KHDR)/scripts/unifdef
	$(call msg,HDRINST,,$@)
	$(Q)mkdir -p $(@D)
	$(Q)cd $(SUBPAGE_KHDR) && sh $(abspath $(top_srcdir))/scripts/headers_install.sh $< $@
endif

$(SUBPAGE_O): $(OUTPUT)/subpage/%.o: $(SUBPAGE_DIR)/%.c
$(SUBPAGE_PROGS_O): $(OUTPUT)/%.o: %.c
$(SUBPAGE_ALL_O): | $(SUBPAGE_ROOMS) $(SUBPAGE_H)
	$(call msg,CC,,$@)
	$(Q)$(CC) $(SUBPAGE_CFLAGS) $(filter-out -I%,$(CFLAGS)) $(CPPFLAGS) $(TARGET_ARCH) -c $< -o $@

$(SUBPAGE_LINKED): $(SUBPAGE_O)
$(SUBPAGE_LINKED): SUBPAGE_LIBS := $(SUBPAGE_LDLIBS)
$(SUBPAGE_SURVEY): SUBPAGE_LIBS += -lpci
$(SUBPAGE_PROGS): %: %.o
	$(call msg,LINK,,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(TARGET_ARCH) $^ $(SUBPAGE_LIBS) $(LDLIBS) -o $@

# The test looks for its profiles beside itself, also where it is built.
ifneq ($(realpath $(OUTPUT)),$(realpath $(CURDIR)))
SUBPAGE_PROFILES := $(addprefix $(OUTPUT)/,$(wildcard profiles/*.profile))
EXTRA_CLEAN += $(SUBPAGE_PROFILES)

all: $(SUBPAGE_PROFILES)

$(OUTPUT)/profiles: | $(OUTPUT)/subpage
	$(Q)mkdir -p $@

$(SUBPAGE_PROFILES): $(OUTPUT)/%: % | $(OUTPUT)/profiles
	$(Q)cp $< $@
endif

-include $(SUBPAGE_D)
