# Makefile: how RoxDB is built, tested and installed. GNU make, no other build tool.
#
#   make          build/release: roxdb-server, roxdb-tool, libroxdb.a, libroxdb.so
#   make test     build/debug (address, undefined and leak sanitizers): builds and runs all tests
#   make help     every target and every variable
#
# Sources are found, not listed: a new file below src/ or test/ is built by the next `make`.
#
#   src/<room>/*.cc              objects of the house; src/<room>/<folder>/*.cc too
#   src/app/main.cc              the main of roxdb-server; src/app/<x>_main.cc: that of roxdb-<x>
#   src/app/allocation.cc        part of roxdb-server alone
#   src/commands/*.cc            one command family each, as src/<room>/*_commands.cc is; their
#                                names go into a table (scripts/write_command_families.sh)
#   test/**/*.cc                 unit tests, one program; except test/fuzz and test/data
#   test/fuzz/<name>.cc          one fuzz target each
#   test/wire/*.py               scripts that drive a real server
#   tools/<name>.cc, <name>.c    one program each; the C ones are linked with libroxdb
#
# Every object is compiled once, position independent and with hidden symbols, and serves the
# programs, the tests and the library. One build directory holds one set of flags; a change of
# flags, compiler or list of sources is noticed by a stamp file and rebuilds what it concerns.

CONFIG ?= release
B := build/$(CONFIG)$(if $(CFI),-cfi)
Q := $(if $(V),,@)
say = @printf '  %-5s %s\n' $(1) $(2)

# All cores, unless the caller said otherwise.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# ---- flags ----

CXX := g++
CC := gcc
AR := gcc-ar
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Werror
COMMON := -fPIC -fvisibility=hidden -pthread -D_GLIBCXX_ASSERTIONS -Isrc -Iinclude -I.
LIBS := -lzstd -pthread
PROGRAM_LIBS := -luv -llua5.1-c++ $(LIBS)
# Tests play the client of TLS. The server loads OpenSSL when it wants it (net/openssl_library.h).
TEST_LIBS := -lssl -lcrypto

# What a shipped binary is hardened with; `make hardening` looks for it in the result. Objects are
# -fPIC instead of -fPIE because libroxdb.so shares them: hidden symbols make both the same code.
HARDENING := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
  -fstack-clash-protection -fcf-protection -ftrivial-auto-var-init=zero
HARDENING_LINK := -Wl,-z,relro,-z,now,-z,noexecstack

ifeq ($(CONFIG),release)
  MODE := -O2 -g1 $(HARDENING)
  # Relocations as a bit map: 200 KB less to read at every start.
  MODE_LINK := $(HARDENING_LINK) $(if $(CFI),,-Wl,-z,pack-relative-relocs)
  # The programs bring jemalloc; libroxdb lives in processes of others and takes their malloc.
  # base/memory.cc asks the linker which it is, through weak symbols, so one object serves both.
  # All but libc is linked in: a start maps no libraries (1.0 MiB and 0.8 ms less), and no call
  # between them goes through a table (4 % less CPU for a GET).
  PROGRAM_LIBS := -static-libstdc++ -static-libgcc -Wl,-Bstatic -luv_a -llua5.1-c++ -lzstd -ljemalloc_pic \
    -Wl,-Bdynamic -pthread
else ifeq ($(CONFIG),debug)
  # GCC warns of uninitialised variables that only its own sanitizer code could leave so.
  MODE := -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
    -DROX_DEBUG=1 -Wno-maybe-uninitialized
  MODE_LINK := -fsanitize=address,undefined
else ifeq ($(CONFIG),fuzz)
  CXX := clang++-14
  CC := clang-14
  AR := ar
  # Warnings are GCC's business; clang knows other ones.
  WARNINGS := -Wall -Wextra
  MODE := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
    -fno-omit-frame-pointer -DROX_DEBUG=1
  MODE_LINK := -fsanitize=address,undefined
else
  $(error CONFIG is release, debug or fuzz, not $(CONFIG))
endif

# CFI=1: clang checks the type of every indirect call; needs the whole program at link time.
ifneq ($(CFI),)
  CXX := clang++-14
  CC := clang-14
  AR := llvm-ar-14
  WARNINGS := -Wall -Wextra
  MODE += -flto -fsanitize=cfi \
    -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
  MODE_LINK += -flto -fsanitize=cfi -fuse-ld=lld-14
endif

COMPILE = $(CXX) -std=c++20 $(MODE) $(COMMON) $(WARNINGS) $(CXXFLAGS)
COMPILE_C = $(CC) -std=c99 $(MODE) $(COMMON) $(WARNINGS) $(CFLAGS)
LINK = $(CXX) -pie $(MODE) $(MODE_LINK) $(LDFLAGS)

# ---- sources ----

# ROOMS="base resp" takes only these rooms, and their tests: for work below a room that is broken.
in_rooms = $(if $(ROOMS),$(filter $(addprefix $(1)/,$(addsuffix /%,$(ROOMS))),$(2)),$(2))
SOURCES := $(call in_rooms,src,$(sort $(wildcard src/*/*.cc src/*/*/*.cc)))
MAINS := $(filter src/app/main.cc src/app/%_main.cc,$(SOURCES))
# operator new of the server: no other program, and no test, takes its memory through it.
SERVER_ONLY := $(filter src/app/allocation.cc,$(SOURCES))
HOUSE := $(filter-out $(MAINS) $(SERVER_ONLY),$(SOURCES))
FAMILIES := $(filter $(sort $(wildcard src/commands/*.cc src/*/*_commands.cc)),$(SOURCES))
object = $(patsubst %.cc,$(B)/obj/%.o,$(1))

# libroxdb: the rooms below the server. No socket, no loop, no script engine.
LIB_ROOMS := base resp containers types engine commands persist embed
in_library = $(filter $(addprefix src/,$(addsuffix /%,$(LIB_ROOMS))),$(1))
LIB_SOURCES := $(call in_library,$(HOUSE))

# The table of families names the symbols of the command files; without engine/command.h there is
# no such type yet and no table.
HAVE_COMMANDS := $(if $(filter src/engine/%,$(SOURCES)),$(wildcard src/engine/command.h))
FAMILY_TABLE := $(if $(HAVE_COMMANDS),$(B)/gen/command_families.o)
LIB_FAMILY_TABLE := $(if $(HAVE_COMMANDS),$(B)/gen/library_families.o)

HOUSE_OBJECTS := $(call object,$(HOUSE)) $(FAMILY_TABLE)
LIB_OBJECTS := $(call object,$(LIB_SOURCES)) $(LIB_FAMILY_TABLE)
PROGRAMS := $(if $(filter src/app/main.cc,$(MAINS)),$(B)/roxdb-server) \
  $(patsubst src/app/%_main.cc,$(B)/roxdb-%,$(filter src/app/%_main.cc,$(MAINS)))
LIBRARIES := $(if $(LIB_SOURCES),$(B)/libroxdb.a $(B)/libroxdb.so)

# Whole programs need the whole house.
ifeq ($(ROOMS),)
TOOLS := $(patsubst tools/%.cc,$(B)/tools/%,$(wildcard tools/*.cc)) \
  $(patsubst tools/%.c,$(B)/tools/%,$(wildcard tools/*.c))
FUZZ_TARGETS := $(filter-out replay_main,$(patsubst test/fuzz/%.cc,%,$(wildcard test/fuzz/*.cc)))
FUZZERS := $(addprefix $(B)/fuzz/,$(FUZZ_TARGETS))
REPLAYS := $(addprefix $(B)/replay/,$(FUZZ_TARGETS))
# The simulated disk, on which targets that load a file put it.
FUZZ_WORLD := $(call object,$(filter-out %_test.cc,$(wildcard test/sim/*.cc)))
WIRE_TESTS := $(sort $(filter-out test/wire/_%,$(wildcard test/wire/*.py)))
endif

TEST_SOURCES := test/main.cc $(call in_rooms,test,$(sort $(filter-out test/fuzz/% test/data/%, \
  $(wildcard test/*/*.cc test/*/*/*.cc))))
TEST_OBJECTS := $(call object,$(TEST_SOURCES))

# ---- what is built ----

.PHONY: all lib programs tests fuzzers tools setup FORCE
all: programs lib
programs: $(PROGRAMS)
lib: $(LIBRARIES)
tests: programs lib $(B)/roxdb-tests $(REPLAYS) tools
fuzzers: $(FUZZERS)
tools: $(TOOLS)

# Installs missing packages; silent and quick when there is nothing to do. Recipes wait for it, but
# it makes nothing out of date.
setup:
	@scripts/setup.sh $(if $(CFI),cfi,build)

$(B)/obj/%.o: %.cc $(B)/compile.stamp | setup
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c $< -o $@

# `private`: what these are made from, the stamp above all, is not made with their flags.
$(B)/obj/test/%.o: private COMMON += -DBOOST_TEST_DYN_LINK
# The optimizer spends most of a test's build on the assertions. What runs long keeps its level:
# models of containers, and whole servers on simulated disks.
ifeq ($(CONFIG),debug)
$(foreach room,app base commands embed engine resp server types, \
  $(eval $(B)/obj/test/$(room)/%.o: private COMMON += -O0))
endif

$(B)/gen/%.o: $(B)/gen/%.cc $(B)/compile.stamp | setup
	$(call say,CXX,$<)
	$(Q)$(COMPILE) -MMD -MP -c $< -o $@

$(B)/roxdb-server: $(call object,src/app/main.cc $(SERVER_ONLY)) $(HOUSE_OBJECTS) $(B)/link.stamp
	$(call say,LINK,$@)
	$(Q)$(LINK) $(filter %.o,$^) -o $@ $(PROGRAM_LIBS)

$(B)/roxdb-%: $(B)/obj/src/app/%_main.o $(HOUSE_OBJECTS) $(B)/link.stamp
	$(call say,LINK,$@)
	$(Q)$(LINK) $(filter %.o,$^) -o $@ $(PROGRAM_LIBS)

$(B)/roxdb-tests: $(TEST_OBJECTS) $(HOUSE_OBJECTS) $(B)/link.stamp
	$(call say,LINK,$@)
	$(Q)$(LINK) $(filter %.o,$^) -o $@ $(PROGRAM_LIBS) $(TEST_LIBS) -lboost_unit_test_framework

$(B)/libroxdb.a: $(LIB_OBJECTS) $(B)/link.stamp
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

# -z defs: a symbol of the server, of libuv or of jemalloc in here is an error now, not later.
$(B)/libroxdb.so: $(LIB_OBJECTS) scripts/libroxdb.map $(B)/link.stamp
	$(call say,LINK,$@)
	$(Q)$(CXX) -shared $(MODE) $(MODE_LINK) $(LDFLAGS) -Wl,-soname,libroxdb.so \
	  $(if $(filter release,$(CONFIG)),-Wl$(comma)-z$(comma)defs) \
	  -Wl,--version-script=scripts/libroxdb.map $(filter %.o,$^) -o $@ $(LIBS)
comma := ,

# C++ tools may use the rooms below the server, with the allocator of the programs.
$(B)/tools/%: tools/%.cc $(B)/libroxdb.a $(B)/compile.stamp | setup
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -pie $< $(B)/libroxdb.a $(MODE_LINK) $(LDFLAGS) -o $@ $(PROGRAM_LIBS)

$(B)/tools/%: tools/%.c $(B)/libroxdb.so $(B)/compile.stamp | setup
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE_C) -MMD -MP -pie $< $(MODE_LINK) $(LDFLAGS) -o $@ \
	  -L$(B) -lroxdb -Wl,-rpath,'$$ORIGIN/..' -pthread

# A fuzz target under libFuzzer, and the same target under a driver that replays its corpus.
$(B)/fuzz/%: $(B)/obj/test/fuzz/%.o $(FUZZ_WORLD) $(HOUSE_OBJECTS) $(B)/link.stamp
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) -fsanitize=fuzzer $(filter %.o,$^) -o $@ $(PROGRAM_LIBS) $(TEST_LIBS)

$(B)/replay/%: $(B)/obj/test/fuzz/%.o $(B)/obj/test/fuzz/replay_main.o $(FUZZ_WORLD) \
    $(HOUSE_OBJECTS) $(B)/link.stamp
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) $(filter %.o,$^) -o $@ $(PROGRAM_LIBS) $(TEST_LIBS)

# Stamps and generated files: rewritten only when their text changes, so that nothing else is
# rebuilt. $(call replace_if_changed,file) moves file.new over file or drops it.
replace_if_changed = if cmp -s $(1).new $(1); then rm -f $(1).new; else mv $(1).new $(1); fi

$(B)/compile.stamp: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(COMPILE)' '$(COMPILE_C)' >$@.new
	@$(call replace_if_changed,$@)

$(B)/link.stamp: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(LINK)' '$(PROGRAM_LIBS)' $(SOURCES) $(TEST_SOURCES) >$@.new
	@$(call replace_if_changed,$@)

$(B)/gen/command_families.cc: FORCE
	@mkdir -p $(@D)
	@scripts/write_command_families.sh $(FAMILIES) >$@.new
	@$(call replace_if_changed,$@)

$(B)/gen/library_families.cc: FORCE
	@mkdir -p $(@D)
	@scripts/write_command_families.sh $(call in_library,$(FAMILIES)) >$@.new
	@$(call replace_if_changed,$@)

OBJECTS := $(HOUSE_OBJECTS) $(LIB_OBJECTS) $(TEST_OBJECTS) $(call object,$(MAINS) $(SERVER_ONLY)) \
  $(call object,$(wildcard test/fuzz/*.cc))
.SECONDARY: $(OBJECTS)
-include $(OBJECTS:.o=.d) $(addsuffix .d,$(TOOLS))

# ---- what is done with it ----

.PHONY: run test apps suites bench soak fuzz check format hardening install clean help
SUBMAKE = +@$(MAKE) --no-print-directory
# Debian's own interpreter: python3-redis is installed for it, not for another one in PATH.
PYTHON := $(firstword $(wildcard /usr/bin/python3) python3)

run: programs
	$(Q)exec $(B)/roxdb-server $(ARGS)

# ONLY=name runs the suites whose name contains it, TEST_ARGS goes to the unit test program.
test:
	@scripts/setup.sh test
	$(SUBMAKE) CONFIG=debug tests
	$(SUBMAKE) build/apps/node_modules
	@$(PYTHON) scripts/run_tests.py --build build/debug $(if $(ONLY),--only '$(ONLY)') \
	  --unit-args '$(TEST_ARGS)' --wire '$(WIRE_TESTS)' --apps test/apps/run.py \
	  --replay '$(FUZZ_TARGETS)'

# Programs of other people, each doing its main job with a server of ours.
apps:
	@scripts/setup.sh apps
	$(SUBMAKE) CONFIG=debug programs
	$(SUBMAKE) build/apps/node_modules
	@ROX_SERVER=build/debug/roxdb-server ROX_APPS=$(CURDIR)/build/apps $(PYTHON) test/apps/run.py $(ARGS)

# What npm downloads is what the lock file names, to the byte; scripts of packages are not run. On a
# machine that does not reach npm's registry the programs from there are left out.
build/apps/node_modules: test/apps/package.json test/apps/package-lock.json
	@echo '  NPM   $@'
	@mkdir -p build/apps
	@cp $^ build/apps
	$(Q)if npm install --prefix build/apps --omit=optional --ignore-scripts --no-audit --no-fund \
	  --loglevel=error >build/apps/npm.log 2>&1; then touch $@; else \
	  tail -3 build/apps/npm.log; echo '  npm does not reach its registry: no programs from there'; fi

# The suites of Redis and Valkey themselves; the first run downloads the source of Debian's redis.
suites: all
	@scripts/setup.sh suites
	@ROX_SERVER=$(CURDIR)/$(B)/roxdb-server $(PYTHON) scripts/peer_suites.py $(ARGS)

bench: all tools
	@scripts/setup.sh test
	@ROX_SERVER=$(B)/roxdb-server ROX_TOOL=$(B)/roxdb-tool ROX_TOOLS=$(B)/tools \
	  $(PYTHON) scripts/bench.py $(ARGS)

soak: all tools
	@scripts/setup.sh test
	@ROX_SERVER=$(B)/roxdb-server ROX_TOOL=$(B)/roxdb-tool ROX_TOOLS=$(B)/tools \
	  $(PYTHON) scripts/soak.py $(ARGS)

# What libFuzzer finds goes to build/fuzz; a find worth keeping is copied to test/fuzz/corpus.
FUZZ_SECONDS ?= 20
fuzz:
	@scripts/setup.sh fuzz
	$(SUBMAKE) CONFIG=fuzz fuzzers
	@scripts/run_fuzzers.sh build/fuzz '$(FUZZ_SECONDS)' $(FUZZ_TARGETS)

check:
	@scripts/setup.sh check
	@status=0; \
	scripts/check_format.sh || status=1; \
	$(PYTHON) scripts/check_includes.py || status=1; \
	$(PYTHON) scripts/check_source.py || status=1; \
	exit $$status

format:
	@scripts/setup.sh check
	@scripts/check_format.sh --fix

hardening: programs
	@scripts/check_hardening.sh $(PROGRAMS)

PREFIX ?= /usr/local
install: all
	$(call say,COPY,$(DESTDIR)$(PREFIX))
	$(Q)install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin lib include/roxdb share/roxdb)
	$(Q)install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	$(Q)install -m 644 $(B)/libroxdb.a $(DESTDIR)$(PREFIX)/lib
	$(Q)install -m 755 $(B)/libroxdb.so $(DESTDIR)$(PREFIX)/lib
	$(Q)install -m 644 $(wildcard include/roxdb/*.h) $(DESTDIR)$(PREFIX)/include/roxdb
	$(Q)install -m 644 $(wildcard config/*) LICENSE $(DESTDIR)$(PREFIX)/share/roxdb

clean:
	rm -rf build

help:
	@echo 'make                release build: roxdb-server, roxdb-tool, libroxdb.a, libroxdb.so'
	@echo 'make run            build and serve; ARGS="--port 7000" goes to the server'
	@echo 'make test           debug build with sanitizers, all tests; ONLY=unit runs one suite,'
	@echo '                    TEST_ARGS="--run_test=base_glob" goes to the unit tests'
	@echo 'make apps           real programs (queues, caches, sessions) with a server of ours'
	@echo 'make suites         the test suites of Redis and Valkey with a server of ours; ARGS="unit/dump"'
	@echo '                    or ARGS="--source valkey-9.1.2.tar.gz" to the script'
	@echo 'make check          format, include direction, banned calls, dead files'
	@echo 'make format         apply clang-format 14'
	@echo 'make bench          measure, beside redis-server when it is installed; ARGS to the script'
	@echo 'make soak           long tests; ARGS to the script'
	@echo 'make fuzz           each fuzz target for FUZZ_SECONDS=20 (clang)'
	@echo 'make hardening      is the server linked and compiled as it should be?'
	@echo 'make lib            only libroxdb.a and libroxdb.so'
	@echo 'make install        to DESTDIR and PREFIX=/usr/local'
	@echo 'make clean          remove build/'
	@echo
	@echo 'V=1 shows the commands; CXXFLAGS, LDFLAGS are added; CFI=1 builds with clang and checks'
	@echo 'indirect calls; ROX_SKIP_SETUP=1 never installs packages.'
