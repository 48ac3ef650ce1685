# The tests, each one entry of ctest:
#   unit/LAYER_WHAT           tests/unit/LAYER_WHAT.c, linked with that layer and those below
#   fuzz/LAYER_WHAT           tests/fuzz/LAYER_WHAT.c with the driver there, linked likewise
#   spec/, conformance/, faults/, soak/WHAT    the *_spec.lua files there, run by the host jaunt-spec
# Their names end in "+asan" or "+tsan" under sanitizers, so that one run over several builds tells them apart.
# tests/support/*.c is a library for C tests; a *_main.c there becomes a program of its own in BUILD/tests, a *_preload.c a library there
# that is put before the system's.

find_library(CRYPTO_LIBRARY crypto REQUIRED)
find_library(SSL_LIBRARY ssl REQUIRED)

set(test_suffix "")
set(test_patience 1) # sanitizers are slow
if(JAUNT_SANITIZE STREQUAL "thread")
  set(test_suffix "+tsan")
  set(test_patience 5)
elseif(JAUNT_SANITIZE)
  set(test_suffix "+asan")
  set(test_patience 3)
endif()

# What concerns threads, and so what `make tsan` runs. Not spec/sandbox: that sanitizer delivers signals at system calls only, so
# that a script which loops is never stopped.
set(threads_pattern "^(unit/(store|http|calls|engine|serve)_|spec/(run_command|interrupt|journey|chance|events|vendor|control|outages|room)|faults/)")

set(test_output ${PROJECT_BINARY_DIR}/tests)
set(test_environment
    JAUNT=$<TARGET_FILE:jaunt>
    JAUNT_SOURCE=${PROJECT_SOURCE_DIR}
    JAUNT_LUALIB=${PROJECT_SOURCE_DIR}/lualib
    JAUNT_BUILD=${PROJECT_BINARY_DIR}
    COLUMNS= # nothing of whoever runs them
    XDG_CONFIG_HOME=${test_output}/none
    ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
    UBSAN_OPTIONS=print_stacktrace=1
    TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp)
if(DEFINED ENV{JAUNT_DATA})
  list(APPEND test_environment JAUNT_DATA=$ENV{JAUNT_DATA})
else()
  list(APPEND test_environment JAUNT_DATA=${PROJECT_SOURCE_DIR}/../shared/data)
endif()

function(jaunt_test name label timeout)
  math(EXPR timeout "${timeout} * ${test_patience}")
  set(labels ${label})
  if(name MATCHES "${threads_pattern}")
    list(APPEND labels threads)
  endif()
  add_test(NAME ${name}${test_suffix} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name}${test_suffix} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout} SKIP_RETURN_CODE 77
                       ENVIRONMENT "${test_environment}")
endfunction()

# ---- support ----

file(GLOB support CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/support/*.c)
set(support_mains ${support})
list(FILTER support_mains INCLUDE REGEX "_main\\.c$")
set(support_preloads ${support})
list(FILTER support_preloads INCLUDE REGEX "_preload\\.c$")
list(FILTER support EXCLUDE REGEX "(_main|_preload|/spec_host)\\.c$")

add_library(jaunt_test_flags INTERFACE)
target_include_directories(jaunt_test_flags INTERFACE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/tests/support)
target_link_libraries(jaunt_test_flags INTERFACE ${CMOCKA_LIBRARY} ${SSL_LIBRARY} ${CRYPTO_LIBRARY})
if(support)
  add_library(jaunt_test_support STATIC ${support})
  target_link_libraries(jaunt_test_support PUBLIC jaunt_base jaunt_test_flags)
else()
  add_library(jaunt_test_support INTERFACE)
  target_link_libraries(jaunt_test_support INTERFACE jaunt_base jaunt_test_flags)
endif()

foreach(file IN LISTS support_mains)
  get_filename_component(program ${file} NAME_WE)
  string(REGEX REPLACE "_main$" "" program ${program})
  add_executable(${program} ${file})
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${test_output})
  target_link_libraries(${program} PRIVATE jaunt_test_support)
endforeach()

foreach(file IN LISTS support_preloads)
  get_filename_component(library ${file} NAME_WE)
  add_library(${library} MODULE ${file})
  set_target_properties(${library} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${test_output})
  target_link_libraries(${library} PRIVATE jaunt_flags ${CMAKE_DL_LIBS})
  target_compile_options(${library} PRIVATE -fno-sanitize=all) # it is there before the sanitizers are
  target_link_options(${library} PRIVATE -fno-sanitize=all)
endforeach()

# ---- C ----

file(GLOB unit_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/*.c)
foreach(file IN LISTS unit_tests)
  get_filename_component(what ${file} NAME_WE)
  string(REGEX MATCH "^[a-z]+" layer ${what})
  if(NOT TARGET jaunt_${layer})
    message(FATAL_ERROR "${file}: its name has to begin with a layer of runtime/")
  endif()
  add_executable(unit_${what} ${file})
  set_target_properties(unit_${what} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${test_output})
  target_link_libraries(unit_${what} PRIVATE jaunt_test_support jaunt_${layer})
  jaunt_test(unit/${what} unit 120 unit_${what})
endforeach()

# ---- fuzz targets, each tried with a few thousand texts ----

file(GLOB fuzz_targets CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/*_*.c)
foreach(file IN LISTS fuzz_targets)
  get_filename_component(what ${file} NAME_WE)
  string(REGEX MATCH "^[a-z]+" layer ${what})
  if(JAUNT_FUZZ) # libFuzzer is the driver then, and `make fuzz` runs it
    add_executable(fuzz_${what} ${file})
    target_link_options(fuzz_${what} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(fuzz_${what} ${file} ${PROJECT_SOURCE_DIR}/tests/fuzz/driver.c)
    jaunt_test(fuzz/${what} fuzz 60 fuzz_${what})
  endif()
  set_target_properties(fuzz_${what} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${test_output})
  target_link_libraries(fuzz_${what} PRIVATE jaunt_test_flags jaunt_${layer})
endforeach()

# ---- Lua ----

# busted's modules in C find Lua in the host: it shows them all of it.
add_executable(jaunt-spec tests/support/spec_host.c)
set_target_properties(jaunt-spec PROPERTIES ENABLE_EXPORTS ON)
target_link_libraries(jaunt-spec PRIVATE -Wl,--whole-archive,${LUA_LIBRARY},--no-whole-archive jaunt_top)

foreach(folder spec conformance faults soak)
  file(GLOB specs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${folder}/*_spec.lua)
  foreach(file IN LISTS specs)
    get_filename_component(what ${file} NAME_WE)
    string(REGEX REPLACE "_spec$" "" what ${what})
    set(timeout 900)
    if(folder STREQUAL "soak")
      set(timeout 7200)
    endif()
    jaunt_test(${folder}/${what} ${folder} ${timeout} jaunt-spec ${file})
  endforeach()
endforeach()
