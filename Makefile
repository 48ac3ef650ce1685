# The front door: what people type. CMake does the work; see CMakeLists.txt and CMakePresets.json.
#
#   make run      builds jaunt and runs a journey:  make run RUN="run welcome --people FILE"
#   make test     builds it twice (release, and with sanitizers) and runs every test in both
#   make bench    calls a second and what they cost, beside wrk and undici, and what durability costs (BENCH=--json;
#                 tests/bench/run --help, tests/bench/durable --help)
#   make lint     formatting, layers, cppcheck, clang-tidy
#   make format   formats the C files
#   make fuzz     libFuzzer on every parser of foreign bytes, FUZZ_SECONDS each
#   make soak     the long forms of tests, with sanitizers: hostile and honest journeys together, SOAK_SECONDS long, and faults:
#                 SOAK_KILLS, SOAK_RACES, SOAK_STEPS, SOAK_SWEPT, SOAK_TIMES
#   make tsan     the tests that concern threads, under the thread sanitizer
#   make install  installs the release build, its manual page and completion (DESTDIR= and PREFIX= as usual)
#   make package  the same as a Debian package, in build/

RUN    ?= run welcome --people scripts/people/newcomers.csv
JOBS   ?= $(shell nproc)
PREFIX ?= /usr/local

FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 600
SOAK_KILLS   ?= 200
SOAK_RACES   ?= 100000
SOAK_STEPS   ?= 300
SOAK_SWEPT   ?= 10000
SOAK_TIMES   ?= 5
SOAK_LENGTHS := SOAK_SECONDS SOAK_KILLS SOAK_RACES SOAK_STEPS SOAK_SWEPT SOAK_TIMES
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,fuzz_%,$(wildcard tests/fuzz/*_*.c))

.PHONY: run build test tsan fuzz soak bench lint format install package clean

run: build
	@build/release/jaunt $(RUN)

build:
	@cmake/install-packages.sh product build
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build --preset release --target jaunt --parallel $(JOBS)

# One run of ctest over both builds, so that its closing line, told once more at the very end, counts them all.
test:
	@cmake/install-packages.sh product build tests
	@for preset in release debug; do \
	  cmake --preset $$preset --log-level=WARNING >/dev/null && \
	  cmake --build --preset $$preset --parallel $(JOBS) || exit 1; \
	done
	@printf 'subdirs("release" "debug")\n' >build/CTestTestfile.cmake
	@ctest --test-dir build --output-on-failure --no-tests=error --parallel $(JOBS) --output-log build/test.log; \
	  code=$$?; grep 'tests passed' build/test.log; exit $$code

tsan:
	@cmake/install-packages.sh product build tests
	@cmake --preset tsan --log-level=WARNING >/dev/null
	@cmake --build --preset tsan --parallel $(JOBS)
	@ctest --preset tsan --parallel $(JOBS)

fuzz:
	@cmake/install-packages.sh product build tests fuzz
	@cmake --preset fuzz --log-level=WARNING >/dev/null
	@cmake --build --preset fuzz --parallel $(JOBS) --target $(FUZZ_TARGETS)
	@for target in $(FUZZ_TARGETS); do \
	  echo "$$target, $(FUZZ_SECONDS) s"; mkdir -p build/fuzz/corpus/$$target; \
	  build/fuzz/tests/$$target -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -verbosity=0 -print_final_stats=1 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/$$target || exit 1; \
	done

# The long form of what `make test` does for a few seconds, with sanitizers.
soak:
	@cmake/install-packages.sh product build tests
	@cmake --preset debug --log-level=WARNING >/dev/null
	@cmake --build --preset debug --parallel $(JOBS)
	@$(foreach length,$(SOAK_LENGTHS),$(length)=$($(length))) ctest --preset debug -L soak --verbose

bench: build
	@cmake/install-packages.sh bench
	@cmake --build --preset release --target bench_tools --parallel $(JOBS) >/dev/null
	@JAUNT=build/release/jaunt tests/bench/run $(BENCH)
	@JAUNT=build/release/jaunt tests/bench/durable $(BENCH)
	@JAUNT=build/release/jaunt tests/bench/payloads $(BENCH)

lint:
	@cmake/install-packages.sh product build tests lint
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build --preset release --target jaunt_lualib --parallel $(JOBS)
	@cmake/lint.sh build/release $(JOBS)

format:
	@cmake/install-packages.sh lint
	@find runtime tests cmake -name '*.[ch]' -print0 | xargs -0 clang-format -i

install: build
	@cmake --build --preset release --target jaunt_installed --parallel $(JOBS) >/dev/null
	@DESTDIR=$(DESTDIR) cmake --install build/release --prefix $(PREFIX)

package: build
	@cmake/install-packages.sh package
	@cmake --build --preset release --target jaunt_installed --parallel $(JOBS) >/dev/null
	@rm -rf build/release/package && cpack --config build/release/CPackConfig.cmake -B build/release/package >/dev/null
	@mv build/release/package/*.deb build/ && ls build/*.deb

clean:
	@rm -rf build
