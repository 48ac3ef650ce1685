# What `make bench` needs beside jaunt: built by the target bench_tools alone.
add_executable(bench_measure EXCLUDE_FROM_ALL tests/bench/measure.c)
add_executable(bench_slow_vendor EXCLUDE_FROM_ALL tests/bench/slow_vendor.c)
add_custom_target(bench_tools DEPENDS bench_measure bench_slow_vendor)
foreach(program bench_measure bench_slow_vendor)
  target_link_libraries(${program} PRIVATE jaunt_flags)
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
endforeach()
