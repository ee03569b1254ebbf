# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
#
# tests/LABEL_NAME.c is a cmocka program, tests/LABEL_NAME.sh a script; the label is one of unit, golden, cli, opencl, lint.
# A program named after a layer (unit_signal_fft) is linked to that layer and what stands below it, and to nothing else.
# A script is called with the source and the build folder; exit status 77 means that a tool it needs is missing.
# Label sanitize: the tests with the label unit once more, built with sanitizers by tools/test below the build folder.

pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
add_library(pn_test_support STATIC EXCLUDE_FROM_ALL tests/support.c)
target_include_directories(pn_test_support PUBLIC tests)
target_compile_definitions(pn_test_support PUBLIC PINNA_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(pn_test_support PUBLIC pn_base PkgConfig::CMOCKA PkgConfig::MYSOFA)

# An OpenCL loader that hangs or aborts on request.
add_library(fake_opencl MODULE tests/fake_opencl.c)
set_target_properties(fake_opencl PROPERTIES C_VISIBILITY_PRESET default)
target_include_directories(fake_opencl SYSTEM PRIVATE ${OPENCL_INCLUDE_DIR})

# Nothing is written into the user's cache; suppressions are for leaks of OpenCL drivers and of libmysofa only.
set(test_environment
  "PINNA_PROGRAM=$<TARGET_FILE:pinna>"
  "PINNA_FAKE_OPENCL=$<TARGET_FILE:fake_opencl>"
  "POCL_CACHE_DIR=${PROJECT_BINARY_DIR}/pocl-cache"
  "XDG_CACHE_HOME=${PROJECT_BINARY_DIR}/cache"
  "ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1"
  "UBSAN_OPTIONS=print_stacktrace=1"
  "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0"
  "TSAN_OPTIONS=second_deadlock_stack=1")

# The built-in set takes seconds to make, minutes with a sanitizer: made once, before what renders with it, and kept in
# the cache that all tests share (its key is the sources of the set, not how they are built).
add_test(NAME make_builtin_set COMMAND pinna hrtf builtin --rate 48000 --quiet)
set_tests_properties(make_builtin_set PROPERTIES LABELS "unit;golden;cli;opencl;sanitize" TIMEOUT 300
  FIXTURES_SETUP builtin_set ENVIRONMENT "${test_environment}")

function(pinna_test name label)
  add_test(NAME ${name} COMMAND ${ARGN})
  if(name MATCHES "render|scene|spatial|cli_|golden_")
    set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED builtin_set)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 300 SKIP_RETURN_CODE 77
    ENVIRONMENT "${test_environment}")
endfunction()

# The unit programs, all and those that name what threads share: what the address and the thread sanitizer get (the
# latter slows programs down tenfold).
add_custom_target(unit_programs)
add_custom_target(threaded_unit_programs)

# The thread sanitizer cannot place its shadow where a kernel moves programs about more than it expects.
set(fixed_addresses)
if(EXISTS /proc/sys/vm/mmap_rnd_bits)
  file(STRINGS /proc/sys/vm/mmap_rnd_bits random_bits)
  find_program(SETARCH setarch)
  if(random_bits GREATER 28 AND SETARCH)
    set(fixed_addresses ${SETARCH} ${CMAKE_SYSTEM_PROCESSOR} -R)
  endif()
endif()

file(GLOB test_programs CONFIGURE_DEPENDS tests/unit_*.c tests/golden_*.c tests/cli_*.c tests/opencl_*.c)
foreach(source ${test_programs})
  get_filename_component(test ${source} NAME_WE)
  string(REGEX REPLACE "_.*" "" label ${test})
  string(REGEX MATCH "^(unit|golden|opencl)_(base|signal|io|device|convolve|spatial|scene|mix|render)" layer ${test})
  string(REGEX REPLACE "^[a-z]+_" "" layer "${layer}")
  add_executable(${test} ${source})
  if(layer)
    target_link_libraries(${test} PRIVATE pn_${layer} pn_test_support)
  else()
    target_link_libraries(${test} PRIVATE pn_render pn_test_support PkgConfig::CJSON)
  endif()
  pinna_test(${test} ${label} ${test})

  if(label STREQUAL "unit")
    file(STRINGS ${source} threaded REGEX "pn_pool_create|pn_ring|pthread_|thrd_|audio_device|pn_live" LIMIT_COUNT 1)
    add_dependencies(unit_programs ${test})
    if(threaded)
      add_dependencies(threaded_unit_programs ${test})
    endif()
    if(PINNA_SANITIZE_TESTS)
      pinna_test(address_${test} sanitize ${PROJECT_BINARY_DIR}/address/${test})
      if(threaded)
        pinna_test(thread_${test} sanitize ${fixed_addresses} ${PROJECT_BINARY_DIR}/thread/${test})
      endif()
    endif()
  endif()
endforeach()

# Scripts look at the source and at the plain build; once is enough.
if(NOT PINNA_SANITIZE)
  file(GLOB test_scripts CONFIGURE_DEPENDS tests/cli_*.sh tests/lint_*.sh tests/opencl_*.sh)
  foreach(source ${test_scripts})
    get_filename_component(test ${source} NAME_WE)
    string(REGEX REPLACE "_.*" "" label ${test})
    pinna_test(${test} ${label} bash ${source} ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  endforeach()
  # A minute or two of both processors.
  set_tests_properties(lint_tidy PROPERTIES TIMEOUT 1200 PROCESSORS 2)
endif()
