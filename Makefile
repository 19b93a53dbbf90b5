# pinsight_fdw: build, install and check.
#
#	make, make install, make installcheck	as with every PGXS extension;
#						PG_CONFIG=... selects the installation
#	make WERROR=1				warnings are errors
#	make emulator				the service on loopback
#	make unit, make fuzz-smoke		plain C under ASan and UBSan
#	make indent-check check-includes check-messages clang-build
#
# scripts/test runs all of it; docs/development.md tells more.

MODULE_big = pinsight_fdw
EXTENSION = pinsight_fdw
DATA = $(wildcard pinsight_fdw--*.sql)
PGFILEDESC = "pinsight_fdw - foreign-data wrapper for Partner Center Insights"

# ---------------------------------------------------------------------------
# Sources
# ---------------------------------------------------------------------------

CATALOG_C = src/insights/catalog_data.c

SRCS := $(sort pinsight_fdw.c $(wildcard src/*.c src/*/*.c) $(CATALOG_C))
OBJS = $(SRCS:.c=.o)

# Plain C, that is without postgres.h: unit tests and fuzz targets build from it.
# tools/check-includes knows which files have to be.
PLAIN_SRCS := $(shell grep -L '^\#include "postgres.h"' $(filter-out \
	$(CATALOG_C),$(wildcard $(SRCS)))) $(CATALOG_C)
EMULATOR_SRCS := $(sort $(wildcard emulator/*.c))
UNIT_SRCS := $(sort $(wildcard unit/*.c))
FUZZ_SRCS := $(sort $(wildcard fuzz/*.c))
ALL_HEADERS := $(sort $(wildcard src/*.h src/*/*.h emulator/*.h unit/*.h fuzz/*.h))

# ---------------------------------------------------------------------------
# Flags
# ---------------------------------------------------------------------------

PKG_CONFIG ?= pkg-config
pkg_cflags = $(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null)
pkg_libs = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null || echo $(2))

LIBRARY_VERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" pinsight_fdw.control)

LIB_CFLAGS := $(call pkg_cflags,libcurl jansson libcrypto zlib)
LIB_LIBS := $(call pkg_libs,libcurl,-lcurl) $(call pkg_libs,jansson,-ljansson) \
	$(call pkg_libs,libcrypto,-lcrypto) \
	$(call pkg_libs,zlib,-lz)
EMULATOR_CFLAGS := $(call pkg_cflags,libmicrohttpd jansson sqlite3 libcrypto zlib)
EMULATOR_LIBS := $(call pkg_libs,libmicrohttpd,-lmicrohttpd) \
	$(call pkg_libs,jansson,-ljansson) $(call pkg_libs,sqlite3,-lsqlite3) \
	$(call pkg_libs,libssl,-lssl) $(call pkg_libs,libcrypto,-lcrypto) \
	$(call pkg_libs,zlib,-lz) -lpthread -lm

WARNINGS = -Wall -Wextra -Wmissing-prototypes -Wimplicit-fallthrough \
	-Wno-unused-parameter -Wno-sign-compare
ifdef WERROR
WARNINGS += -Werror
endif

# Headers are tracked by the compiler, whatever the server was configured with.
PG_CPPFLAGS = -Isrc $(LIB_CFLAGS) -DPINSIGHT_VERSION='"$(LIBRARY_VERSION)"' -MMD -MP
PG_CFLAGS = $(WARNINGS) -Wdeclaration-after-statement
# A backend loads us beside other extensions, with all symbols in one pot:
# only what PostgreSQL looks up by name may be seen.
PG_LDFLAGS = -Wl,--version-script=tools/exports.map
SHLIB_LINK = $(LIB_LIBS)

# Bitcode is for inlining into JIT-compiled expressions, and nothing here is
# called from one.  It also asks for the very clang the server was built with,
# which often is not there.  "make with_llvm=yes" builds it all the same.
ifneq ($(origin with_llvm),command line)
override with_llvm := no
endif

# ---------------------------------------------------------------------------
# PGXS
# ---------------------------------------------------------------------------

REGRESS := $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
TAP_TESTS = 1

EXTRA_CLEAN = build $(CATALOG_C) $(SRCS:.c=.d) emulator/pinsight-emulator \
	$(EMULATOR_SRCS:.c=.o) $(EMULATOR_SRCS:.c=.d) log results

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(wildcard $(PGXS)),)
$(error $(PG_CONFIG) names no PGXS: install the server's development package or set PG_CONFIG)
endif
include $(PGXS)

# The SQL tests talk to an emulator, whose data end at a fixed day; the TAP tests
# start their own.  PostgreSQL's command is an echo and the call of pg_regress.
with_emulator = PINSIGHT_EMULATOR_OPTIONS='--rows 1000 --today 2026-06-15' \
	scripts/with-emulator
pg_regress_installcheck := $(if $(findstring &&,$(pg_regress_installcheck)), \
	$(subst &&,&& $(with_emulator),$(pg_regress_installcheck)), \
	$(with_emulator) $(pg_regress_installcheck))
installcheck: emulator

PROVE_FLAGS += -I t
export PINSIGHT_EMULATOR ?= $(CURDIR)/emulator/pinsight-emulator

-include $(wildcard $(SRCS:.c=.d))

# A program of the build's makes C of the catalogue.
CATALOG_READER = tools/read_catalog.c src/insights/json.c src/insights/ascii.c \
	src/insights/text_buffer.c src/error.c
build/print_catalog: tools/print_catalog.c $(CATALOG_READER) $(ALL_HEADERS) tools/read_catalog.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O1 $(WARNINGS) -Isrc -I. $(LIB_CFLAGS) -o $@ \
		tools/print_catalog.c src/insights/catalog.c $(CATALOG_READER) $(LIB_LIBS)

$(CATALOG_C): build/print_catalog catalog/datasets.json
	build/print_catalog < catalog/datasets.json > $@.tmp
	mv $@.tmp $@

# ---------------------------------------------------------------------------
# Emulator
# ---------------------------------------------------------------------------

.PHONY: emulator
emulator:
	$(MAKE) -C emulator $(if $(WERROR),WERROR=1)

# ---------------------------------------------------------------------------
# Plain C under sanitizers: everything goes to build/
# ---------------------------------------------------------------------------

SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
PLAIN_CFLAGS = -std=gnu11 -g -O1 -fno-omit-frame-pointer \
	$(SANITIZE) $(WARNINGS) -Isrc -I. -MMD -MP -DPINSIGHT_VERSION='"$(LIBRARY_VERSION)"'
PLAIN_CC = gcc
# As the server's own flags have it; the emulator's files say so themselves.
GNU = -D_GNU_SOURCE

PLAIN_OBJS := $(PLAIN_SRCS:%.c=build/plain/%.o) build/plain/tools/read_catalog.o
EMU_OBJS := $(patsubst %.c,build/plain/%.o,$(filter-out emulator/main.c,$(EMULATOR_SRCS)))
UNIT_PROGS := $(UNIT_SRCS:unit/%.c=build/unit/%)
FUZZ_PROGS := $(FUZZ_SRCS:fuzz/%.c=build/fuzz/%)

PLAIN_LIB = build/libpin_plain.a
EMU_LIB = build/libpin_emulator.a

build/plain/emulator/%.o: emulator/%.c
	@mkdir -p $(@D)
	$(PLAIN_CC) $(PLAIN_CFLAGS) -Iemulator $(EMULATOR_CFLAGS) -c -o $@ $<

build/plain/unit/emulator_%.o: unit/emulator_%.c
	@mkdir -p $(@D)
	$(PLAIN_CC) $(PLAIN_CFLAGS) -Iunit -Iemulator $(EMULATOR_CFLAGS) -c -o $@ $<

build/plain/unit/%.o: unit/%.c
	@mkdir -p $(@D)
	$(PLAIN_CC) $(PLAIN_CFLAGS) $(GNU) -Iunit $(LIB_CFLAGS) -c -o $@ $<

build/plain/fuzz/emulator_%.o: fuzz/emulator_%.c
	@mkdir -p $(@D)
	$(PLAIN_CC) $(PLAIN_CFLAGS) $(GNU) -Ifuzz -Iemulator -DFUZZ_STANDALONE $(EMULATOR_CFLAGS) -c -o $@ $<

build/plain/fuzz/%.o: fuzz/%.c
	@mkdir -p $(@D)
	$(PLAIN_CC) $(PLAIN_CFLAGS) $(GNU) -Ifuzz -DFUZZ_STANDALONE $(LIB_CFLAGS) -c -o $@ $<

build/plain/%.o: %.c
	@mkdir -p $(@D)
	$(PLAIN_CC) $(PLAIN_CFLAGS) $(GNU) $(LIB_CFLAGS) -c -o $@ $<

$(PLAIN_LIB): $(PLAIN_OBJS)
	@rm -f $@
	ar rcs $@ $^

$(EMU_LIB): $(EMU_OBJS)
	@rm -f $@
	ar rcs $@ $^

build/unit/emulator_%: build/plain/unit/emulator_%.o $(EMU_LIB) $(PLAIN_LIB)
	@mkdir -p $(@D)
	$(PLAIN_CC) $(SANITIZE) -o $@ $^ $(EMULATOR_LIBS) $(LIB_LIBS)

# What is plain C but for the server's headers.
build/plain/src/reader/number.o build/plain/unit/number.o: PLAIN_CFLAGS += -isystem $(includedir_server)
build/clang/unit/number.o: CLANG_FLAGS += -isystem $(includedir_server)
build/unit/number: build/plain/src/reader/number.o

build/unit/%: build/plain/unit/%.o $(PLAIN_LIB)
	@mkdir -p $(@D)
	$(PLAIN_CC) $(SANITIZE) -o $@ $^ $(LIB_LIBS) -lcrypto -lpthread -lm

build/fuzz/emulator_%: build/plain/fuzz/emulator_%.o $(EMU_LIB) $(PLAIN_LIB)
	@mkdir -p $(@D)
	$(PLAIN_CC) $(SANITIZE) -o $@ $^ $(EMULATOR_LIBS) $(LIB_LIBS)

build/fuzz/%: build/plain/fuzz/%.o $(PLAIN_LIB)
	@mkdir -p $(@D)
	$(PLAIN_CC) $(SANITIZE) -o $@ $^ $(LIB_LIBS) -lm

.SECONDARY:
-include $(wildcard build/plain/*.d build/plain/*/*.d build/plain/*/*/*.d)

# UNIT=csv runs unit/csv.c alone.
.PHONY: unit unit-build fuzz fuzz-build fuzz-smoke
unit-build: $(if $(UNIT),$(UNIT:%=build/unit/%),$(UNIT_PROGS))
unit: unit-build
	prove -j2 $(PROVE_FLAGS) --exec '' $(if $(UNIT),$(UNIT:%=build/unit/%),$(UNIT_PROGS))

fuzz-build: $(FUZZ_PROGS)
fuzz-smoke: $(FUZZ_PROGS)
	@set -e; for p in $(FUZZ_PROGS); do echo "== $$p"; $$p; done

# An hour each; FUZZ=csv for fuzz/csv.c alone, FUZZ_SECONDS for less.
FUZZ = $(FUZZ_SRCS:fuzz/%.c=%)
FUZZ_SECONDS = 3600
fuzz: $(FUZZ:%=build/fuzz/%)
	@set -e; for p in $(FUZZ:%=build/fuzz/%); do echo "== $$p"; FUZZ_SECONDS=$(FUZZ_SECONDS) $$p; done

# ---------------------------------------------------------------------------
# Programs of the benchmark, which bench/run runs
# ---------------------------------------------------------------------------

BENCH_SRCS := $(sort $(wildcard bench/*.c))
BENCH_CC = gcc -std=gnu11 -O2 $(WARNINGS) -Isrc -I$(shell $(PG_CONFIG) --includedir-server)
BENCH_READER = src/reader/number.c src/reader/csv.c src/reader/field_map.c src/error.c

.PHONY: bench-build
bench-build: build/bench/limit build/bench/columns build/bench/floor.so
build/bench/limit: bench/limit.c
build/bench/columns: bench/columns.c $(BENCH_READER)
build/bench/limit build/bench/columns: $(ALL_HEADERS)
	@mkdir -p $(@D)
	$(BENCH_CC) -o $@ $(filter %.c,$^)
build/bench/floor.so: bench/floor.c $(ALL_HEADERS)
	@mkdir -p $(@D)
	$(BENCH_CC) -fPIC -shared -o $@ $<

# ---------------------------------------------------------------------------
# Checks
# ---------------------------------------------------------------------------

INDENT = pg_bsd_indent -bad -bap -bbb -bc -bl -cli1 -cp33 -cdb -nce -d0 -di12 \
	-nfc1 -i4 -l79 -lp -lpl -nip -npro -sac -tpg -ts4 -Utools/typedefs.list
INDENT_FILES := $(filter-out $(CATALOG_C),$(SRCS)) $(EMULATOR_SRCS) \
	$(UNIT_SRCS) $(FUZZ_SRCS) $(BENCH_SRCS) $(ALL_HEADERS)

.PHONY: indent indent-check typedefs check-includes check-messages check-symbols clang-build
indent:
	INDENT='$(INDENT)' tools/indent $(INDENT_FILES)
indent-check:
	INDENT='$(INDENT)' tools/indent --check $(INDENT_FILES)
typedefs:
	tools/make-typedefs $(INDENT_FILES)

check-includes:
	tools/check-includes
check-messages: $(OBJS)
	tools/check-messages $(filter-out $(CATALOG_C),$(SRCS))

check-symbols: all
	tools/check-symbols $(MODULE_big).so $(shell $(PG_CONFIG) --bindir)/postgres

# The whole code once more through clang, which sees other mistakes than gcc.
CLANG_CC ?= clang
CLANG_FLAGS = -std=gnu11 -O1 -Werror $(WARNINGS) -Isrc -I. \
	-DPINSIGHT_VERSION='"$(LIBRARY_VERSION)"' -c
CLANG_OBJS := $(patsubst %.c,build/clang/%.o,$(SRCS) $(EMULATOR_SRCS) \
	$(UNIT_SRCS) $(FUZZ_SRCS))

clang-build: $(CLANG_OBJS)

build/clang/emulator/%.o: emulator/%.c $(ALL_HEADERS)
	@mkdir -p $(@D)
	$(CLANG_CC) $(CLANG_FLAGS) -Iemulator $(EMULATOR_CFLAGS) -o $@ $<
build/clang/unit/%.o: unit/%.c $(ALL_HEADERS)
	@mkdir -p $(@D)
	$(CLANG_CC) $(CLANG_FLAGS) $(if $(filter unit/emulator_%,$<),,$(GNU)) -Iunit -Iemulator $(LIB_CFLAGS) $(EMULATOR_CFLAGS) -o $@ $<
build/clang/fuzz/%.o: fuzz/%.c $(ALL_HEADERS)
	@mkdir -p $(@D)
	$(CLANG_CC) $(CLANG_FLAGS) $(GNU) -Ifuzz -Iemulator -DFUZZ_STANDALONE $(LIB_CFLAGS) $(EMULATOR_CFLAGS) -o $@ $<
build/clang/%.o: %.c $(ALL_HEADERS)
	@mkdir -p $(@D)
	$(CLANG_CC) $(CLANG_FLAGS) $(GNU) -Wdeclaration-after-statement $(LIB_CFLAGS) \
		-isystem $(includedir_server) -o $@ $<

# Pages of the manual that are printed from the tables in the code and from the
# catalogue.
DOC_TABLES = errors datasets-mpn datasets-cmp
print_errors = build/tools/print_errors
print_datasets-mpn = build/tools/print_datasets mpn
print_datasets-cmp = build/tools/print_datasets cmp

.PHONY: doc-tables doc-tables-check
build/tools/%: tools/%.c $(PLAIN_LIB)
	@mkdir -p $(@D)
	$(PLAIN_CC) $(PLAIN_CFLAGS) -o $@ $^ $(LIB_LIBS)
doc-tables doc-tables-check: build/tools/print_errors build/tools/print_datasets
doc-tables:
	$(foreach page,$(DOC_TABLES),$(print_$(page)) > docs/$(page).md;)
doc-tables-check:
	@$(foreach page,$(DOC_TABLES),$(print_$(page)) | diff -u docs/$(page).md - || \
		{ echo "docs/$(page).md is not what the code says: run make doc-tables"; exit 1; };)

print-%:
	@echo '$($*)'
