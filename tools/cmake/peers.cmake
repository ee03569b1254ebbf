# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
#
# bench-peers: our transforms and convolvers beside FFTW and zita-convolver (Debian: libfftw3-dev,
# libzita-convolver-dev). Both are GPL: they are linked into this program only, which is not installed.

enable_language(CXX)
pkg_check_modules(FFTW REQUIRED IMPORTED_TARGET fftw3f)
find_path(ZITA_INCLUDE_DIR zita-convolver.h REQUIRED)
find_library(ZITA_LIBRARY zita-convolver REQUIRED)
file(GLOB peer_sources CONFIGURE_DEPENDS tools/peers/*.c tools/peers/*.cpp)
add_executable(bench-peers ${peer_sources} src/app/bench.c src/app/bench_svg.c)
target_include_directories(bench-peers PRIVATE tools/peers)
target_include_directories(bench-peers SYSTEM PRIVATE ${ZITA_INCLUDE_DIR})
target_link_libraries(bench-peers PRIVATE pn_convolve pn_io PkgConfig::CJSON PkgConfig::FFTW ${ZITA_LIBRARY})
