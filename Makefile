# `make demo` and `make test` each do all their own set-up.
.PHONY: help setup configure build demo test test-models style format clean
CPP = $(shell git ls-files '*.h' '*.cpp')

help:
	@echo "make demo    run the main job on an embedded default"
	@echo "make test    build and run every test"
	@echo "make test-models  real models of four sizes against reference values (fetches 1.9 GB, skips what cannot be had)"
	@echo "make build   build/feature-interpreter, the Python packages and the tests"
	@echo "make style   formatting, include order, Python and Rust style"
	@echo "make format  apply the formatting"
	@echo "make clean   remove build output (keeps .venv and the model)"

setup:
	@tools/setup.sh

configure: setup
	@cmake --preset release -DCMAKE_MESSAGE_LOG_LEVEL=WARNING

build: configure
	@ninja -C build

demo: configure
	@ninja -C build feature-interpreter
	@build/feature-interpreter demo

test: build
	@ctest --test-dir build --output-on-failure
	@.venv/bin/python -m pytest -q tests/tools tests/report tests/page tests/cli tests/python tests/docs

# Each model in a process of its own, as the test looks at the peak of memory.
test-models: build
	@.venv/bin/python tools/fetch_test_models.py || true
	@ninja -C build test_real_models
	@for i in 0 1 2 3; do for way in HeldAsStored InFp32AndLosesLittleInInt8; do \
	  build/tests/model/test_real_models --gtest_brief=1 --gtest_filter="*$$way/number$$i" || exit 1; done; done

style: setup
	@.venv/bin/clang-format --dry-run -Werror $(CPP)
	@.venv/bin/ruff check --quiet tools python tests && .venv/bin/ruff format --check --quiet tools python tests
	@.venv/bin/python tools/check_includes.py
	@cd rust && cargo fmt --check

format: setup
	@.venv/bin/clang-format -i $(CPP)
	@.venv/bin/ruff check --fix --quiet tools python tests; .venv/bin/ruff format --quiet tools python tests
	@cd rust && cargo fmt

clean:
	@rm -rf build build-*
