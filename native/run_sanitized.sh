#!/bin/sh
# Builds the native core with the address and undefined-behaviour sanitizers, in a folder of its own, and runs
# tests/native (and the tests given as arguments) on it. Fails on the first finding.
# PYTHON names the interpreter (python3 unless set); it needs nanobind, cmake, ninja and pytest.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
build=build/sanitized
mkdir -p "$build"
flags="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g"
cmake -S . -B "$build" -G Ninja -DPython_EXECUTABLE="$("$python" -c 'import sys; print(sys.executable)')" \
    -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_CXX_FLAGS_RELEASE="-O1" >"$build/configure.log" 2>&1 ||
    { cat "$build/configure.log" >&2; exit 1; }
cmake --build "$build"

# A package folder of links, so that the sanitized library is the one that is imported.
rm -rf "$build/src"
mkdir -p "$build/src/bptt"
for file in src/bptt/*; do
    case "$file" in
    *.so) ;;
    *) ln -s "$PWD/$file" "$build/src/bptt/" ;;
    esac
done
cp "$build"/native/_native*.so "$build/src/bptt/"

# A finding ends the process, with a report on stderr, which pytest must not hold back (--capture=sys).
# The interpreter is not sanitized: the runtimes must be loaded first, and what CPython leaves allocated is no leak.
compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
LD_PRELOAD="$("$compiler" -print-file-name=libasan.so) $("$compiler" -print-file-name=libubsan.so)" \
    ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
    PYTHONPATH="$PWD/$build/src" PYTHONMALLOC=malloc "$python" -m pytest -q --capture=sys -p no:cacheprovider tests/native "$@"
