# clanker's one door: build, check, ship. `make help` lists the targets.
# CC, CFLAGS, LDFLAGS, PREFIX and DESTDIR are the user's; CLK_* are ours.

CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
PKG_CONFIG ?= pkg-config
T ?=
SECONDS ?= 10
V ?=

VERSION := 0.1.0
MODE ?= release
B := build/$(MODE)
Q := $(if $(V),,@)
# Makes that start here use all cores, unless whoever calls says how many.
J = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN || echo 2))
say = $(if $(V),,@printf '  %-6s %s\n' $(1) $(2);)

# Statically linked, so that start-up resolves nothing but libc; libcurl,
# libmicrohttpd and libedit are loaded on first use, only their headers count.
STATIC := lua5.4 lua5.4-cjson libuv-static yaml-0.1 sqlite3 libsodium
HEADERS_ONLY := libcurl libmicrohttpd libedit
ifeq ($(shell uname -s),Darwin)
STATIC := lua-5.4 libuv yaml-0.1 sqlite3 libsodium
endif

# Asked only when something is compiled: `make help` needs no packages.
PKG_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(STATIC) $(HEADERS_ONLY))
PKG_LIBS = $(shell scripts/static-libs $(STATIC))

CLK_CFLAGS := -std=c11 -D_GNU_SOURCE -DCLK_VERSION='"$(VERSION)"' -Isrc \
  -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes \
  -fstack-protector-strong -ffile-prefix-map=$(CURDIR)=.
CLK_LDFLAGS :=
ifeq ($(shell uname -s),Linux)
CLK_LDFLAGS += -Wl,-z,relro,-z,now
endif
ifeq ($(MODE),release)
CLK_CFLAGS += -D_FORTIFY_SOURCE=2
MODE_CFLAGS = $(CFLAGS)
else ifeq ($(MODE),dev)
MODE_CFLAGS := -O0 -g -DCLK_DEV -Werror
else ifeq ($(MODE),asan)
MODE_CFLAGS := -O1 -g -DCLK_DEV -Werror -fno-omit-frame-pointer \
  -fsanitize=address,undefined -fno-sanitize-recover=undefined
CLK_LDFLAGS += -fsanitize=address,undefined
else ifeq ($(MODE),fuzz)
MODE_CFLAGS := -O1 -g -DCLK_DEV -Werror -fno-omit-frame-pointer \
  -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
endif

# What only tests need is no part of a release.
DEV_ONLY := src/bind/l_dev.c src/bind/l_devnet.c src/core/residue.c
C_SOURCES := $(filter-out $(if $(filter release,$(MODE)),$(DEV_ONLY)),\
  $(sort $(wildcard src/core/*.c src/host/*.c src/bind/*.c)))
# ops/snapshot.lua is no file: scripts/embed makes that module.
LUA_SOURCES := $(sort $(shell find lua -name '*.lua'))
EMBEDDED := $(LUA_SOURCES) lua/ops/snapshot.lua
BINDINGS := $(patsubst src/bind/l_%.c,%,$(filter src/bind/l_%.c,$(C_SOURCES)))
OBJECTS := $(C_SOURCES:%.c=$(B)/%.o) $(B)/gen/modules.o
FUZZERS := $(patsubst tests/fuzz/%_fuzz.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))
C_TESTS := $(patsubst tests/c/%.c,$(B)/tests/%,$(sort $(wildcard tests/c/t_*.c)))
LUA_TESTS := $(sort $(shell find tests -name '*_test.lua'))
TORTURE_TESTS := $(sort $(wildcard tests/torture/*_torture.lua))

.PHONY: all dev asan test test-build fuzz fuzz-build torture valgrind check lint fmt fmt-check layers release-check \
  bench demo install uninstall clean help setup golden docs gen-check
.DEFAULT_GOAL := all

all: $(B)/clanker ## the release binary, build/release/clanker

dev: ## a debug build with $CLANKER_LUA and -l, build/dev/clanker
	$(Q)$(MAKE) --no-print-directory $(J) MODE=dev all

asan: ## dev with address and undefined-behaviour sanitizers
	$(Q)$(MAKE) --no-print-directory $(J) MODE=asan all

$(B)/clanker: $(OBJECTS) $(B)/src/main.o
	$(call say,LD,$@)$(CC) $(MODE_CFLAGS) $(CLK_LDFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm -ldl -lpthread

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CLK_CFLAGS) $(PKG_CFLAGS) $(MODE_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/gen/modules.o: $(B)/gen/modules.c
	$(call say,CC,$<)$(CC) $(CLK_CFLAGS) $(PKG_CFLAGS) -O0 -c -o $@ $<

# The lists are part of the rule: a new or removed file regenerates.
$(B)/gen/modules.c: build/embed scripts/index.lua $(LUA_SOURCES) $(B)/gen/list
	$(call say,EMBED,$@)build/embed $(EMBEDDED) -- $(BINDINGS) > $@.tmp && mv $@.tmp $@

$(B)/gen/list: FORCE
	@mkdir -p $(@D)
	@echo '$(LUA_SOURCES) -- $(BINDINGS)' | cmp -s - $@ || echo '$(LUA_SOURCES) -- $(BINDINGS)' > $@

build/embed: scripts/embed.c
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)$(CC) -O1 $(PKG_CFLAGS) -o $@ $< $(shell scripts/static-libs $(wordlist 1,2,$(STATIC))) -lm -ldl

$(B)/tests/%: tests/c/%.c $(OBJECTS)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CLK_CFLAGS) $(PKG_CFLAGS) $(MODE_CFLAGS) -Itests/c $(CLK_LDFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(OBJECTS) -lcmocka $(PKG_LIBS) -lm -ldl -lpthread

test-build: $(B)/clanker $(C_TESTS)

$(B)/fuzz/%: tests/fuzz/%_fuzz.c tests/fuzz/fuzz.h $(filter $(B)/src/core/%,$(OBJECTS))
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CLK_CFLAGS) $(MODE_CFLAGS) -fsanitize=fuzzer -Itests/fuzz $(LDFLAGS) -o $@ $< $(filter %.o,$^) $(PKG_LIBS) -lm -ldl -lpthread

fuzz-build: $(FUZZERS)

setup: ## install what is missing to build and test
	$(Q)scripts/setup

demo: ## install, build, and run the main job on the embedded simulator
	$(Q)scripts/setup build
	$(Q)$(MAKE) --no-print-directory $(J) all
	$(Q)scripts/demo build/release/clanker

test: ## every test; T=pattern filters by path, MODE=asan by sanitizers
	$(Q)scripts/setup
	$(Q)$(MAKE) --no-print-directory $(J) MODE=$(if $(filter release,$(MODE)),dev,$(MODE)) test-build
	$(Q)scripts/run-tests $(if $(filter release,$(MODE)),dev,$(MODE)) '$(T)'

torture: ## fail the 1st, 2nd, 3rd… allocation of every host scenario
	$(Q)$(MAKE) --no-print-directory $(J) MODE=dev test-build
	$(Q)scripts/run-tests dev 'torture'

valgrind: ## the C and host tests under valgrind
	$(Q)$(MAKE) --no-print-directory $(J) MODE=dev test-build
	$(Q)VALGRIND=1 scripts/run-tests dev '$(or $(T),tests/c/|tests/host/)'

fuzz: ## made-up input for the parsers in C; T=yaml for one, SECONDS=60 for each
	$(Q)scripts/setup fuzz
	$(Q)$(MAKE) --no-print-directory $(J) MODE=fuzz CC=clang fuzz-build
	$(Q)scripts/fuzz '$(T)' '$(SECONDS)'

check: ## the gate: format, lint, layers, and every test twice
	$(Q)$(MAKE) --no-print-directory fmt-check lint layers release-check
	$(Q)$(MAKE) --no-print-directory MODE=dev test
	$(Q)$(MAKE) --no-print-directory MODE=asan test

lint: ## luacheck, clang-tidy, banned functions, conventions
	$(Q)scripts/lint

release-check: ## the release binary holds nothing that only tests need
	$(Q)$(MAKE) --no-print-directory $(J) all
	$(Q)scripts/release-check build/release/clanker

layers: ## who may require whom
	$(Q)scripts/layers

fmt: ## format the C sources
	$(Q)clang-format -i $(wildcard src/*.[ch] src/*/*.[ch] tests/c/*.[ch] scripts/*.c)

fmt-check: ## fail when a C source is not formatted
	$(Q)clang-format --dry-run -Werror $(wildcard src/*.[ch] src/*/*.[ch] tests/c/*.[ch] scripts/*.c)

docs: ## make docs/reference.md and the README's table from the rows
	$(Q)$(MAKE) --no-print-directory $(J) MODE=dev all
	$(Q)scripts/docs write build/dev/clanker

gen-check: ## fail when the generated docs are not those of the rows
	$(Q)$(MAKE) --no-print-directory $(J) MODE=dev all
	$(Q)scripts/docs check build/dev/clanker

golden: ## rewrite the expected outputs in tests/face; review the diff
	$(Q)$(MAKE) --no-print-directory $(J) MODE=dev test-build
	$(Q)GOLDEN=write scripts/run-tests dev 'tests/face/golden'

bench: ## speed and memory beside the usual tools, as ratios; T=name for one
	$(Q)$(MAKE) --no-print-directory $(J) all
	$(Q)scripts/bench build/release/clanker '$(T)'

install: all ## PREFIX and DESTDIR as usual
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 build/release/clanker $(DESTDIR)$(PREFIX)/bin/clanker

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/clanker

clean: ## remove everything built
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18

FORCE:
-include $(OBJECTS:.o=.d) $(B)/src/main.d $(C_TESTS:=.d)
