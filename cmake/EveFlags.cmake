# Compiler settings shared by every target. Warnings are errors.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# Sanitizer builds: fast enough to run everything in CI, with line numbers in reports.
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_COVERAGE "-O1")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(eve_flags INTERFACE)
target_compile_options(eve_flags INTERFACE -Wall -Wextra -Wpedantic -Werror -Wshadow
  -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # GCC 12 sees ghosts in moved variants and concatenated strings (GCC bugs 105329, 105593).
  target_compile_options(eve_flags INTERFACE -Wno-maybe-uninitialized -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(eve_flags INTERFACE -Wthread-safety)
endif()
target_include_directories(eve_flags INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src
  ${CMAKE_SOURCE_DIR})
if(EVE_VERIFY)
  target_compile_definitions(eve_flags INTERFACE EVE_VERIFY=1)
endif()
if(EVE_SANITIZE)
  target_compile_options(eve_flags INTERFACE -fsanitize=${EVE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(eve_flags INTERFACE -fsanitize=${EVE_SANITIZE})
endif()
if(EVE_COVERAGE)
  # Clang's own: gcc counts the edges of exceptions that cannot be thrown as branches.
  target_compile_options(eve_flags INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(eve_flags INTERFACE -fprofile-instr-generate)
endif()
if(EVE_FUZZ)
  # Coverage in the libraries; only the fuzz targets themselves link libFuzzer's main.
  target_compile_options(eve_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
