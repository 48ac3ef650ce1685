# What comes from outside (all of it Debian packages, see packages.txt), and the flags that all our code is
# compiled with: two interface targets, jaunt_outside and jaunt_flags.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(LUA REQUIRED lua5.4)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(CURL REQUIRED libcurl)
pkg_check_modules(MHD REQUIRED libmicrohttpd)
pkg_check_modules(CRYPTO REQUIRED libcrypto)
find_library(LUA_LIBRARY liblua5.4.a REQUIRED) # calls into a shared one cost a call of a vendor some 4 % more
find_library(CJSON_LIBRARY liblua5.4-cjson.a REQUIRED)
find_library(CSV_LIBRARY csv REQUIRED)
find_library(SQLITE_LIBRARY NAMES libsqlite3.a sqlite3 REQUIRED)
find_library(Z_LIBRARY libz.a REQUIRED)
find_path(READLINE_INCLUDE_DIR readline/readline.h) # loaded when it is needed, too; without it the prompt takes plain lines

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

# lua-cjson is a static library that refers to Lua's: it stands before it. libcurl, libmicrohttpd and libcrypto are not
# linked but loaded when they are first needed (http/libcurl.c, serve/libmicrohttpd.c, native/native_digest.c): of them there are only the headers.
add_library(jaunt_outside INTERFACE)
target_include_directories(jaunt_outside SYSTEM INTERFACE ${LUA_INCLUDE_DIRS} ${CURL_INCLUDE_DIRS} ${MHD_INCLUDE_DIRS}
                                                  ${CRYPTO_INCLUDE_DIRS})
target_link_libraries(jaunt_outside INTERFACE ${CJSON_LIBRARY} ${LUA_LIBRARY} PkgConfig::UV ${CSV_LIBRARY} ${Z_LIBRARY} ${SQLITE_LIBRARY}
                                              Threads::Threads ${CMAKE_DL_LIBS} m)
