# Sonde. `make help` says what there is to make.
#
# One graph, no recursion but one: on a Debian older than 13 (and as root) make runs itself
# again inside build/devroot, a Debian 13 tree that scripts/devroot made.
# Everything is built below build/<variant>/, a variant being the machine and the
# sanitizers: x86_64, x86_64-thread, aarch64 ... stand side by side.

MAKEFLAGS += --no-print-directory --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

GOALS := $(or $(MAKECMDGOALS),all)
# The data sets of `make eval`; some tests use them where they are.
DATA ?= ../shared/data
export DATA
ifneq ($(filter eval,$(GOALS)),)
ifeq ($(wildcard $(DATA)/dev.tar.xz),)
$(error make eval needs the data sets: no dev.tar.xz in $(DATA) (DATA=folder names another))
endif
endif
OUTSIDE := $(shell . scripts/lib.sh; test -e /etc/sonde-devroot || host_is_baseline || ! command -v dpkg-query >/dev/null || echo outside)

ifneq ($(filter-out help clean distclean,$(GOALS)),)
ifdef OUTSIDE
NEED_INNER := yes
endif
endif

ifdef NEED_INNER
# ---- outside: hand every goal to the same Makefile inside -------------------
.PHONY: $(GOALS) inside
$(GOALS): inside ; @:
inside:
	@scripts/setup build
	+@SONDE_BIND='$(wildcard $(abspath $(DATA)))' scripts/devroot run $(MAKE) $(GOALS)
else
# ---- inside -----------------------------------------------------------------

PREFIX ?= /usr
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
V ?= 0
ifeq ($(V),0)
Q := @
say = @printf '  %-7s %s\n' '$(1)' '$(2)';
else
say =
endif

comma := ,
MACHINE := $(if $(CROSS_COMPILE),$(firstword $(subst -, ,$(CROSS_COMPILE))),$(shell uname -m))
VARIANT := $(MACHINE)$(if $(SAN),-$(subst $(comma),-,$(SAN)))
B := build/$(VARIANT)

# The golden vectors are compared on arm64 too, so `make test` has two variants.
ARM := aarch64
VARIANTS := $(VARIANT)
ifneq ($(filter test test-vm check-arm64,$(GOALS)),)
ifneq ($(MACHINE)$(SAN),$(ARM))
VARIANTS += $(ARM)
endif
endif

# Nothing below runs before the packages are there; build/setup-* remembers that
# this list of packages was seen to.
SETUP := build/.setup-build
ifneq ($(filter test test-vm check-arm64 fuzz,$(GOALS))$(CROSS_COMPILE),)
SETUP += build/.setup-test
endif
ifneq ($(filter test-vm,$(GOALS)),)
SETUP += build/.setup-vm
endif
ifneq ($(filter run,$(GOALS)),)
SETUP += build/.setup-run
endif
ifneq ($(filter eval,$(GOALS)),)
SETUP += build/.setup-eval
endif
ifneq ($(filter bench,$(GOALS)),)
SETUP += build/.setup-bench
PEERS := onnxruntime onednn pytorch
endif
ifndef SONDE_NO_SETUP
ifneq ($(filter-out help clean distclean,$(GOALS)),)
SETUP_DONE := $(foreach s,$(SETUP),$(shell test $(s) -nt scripts/packages || { mkdir -p build && scripts/setup $(s:build/.setup-%=%) >&2 && touch $(s) || echo failed; }))
ifneq ($(strip $(SETUP_DONE)),)
$(error the packages could not be installed)
endif
# A peer that can not be had is named by the benchmark, and is no reason not to measure the others.
PEERS_DONE := $(foreach p,$(PEERS),$(shell test build/.setup-bench-$p -nt scripts/packages || { scripts/setup bench-$p >&2 && touch build/.setup-bench-$p; }))
endif
endif

WARN := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes \
	-Wno-unused-parameter -Wno-missing-field-initializers
BASE_CFLAGS := -std=gnu17 -O2 -g $(WARN) -ffp-contract=off -fno-math-errno -fno-trapping-math \
	-fstack-protector-strong -fPIE -pthread -I. -D_GNU_SOURCE
BASE_LDFLAGS := -pie -pthread -Wl,--as-needed -Wl,-z,relro,-z,now

# ---- what is built from what --------------------------------------------------
# agent/ is the daemon and what the tool shares with it; main files stand alone.
KERNELS := $(wildcard kernels/*.c)
MODELS := $(wildcard models/*.c)
TRAIN := $(filter-out models/train/main.c,$(wildcard models/train/*.c))
AGENT := $(filter-out agent/main.c,$(wildcard agent/*.c)) $(wildcard agent/dev/*.c)
CLI := $(wildcard agent/cli/*.c)
BPF := $(wildcard bpf/*.bpf.c)
UNIT := $(wildcard test/unit/*.c)
GOLDEN := $(wildcard test/golden/*.c)
FUZZ := $(wildcard test/fuzz/*.c)
BENCH := $(wildcard test/bench/*.c)
EVAL := $(wildcard test/eval/*.c)
HELPERS := $(wildcard test/system/*.c)
SCRIPTED := $(wildcard test/golden/*.sh test/cli/*.sh test/system/*.sh)

# A library's headers are seen by the files named here and by no others.
uses_liburing := agent/ring_uring agent/ring_uring_%
uses_libbpf := agent/stats agent/profiler agent/feature agent/path
uses_libgpiod := agent/gpio_line agent/dev/gpio agent/dev/gpio_% agent/actuator agent/cli/probe agent/cli/probe_%
uses_libudev := agent/uevent
uses_kissfft-float := agent/window agent/window_%
uses_libsystemd := agent/main agent/loop agent/log agent/control agent/control_% agent/daemon_plug agent/cli/% models/meta models/meta_% models/train/report models/train/report_% test/eval/json
uses_sqlite3 := agent/store agent/store_% models/train/history models/train/history_%
uses_inih := agent/config agent/config_% agent/part_read
uses_openblas := models/train/% test/eval/eval
uses_libsodium := models/hash models/sign models/sign_%
uses_bpfobj := agent/stats agent/profiler agent/path
PKGS := liburing libbpf libsystemd libgpiod libudev kissfft-float sqlite3 inih openblas libsodium

LIBS_sonded := $(addprefix L_,liburing libbpf libsystemd libgpiod libudev kissfft-float sqlite3 inih libsodium xnnpack)
LIBS_sonde := $(LIBS_sonded)
LIBS_sonde-model := $(addprefix L_,libsystemd openblas libsodium sqlite3 xnnpack)
LIBS_test := $(LIBS_sonded) L_openblas
LDLIBS_onednn := $(if $(wildcard /usr/include/oneapi/dnnl/dnnl.h),-ldnnl)

# ---- one variant ----------------------------------------------------------------
define variant
# $(1): its name; $(2): machine; $(3): tool prefix; $(4): sanitizers
-include build/$(1)/config.mk
build/$(1)/config.mk: scripts/probe scripts/packages $(if $(3),build/$(2)-sysroot/.complete)
	@mkdir -p $$(@D)
	@VARIANT_NAME='$(1)' scripts/probe '$(3)' '$(if $(3),$(CURDIR)/build/$(2)-sysroot)' $(PKGS) >$$@

CC_$(1) := $(3)gcc
AR_$(1) := $(3)gcc-ar
CFLAGS_$(1) := $(BASE_CFLAGS) $(if $(3),--sysroot=$(CURDIR)/build/$(2)-sysroot -isystem $(CURDIR)/build/$(2)-sysroot/usr/include/$(2)-linux-gnu) \
	$(if $(4),-fsanitize=$(4) -fno-omit-frame-pointer -fno-sanitize-recover=all -DSONDE_SANITIZED,-D_FORTIFY_SOURCE=2) $(CFLAGS)
LDFLAGS_$(1) := $(BASE_LDFLAGS) $(if $(3),--sysroot=$(CURDIR)/build/$(2)-sysroot -Wl$$(comma)-rpath-link$$(comma)$(CURDIR)/build/$(2)-sysroot/usr/lib/$(2)-linux-gnu) \
	$(if $(4),-fsanitize=$(4)) $(LDFLAGS)

# A change of flags or of this file rebuilds; the same flags do not.
FLAGS_$(1) := $$(CC_$(1)) $$(CFLAGS_$(1)) $$(LDFLAGS_$(1))
ifneq ($$(strip $$(file <build/$(1)/flags)),$$(strip $$(FLAGS_$(1))))
$$(shell mkdir -p build/$(1))
$$(file >build/$(1)/flags,$$(FLAGS_$(1)))
endif

build/$(1)/%.o: %.c build/$(1)/flags build/$(1)/config.mk
	$$(call say,CC,$$@)mkdir -p $$(@D) && $$(CC_$(1)) $$(CFLAGS_$(1)) $$(OPT_$$(firstword $$(subst /, ,$$*))) \
		$$(foreach p,$(PKGS),$$(if $$(filter $$(uses_$$p),$$*),$$(C_$(1)_$$p))) \
		$$(if $$(filter $$(uses_bpfobj),$$*),-Ibuild/bpf) -MMD -MP -c -o $$@ $$<

$$(foreach o,$$(uses_bpfobj),$$(eval build/$(1)/$$(o).o: $$(BPF:bpf/%.bpf.c=build/bpf/%.skel.h)))

.PRECIOUS: build/$(1)/%.o build/$(1)/test/% build/$(1)/test/golden/%
build/$(1)/kernels.a: $(KERNELS:%.c=build/$(1)/%.o)
build/$(1)/models.a: $(MODELS:%.c=build/$(1)/%.o)
build/$(1)/train.a: $(TRAIN:%.c=build/$(1)/%.o)
build/$(1)/agent.a: $(AGENT:%.c=build/$(1)/%.o)
build/$(1)/%.a:
	$$(call say,AR,$$@)rm -f $$@ && $$(AR_$(1)) rcs $$@ $$^

build/$(1)/sonded: build/$(1)/agent/main.o build/$(1)/agent.a build/$(1)/models.a build/$(1)/kernels.a
build/$(1)/sonde: $(CLI:%.c=build/$(1)/%.o) build/$(1)/agent.a build/$(1)/models.a build/$(1)/kernels.a
build/$(1)/sonde-model: build/$(1)/models/train/main.o build/$(1)/train.a build/$(1)/models.a build/$(1)/kernels.a
build/$(1)/sonded build/$(1)/sonde build/$(1)/sonde-model:
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(foreach l,$$(LIBS_$$(@F)),$$($$(l:L_%=L_$(1)_%))) -lm

# Tests link everything; the golden ones and the kernels' own only what they test.
build/$(1)/test/golden/%: build/$(1)/test/golden/%.o build/$(1)/models.a build/$(1)/kernels.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(L_$(1)_libsystemd) $$(L_$(1)_libsodium) $$(L_$(1)_xnnpack) -lm
build/$(1)/test/unit/% build/$(1)/test/bench/%: OPT_test := -O2
build/$(1)/test/%: build/$(1)/test/%.o build/$(1)/train.a build/$(1)/agent.a build/$(1)/models.a build/$(1)/kernels.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(foreach l,$$(LIBS_test),$$($$(l:L_%=L_$(1)_%))) $$(LDLIBS_$$(*F)) -lm -ldl
# The judge of `make eval` is several files, and has nothing of the daemon.
build/$(1)/test/eval/eval: $(EVAL:%.c=build/$(1)/%.o) build/$(1)/train.a build/$(1)/models.a build/$(1)/kernels.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(foreach l,$$(LIBS_sonde-model),$$($$(l:L_%=L_$(1)_%))) -lm
# Without libFuzzer a fuzz target replays its corpus.
$(FUZZ:test/fuzz/%.c=build/$(1)/test/fuzz/%): build/$(1)/test/fuzz/replay/main.o

-include $$(patsubst %.c,build/$(1)/%.d,$(KERNELS) $(MODELS) $(TRAIN) $(AGENT) $(CLI) $(UNIT) $(GOLDEN) $(FUZZ) $(BENCH) $(EVAL) $(HELPERS) agent/main.c models/train/main.c)
endef

# The kernels and the trainer are loops over floats: let the compiler vectorise them.
OPT_kernels := -O3
OPT_models := -O3

$(eval $(call variant,$(VARIANT),$(MACHINE),$(CROSS_COMPILE),$(SAN)))
ifneq ($(filter-out $(VARIANT),$(VARIANTS)),)
$(eval $(call variant,$(ARM),$(ARM),$(ARM)-linux-gnu-,))
endif
build/$(ARM)-sysroot/.complete: scripts/packages
	@scripts/devroot sysroot $(@D) arm64

# ---- BPF: one object for every machine -----------------------------------------
CLANG ?= $(firstword $(shell command -v clang-19 clang 2>/dev/null) clang)
BPFTOOL ?= $(firstword $(shell command -v bpftool 2>/dev/null) /usr/sbin/bpftool)
LLVM_STRIP ?= $(firstword $(shell command -v llvm-strip-19 llvm-strip 2>/dev/null) llvm-strip)
.PRECIOUS: build/bpf/%.bpf.o build/bpf/%.skel.h
build/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h)
	$(call say,BPF,$@)mkdir -p $(@D) && $(CLANG) -target bpf -O2 -g -Wall -Wextra -Wno-unused-parameter -I. \
		-I/usr/include/$(shell uname -m)-linux-gnu -c -o $@ $< && $(LLVM_STRIP) -g $@
# Skeletons are named x_bpf: `struct stats` would otherwise be theirs.
build/bpf/%.skel.h: build/bpf/%.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

# ---- goals --------------------------------------------------------------------
PROGRAMS := $(B)/sonded $(B)/sonde $(B)/sonde-model
.PHONY: all run test test-vm check-arm64 bench eval layers install uninstall clean distclean help fuzz tools
all: $(PROGRAMS)
	@:

run: $(PROGRAMS)
	@BUILD=$(B) scripts/run $(if $(SECONDS),$(SECONDS))

# T=PATTERN runs the tests whose path contains it.
TESTS = $(UNIT:%.c=$(B)/%) $(GOLDEN:%.c=$(B)/%) $(FUZZ:%.c=$(B)/%) $(if $(SAN),,$(SCRIPTED))
test: $(PROGRAMS) $(UNIT:%.c=$(B)/%) $(GOLDEN:%.c=$(B)/%) $(FUZZ:%.c=$(B)/%) $(HELPERS:%.c=$(B)/%) $(B)/test/eval/eval \
	$(if $(SAN)$(filter $(ARM),$(MACHINE)),,$(GOLDEN:%.c=build/$(ARM)/%)) layers
	@BUILD=$(B) ARM=build/$(ARM) SAN='$(SAN)' test/run '$(T)' $(TESTS)

# Sensors on virtual boards, under the stock kernel drivers.
VM_PROGRAMS := sonded sonde sonde-model
test-vm: $(VM_PROGRAMS:%=$(B)/%) $(VM_PROGRAMS:%=build/$(ARM)/%)
	@BUILD=$(B) ARM=build/$(ARM) test/vm/run

check-arm64: $(GOLDEN:%.c=build/$(ARM)/%)

bench: $(PROGRAMS) $(BENCH:%.c=$(B)/%)
	@BUILD=$(B) scripts/bench

eval: $(B)/sonde-model $(B)/test/eval/eval
	@BUILD=$(B) scripts/eval

FUZZ_TIME ?= 60
fuzz: ; @FUZZ_TIME=$(FUZZ_TIME) scripts/fuzz

layers:
	@scripts/layers

install: $(PROGRAMS)
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' UNITDIR='$(UNITDIR)' scripts/install $(B)

uninstall:
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' UNITDIR='$(UNITDIR)' scripts/install --remove

clean:
	rm -rf $(filter-out build/devroot build/devroot.lock build/%-sysroot,$(wildcard build/*))

distclean:
	rm -rf build

help:
	@sed -n 's/^#? //p' Makefile

endif
#? make            build sonded, sonde and sonde-model below build/<machine>/
#? make run        learn this machine for a minute, then watch it being disturbed
#?                 SECONDS=n keeps it running for n seconds after the demonstration
#? make test       every test; ends in "N passed, M failed, K skipped"
#?                 T=text only those whose path contains it
#?                 SAN=address,undefined or SAN=thread: a variant of its own
#? make test-vm    the real daemon on virtual boards with the kernel's own sensor drivers
#? make bench      the figures of the README; also build/bench.json
#? make eval       how well default models detect on the public sets; also build/eval.json
#?                 DATA=folder that has them (../shared/data)
#? make fuzz       libFuzzer on every target, FUZZ_TIME=60 seconds each
#? make layers     check that includes point down
#? make install    DESTDIR= PREFIX=/usr SYSCONFDIR=/etc; uninstall takes it out
#? make clean      all but the Debian 13 trees; distclean takes those as well
#?
#? CROSS_COMPILE=aarch64-linux-gnu-   build for arm64, against build/aarch64-sysroot
#? V=1                                show the commands
#? SONDE_NO_SETUP=1                   never install packages
