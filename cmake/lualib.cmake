# The library jaunt_lualib: every lualib/**/*.lua compiled, written by cmake/embed.c as one C file. One that does not
# compile fails the build, with its line.
add_executable(jaunt-embed cmake/embed.c)
target_compile_definitions(jaunt-embed PRIVATE _GNU_SOURCE)
target_include_directories(jaunt-embed SYSTEM PRIVATE ${LUA_INCLUDE_DIRS})
target_link_libraries(jaunt-embed PRIVATE ${LUA_LIBRARY} ${CMAKE_DL_LIBS} m)

file(GLOB_RECURSE LUALIB_FILES RELATIVE ${PROJECT_SOURCE_DIR}/lualib CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/lualib/*.lua)
list(TRANSFORM LUALIB_FILES PREPEND ${PROJECT_SOURCE_DIR}/lualib/ OUTPUT_VARIABLE lualib_paths)

set(lualib_c ${PROJECT_BINARY_DIR}/lualib.c)
add_custom_command(
  OUTPUT ${lualib_c}
  COMMAND jaunt-embed ${lualib_c} ${PROJECT_SOURCE_DIR}/lualib ${LUALIB_FILES}
  DEPENDS jaunt-embed ${lualib_paths}
  COMMENT "Embedding lualib"
  VERBATIM)
add_library(jaunt_lualib STATIC ${lualib_c})
target_link_libraries(jaunt_lualib PUBLIC jaunt_flags)
