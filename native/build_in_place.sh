#!/bin/sh
# Builds the native core and puts it beside the Python sources, for work on them with PYTHONPATH=src.
# PYTHON names the interpreter to build for (python3 unless set); it needs nanobind, cmake and ninja.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
build=build/native
mkdir -p build
cmake -S . -B "$build" -G Ninja -DPython_EXECUTABLE="$("$python" -c 'import sys; print(sys.executable)')" "$@" >"$build.log" 2>&1 ||
    { cat "$build.log" >&2; exit 1; }
cmake --build "$build"
# Moved, not copied over: a running process keeps the file that it has mapped.
for file in "$build"/native/_native*.so; do
    cp "$file" "src/bptt/.new-$(basename "$file")"
    mv -f "src/bptt/.new-$(basename "$file")" "src/bptt/$(basename "$file")"
done
