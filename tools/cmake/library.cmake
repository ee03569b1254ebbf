# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
#
# libpinna, static and shared, from the objects of all layers; the header, pkg-config file and CMake package beside it.
# Only what src/pinna.h declares is exported. While the major version is 0 every minor version may change the ABI, so
# that the soname carries both. Nothing there plays: the live player stays with the program, and SDL2 with it.

get_property(layer_objects GLOBAL PROPERTY PINNA_LAYER_OBJECTS)
set(layer_objects "$<FILTER:${layer_objects},EXCLUDE,/(io/audio_device|io/sdl_api|render/live)\\.c>")
set(PINNA_REQUIRES sndfile libmysofa zlib soxr libebur128 libfyaml)
set(library_needs PkgConfig::SNDFILE PkgConfig::MYSOFA PkgConfig::ZLIB PkgConfig::SOXR PkgConfig::EBUR128 PkgConfig::FYAML
  Threads::Threads ${CMAKE_DL_LIBS} m)

include(GNUInstallDirs)
foreach(kind shared static)
  string(TOUPPER ${kind} type)
  add_library(pinna_${kind} ${type} ${layer_objects})
  target_link_libraries(pinna_${kind} PRIVATE ${library_needs})
  target_include_directories(pinna_${kind} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_target_properties(pinna_${kind} PROPERTIES OUTPUT_NAME pinna LINKER_LANGUAGE C)
endforeach()
set_target_properties(pinna_shared PROPERTIES EXPORT_NAME pinna
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set_target_properties(pinna_static PROPERTIES EXPORT_NAME static)
if(NOT PINNA_SANITIZE AND NOT APPLE)
  target_link_options(pinna_shared PRIVATE LINKER:--no-undefined)
endif()

install(TARGETS pinna)
install(TARGETS pinna_shared EXPORT pinna-shared)
install(TARGETS pinna_static EXPORT pinna-static)
install(FILES src/pinna.h TYPE INCLUDE)
file(GLOB hrtf_texts CONFIGURE_DEPENDS hrtf/*.md hrtf/*.txt hrtf/LICENSE*)
install(FILES LICENSE TYPE DOC)
install(FILES README.md TYPE DOC OPTIONAL)
install(FILES ${hrtf_texts} DESTINATION ${CMAKE_INSTALL_DOCDIR}/hrtf)

# pinna.pc: paths relative to where it lies, so that an installed tree can be moved.
string(REPLACE ";" ", " PINNA_PC_REQUIRES "${PINNA_REQUIRES}")
file(RELATIVE_PATH PINNA_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(tools/cmake/pinna.pc.in pinna.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/pinna.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# find_package(pinna) gives pinna::pinna (shared); find_package(pinna COMPONENTS static) pinna::static as well, and
# looks for the libraries that only a static link needs.
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/pinna)
configure_package_config_file(tools/cmake/pinna-config.cmake.in pinna-config.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(pinna-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/pinna-config.cmake ${PROJECT_BINARY_DIR}/pinna-config-version.cmake
  DESTINATION ${package_folder})
install(EXPORT pinna-shared NAMESPACE pinna:: DESTINATION ${package_folder})
install(EXPORT pinna-static NAMESPACE pinna:: DESTINATION ${package_folder})
