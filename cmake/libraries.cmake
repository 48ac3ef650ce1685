# What comes from outside (all of it Debian packages, see packages.txt), and the flags that all our code is
# compiled with: two interface targets, jaunt_outside and jaunt_flags.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(LUA REQUIRED IMPORTED_TARGET lua5.4)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(MHD REQUIRED IMPORTED_TARGET libmicrohttpd)
find_library(CJSON_LIBRARY liblua5.4-cjson.a REQUIRED)
find_library(CSV_LIBRARY csv REQUIRED)

add_library(jaunt_flags INTERFACE)
target_compile_definitions(jaunt_flags INTERFACE _GNU_SOURCE JAUNT_VERSION="${PROJECT_VERSION}")
target_compile_options(jaunt_flags INTERFACE -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
                                             -Wvla -Werror)
target_include_directories(jaunt_flags INTERFACE ${PROJECT_SOURCE_DIR}/runtime)
if(JAUNT_FUZZ)
  target_compile_options(jaunt_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(JAUNT_SANITIZE)
  target_compile_options(jaunt_flags INTERFACE -fsanitize=${JAUNT_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(jaunt_flags INTERFACE -fsanitize=${JAUNT_SANITIZE})
endif()

# lua-cjson is a static library that refers to Lua's: it stands before it.
add_library(jaunt_outside INTERFACE)
target_link_libraries(jaunt_outside INTERFACE ${CJSON_LIBRARY} PkgConfig::LUA PkgConfig::CURL PkgConfig::UV
                                              PkgConfig::MHD ${CSV_LIBRARY} Threads::Threads m)
