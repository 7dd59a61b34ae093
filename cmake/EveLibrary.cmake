# The installed library `eve`: the rooms a service needs, in one archive, with find_package(eve) and
# pkg-config files.
set(EVE_LIBRARY_ROOMS base crypto wire state journal mixer execution verification membership
  durability pair client runtime cli)

add_library(eve STATIC)
add_library(eve::eve ALIAS eve)
foreach(room ${EVE_LIBRARY_ROOMS})
  target_sources(eve PRIVATE $<TARGET_OBJECTS:eve_${room}>)
endforeach()
set_target_properties(eve PROPERTIES LINKER_LANGUAGE CXX)
target_compile_features(eve PUBLIC cxx_std_20)
target_include_directories(eve PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(eve PUBLIC OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
target_link_libraries(eve PRIVATE $<BUILD_INTERFACE:PkgConfig::xxhash>
  $<BUILD_INTERFACE:tomlplusplus::tomlplusplus> $<BUILD_INTERFACE:spdlog::spdlog>)
if(EVE_SANITIZE)
  target_link_options(eve PUBLIC $<BUILD_INTERFACE:-fsanitize=${EVE_SANITIZE}>)
endif()

include(CMakePackageConfigHelpers)
set(EVE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/eve)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/eveConfig.cmake.in
  ${CMAKE_BINARY_DIR}/eveConfig.cmake INSTALL_DESTINATION ${EVE_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/eveConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
configure_file(${CMAKE_CURRENT_LIST_DIR}/eve.pc.in ${CMAKE_BINARY_DIR}/eve.pc @ONLY)

install(TARGETS eve EXPORT eveTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/eve DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
install(EXPORT eveTargets NAMESPACE eve:: DESTINATION ${EVE_CMAKE_DIR})
install(FILES ${CMAKE_BINARY_DIR}/eveConfig.cmake ${CMAKE_BINARY_DIR}/eveConfigVersion.cmake
  DESTINATION ${EVE_CMAKE_DIR})
install(FILES ${CMAKE_BINARY_DIR}/eve.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
