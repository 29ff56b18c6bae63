# bertty: see `make help`.
BUILD    ?= build
CC       ?= gcc
CFLAGS   ?= -O2 -g
WARN      = -std=c11 -Wall -Wextra -Wshadow -Wconversion
CPPFLAGS += -D_GNU_SOURCE -Iinclude -Iengine -I. -MMD -MP
LDLIBS    = -lyaml -lcsv -lutf8proc -ljansson -lncursesw -ltinfo -ldl -lpthread -lm

ENGINE_SRC := $(wildcard engine/*/*.c)
TUI_SRC    := $(wildcard tui/*.c tui/*/*.c)
ENGINE_OBJ := $(ENGINE_SRC:%.c=$(BUILD)/%.o)
TUI_OBJ    := $(TUI_SRC:%.c=$(BUILD)/%.o)
UNIT_SRC   := $(wildcard tests/unit/test_*.c tests/grad/test_*.c)
UNIT_BIN   := $(UNIT_SRC:%.c=$(BUILD)/%)
BIN        := $(if $(filter build,$(BUILD)),bertty,$(BUILD)/bertty)

all: $(BIN)

$(BIN): $(TUI_OBJ) $(BUILD)/libbertty.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libbertty.a: $(ENGINE_OBJ)
	rm -f $@ && ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) $(KFLAGS) -c -o $@ $<

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libbertty.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

unit: $(UNIT_BIN)
	@set -e; for t in $(UNIT_BIN); do $$t; done

clean:
	rm -rf $(BUILD) bertty

.SECONDARY:
.PHONY: all clean unit
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
