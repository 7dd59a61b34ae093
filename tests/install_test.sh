#!/usr/bin/env bash
# install_test.sh BUILD_DIR: installs Eve into a temporary folder and builds the counter example
# against it, once with find_package(eve) and once with pkg-config; runs both.
set -euo pipefail
build=$(realpath "$1")
source=$(realpath "$(dirname "$0")/..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >/dev/null
mkdir "$work/src"
cp "$source/examples/counter/"*.cc "$work/src/"
cat >"$work/src/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(counter LANGUAGES CXX)
find_package(eve 0.1 REQUIRED)
add_executable(counter counter.cc)
target_link_libraries(counter PRIVATE eve::eve)
CMAKE
cmake -S "$work/src" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/build" >/dev/null
"$work/build/counter" --version

pkg_config_path=$(dirname "$(find "$work/prefix" -name eve.pc)")
flags=$(PKG_CONFIG_PATH=$pkg_config_path pkg-config --cflags --libs eve)
# shellcheck disable=SC2086
g++ -std=c++20 "$work/src/counter.cc" -o "$work/counter" $flags
"$work/counter" --version
"$work/prefix/bin/eve" --version
echo "install: ok"
