# eve_room(NAME DIR [DEPENDS rooms...] [LINK targets...])
#
# One room: the static library eve_NAME from DIR's *.cc, and, when tests are built, the program
# NAME_test from DIR's *_test.cc. Fuzz targets (*_fuzz.cc) are built by the fuzz preset only.
set_property(GLOBAL PROPERTY EVE_ROOMS "")

function(eve_room name dir)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${dir}/*.cc)
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(TRANSFORM ARG_DEPENDS PREPEND eve_ OUTPUT_VARIABLE depends)

  if(NOT sources)
    return()
  endif()
  add_library(eve_${name} STATIC ${sources})
  target_link_libraries(eve_${name} PUBLIC eve_flags ${depends} ${ARG_LINK})
  set_property(GLOBAL APPEND PROPERTY EVE_ROOMS ${name})

  if(EVE_BUILD_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE eve_${name} GTest::gtest_main rapidcheck
      Threads::Threads)
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT 600 LABELS unit)
  endif()
  if(EVE_FUZZ)
    foreach(fuzzer ${fuzzers})
      get_filename_component(stem ${fuzzer} NAME_WE)
      add_executable(${stem} ${fuzzer})
      target_link_libraries(${stem} PRIVATE eve_${name})
      target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()
