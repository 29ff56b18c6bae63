# bertty: `make help` tells what there is.
#
# Sources are taken by wildcard: a new file in engine/*/, tui/, tui/*/ or tests/unit/ needs no change here.
# BUILD=DIR builds beside others; the plain build puts the program at ./bertty.

BUILD  ?= build
ifeq ($(origin CC),default)
CC      = gcc
endif
OPT    ?= -O2 -g
CFLAGS ?= $(OPT)
PREFIX ?= /usr/local

# Parallel without being asked; a -j on the command line wins.
ifeq ($(MAKELEVEL),0)
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif
endif
MAKEFLAGS += --no-print-directory
ifneq ($(filter clean,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

WARN      = -std=c11 -Wall -Wextra -Wshadow -Wconversion $(if $(WERROR),-Werror)
CPPFLAGS += -D_GNU_SOURCE -Iinclude -Iengine -I. -MMD -MP
# `bertty pull` is compiled with libcurl's header and loads the library when it runs. Without the header, or with CURL= on the command
# line, the rest is built and pull says so.
CURL       := $(shell pkg-config --exists libcurl 2>/dev/null && echo yes)
ifneq ($(CURL),)
CPPFLAGS   += -DBT_WITH_CURL $(shell pkg-config --cflags libcurl)
endif
# Likewise liblinear, for `bertty baseline`.
LINEAR     := $(shell echo '\#include <linear.h>' | $(CC) -E -x c - >/dev/null 2>&1 && echo yes)
ifneq ($(LINEAR),)
CPPFLAGS   += -DBT_WITH_LINEAR
endif
LDLIBS    = -lyaml -lcsv -lpcre2-8 -lutf8proc -ljansson -lncursesw -ltinfo -ldl -lpthread -lm

# The arithmetic of training: vectorised where the source says so, but NaN stays NaN and a sum keeps its order.
# The compiler may fuse a multiplication and an addition only in the vector kernels, which are compiled once for each instruction set.
MATH        = -O3 -fno-math-errno -fno-trapping-math -fopenmp-simd
VEC_base    =
VEC_avx2    = -mavx2 -mfma -mf16c
VEC_avx512  = -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma
VEC_avx512bf16 = $(VEC_avx512) -mavx512bf16
ARCHS      := base $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine)),avx2 avx512 avx512bf16)
# An -O0 or sanitizer build says how it wants its arithmetic itself.
SAN         = $(filter -fsanitize%,$(CFLAGS))
MATHFLAGS   = $(if $(SAN),$(filter-out -O3,$(MATH)),$(MATH))

VEC_SRC    := $(wildcard engine/math/vec/*.c)
VEC_OBJ    := $(foreach a,$(ARCHS),$(VEC_SRC:%.c=$(BUILD)/%.$(a).o))
ENGINE_SRC := $(wildcard engine/*/*.c)
ENGINE_OBJ := $(ENGINE_SRC:%.c=$(BUILD)/%.o)
TUI_SRC    := $(wildcard tui/*.c tui/*/*.c)
TUI_OBJ    := $(TUI_SRC:%.c=$(BUILD)/%.o)
UNIT_SRC   := $(wildcard tests/unit/test_*.c tests/grad/test_*.c)
UNIT_BIN   := $(UNIT_SRC:%.c=$(BUILD)/%)
GOLDEN_BIN := $(BUILD)/tests/golden/weights_tool $(BUILD)/tests/golden/heads_tool $(BUILD)/tests/golden/metrics_tool $(BUILD)/tests/golden/qa_tool $(BUILD)/tests/golden/audit_tool $(BUILD)/tests/golden/tfidf_tool
BENCH_SRC  := $(wildcard tests/bench/bench_*.c)
BENCH_BIN  := $(BENCH_SRC:%.c=$(BUILD)/%)
BIN        := $(if $(filter build,$(BUILD)),bertty,$(BUILD)/bertty)

# ── building ────────────────────────────────────────────────────────────────────────────────────────────────────

all: $(BIN) ## build ./bertty

$(BIN): $(TUI_OBJ) $(BUILD)/libbertty.a
	$(say) link $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libbertty.a: $(ENGINE_OBJ) $(VEC_OBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# The screen without its main(), for tests that use parts of it.
$(BUILD)/libtui.a: $(filter-out $(BUILD)/tui/main.o,$(TUI_OBJ))
	$(Q)rm -f $@ && $(AR) rcs $@ $^

compile = printf "  cc    %s\n" $<; mkdir -p $(@D); $(CC) $(CPPFLAGS) $(CFLAGS) $(1) $(WARN) -c -o $@ $<

$(BUILD)/engine/math/%.o: engine/math/%.c $(BUILD)/flags
	$(Q)$(call compile,$(MATHFLAGS) -ffp-contract=off)

# TESTFLAGS: for the tests' own code, behind CFLAGS.
$(BUILD)/tests/%.o: tests/%.c $(BUILD)/flags
	$(Q)$(call compile,$(TESTFLAGS) -ffp-contract=off)

define vec_rule
$(BUILD)/engine/math/vec/%.$(1).o: engine/math/vec/%.c $(BUILD)/flags
	$$(Q)$$(call compile,$$(MATHFLAGS) $$(VEC_$(1)) -ffp-contract=fast -DBT__ARCH=$(1))
endef
$(foreach a,$(ARCHS),$(eval $(call vec_rule,$(a))))

$(BUILD)/%.o: %.c $(BUILD)/flags
	$(Q)$(call compile,-ffp-contract=off)

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libtui.a $(BUILD)/libbertty.a
	$(say) link $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

$(BUILD)/tests/bench/bench_scaling: LDFLAGS += -Wl,--wrap=bt__pool_run

# The program with an allocator of the tests' in front: for a build with AddressSanitizer, so that what failing paths leave behind is seen.
, := ,
WRAPPED := $(patsubst %,-Wl$(,)--wrap=%,malloc calloc realloc reallocarray memalign aligned_alloc posix_memalign)
$(BUILD)/bertty-failing: $(TUI_OBJ) $(BUILD)/tests/fault/failing_wrap.o $(BUILD)/libbertty.a
	$(say) link $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(WRAPPED) -o $@ $^ $(LDLIBS)

# The readers that are fuzzed, behind two programs: libFuzzer's (with clang and -fsanitize=fuzzer-no-link in CFLAGS, as tests/fuzz/campaign builds
# it), and one that reads the corpora again.
FUZZ_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/fuzz.c %/replay.c %/mutate.c,$(wildcard tests/fuzz/*.c)))
$(BUILD)/tests/fuzz/fuzz: $(BUILD)/tests/fuzz/fuzz.o $(FUZZ_OBJ) $(BUILD)/libtui.a $(BUILD)/libbertty.a
	$(say) link $@
	$(Q)$(CC) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/fuzz/replay: $(BUILD)/tests/fuzz/replay.o $(BUILD)/tests/fuzz/mutate.o $(FUZZ_OBJ) $(BUILD)/libtui.a $(BUILD)/libbertty.a
	$(say) link $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Changes when the flags do, so that everything is compiled again.
FLAGS = $(CC) $(CPPFLAGS) $(CFLAGS) $(TESTFLAGS) $(WARN) $(MATHFLAGS) $(LDFLAGS)
$(BUILD)/flags: force
	@[ -e $@ ] || .ci/deps --check build
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@

# ── using ───────────────────────────────────────────────────────────────────────────────────────────────────────

deps: ## install the Debian packages that are missing (with sudo where that is needed)
	$(Q).ci/deps

fetch: ## get the model and the film reviews for experiments/movie-reviews.yaml
	$(Q)experiments/fetch

demo: ## all of the set-up, then a fine-tuning run of some minutes, and the workbench on it
	$(Q).ci/deps build hub linear demo
	$(Q)$(MAKE) all
	$(Q)experiments/fetch
	$(Q)experiments/demo

install: all ## install under PREFIX (/usr/local): program, themes, experiments, README
	$(Q)install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/bertty/themes" "$(DESTDIR)$(PREFIX)/share/bertty/experiments" "$(DESTDIR)$(PREFIX)/share/doc/bertty"
	$(Q)install -m 755 $(BIN) "$(DESTDIR)$(PREFIX)/bin/bertty"
	$(Q)install -m 644 themes/*.yaml "$(DESTDIR)$(PREFIX)/share/bertty/themes"
	$(Q)install -m 644 experiments/*.yaml "$(DESTDIR)$(PREFIX)/share/bertty/experiments"
	$(Q)install -m 755 experiments/fetch "$(DESTDIR)$(PREFIX)/share/bertty/experiments"
	$(Q)install -m 644 README.md LICENSE "$(DESTDIR)$(PREFIX)/share/doc/bertty"

clean: ## remove what was built (never runs, models or data)
	$(Q)rm -rf $(BUILD) bertty

# ── testing ─────────────────────────────────────────────────────────────────────────────────────────────────────

test: ## all of the set-up, then every test; at the end: N passed, N failed, N skipped
	$(Q).ci/deps
	$(Q)experiments/fetch
	$(Q)tests/run

test-peers: ## compare with live PyTorch and transformers, in a virtual environment of its own
	$(Q).ci/deps
	$(Q)experiments/fetch
	$(Q)tests/peers_env
	$(Q)tests/run golden peers

unit: ## the unit tests alone
	$(Q)tests/run unit

unit-programs: $(UNIT_BIN)

golden-programs: $(GOLDEN_BIN)

asan: ## unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(Q)tests/run asan

tsan: ## unit tests under ThreadSanitizer
	$(Q)tests/run tsan

coverage: ## the tests once more with a build that counts: lines and branches of engine/ and tui/ that they reach
	$(Q).ci/deps build hub linear test coverage
	$(Q)tests/run --coverage

crash: ## kill engines at CRASH_KILLS (1000) moments, and at every call of a save; let every call and every allocation of the commands fail once
	$(Q)tests/run crash

fuzz: ## give every reader what a fuzzer makes, FUZZ_SECONDS (60) each; FUZZ=NAME… some of them
	$(Q)tests/fuzz/campaign --seconds $(or $(FUZZ_SECONDS),60) $(FUZZ)

failing-program: $(BUILD)/bertty-failing

fuzz-program: $(BUILD)/tests/fuzz/fuzz

replay-program: $(BUILD)/tests/fuzz/replay

bench: ## measure speed on this machine: a training step, the workbench, what watching costs
	$(Q)tests/run bench

bench-programs: $(BENCH_BIN)

pictures: all ## renew the pictures of the themes
	$(Q).ci/deps test
	$(Q)BERTTY=$(BIN) /usr/bin/python3 tests/tui/pictures.py

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

Q   := $(if $(V),,@)
say := $(if $(V),@true,@printf '  %-5s %s\n')

.SECONDARY:
.PHONY: all force deps fetch demo install clean test test-peers unit unit-programs failing-program golden-programs asan tsan coverage crash fuzz fuzz-program replay-program bench bench-programs pictures help
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
