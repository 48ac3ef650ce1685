# What is installed besides the binary: the manual page and the shells' completions, which jaunt prints of itself, the licences,
# and the examples. And the Debian package: cpack.
find_program(GZIP gzip REQUIRED)

set(printed_files "")

# A file that `jaunt ARGUMENTS` prints.
function(jaunt_prints file)
  add_custom_command(
    OUTPUT ${file}
    COMMAND ${CMAKE_COMMAND} -E env --unset=JAUNT_LUALIB sh -c "\"$@\" >${file}" sh $<TARGET_FILE:jaunt> ${ARGN}
    DEPENDS jaunt
    COMMENT "Printing ${file}"
    VERBATIM)
  list(APPEND printed_files ${PROJECT_BINARY_DIR}/${file})
  set(printed_files ${printed_files} PARENT_SCOPE)
endfunction()

jaunt_prints(jaunt.1 help --man)
jaunt_prints(jaunt.bash completion bash)
jaunt_prints(_jaunt completion zsh)
add_custom_command(OUTPUT jaunt.1.gz COMMAND ${GZIP} -9nkf jaunt.1 DEPENDS jaunt.1 VERBATIM)
add_custom_target(jaunt_installed ALL DEPENDS ${printed_files} jaunt.1.gz)

# The licences of what is linked into the binary go with it, as Debian's packages tell them.
set(copyright ${PROJECT_BINARY_DIR}/copyright)
file(READ LICENSE text)
file(WRITE ${copyright}.new "${text}")
foreach(package liblua5.4-dev lua-cjson-dev uthash-dev libsqlite3-dev zlib1g-dev)
  if(EXISTS /usr/share/doc/${package}/copyright)
    file(READ /usr/share/doc/${package}/copyright text)
    string(REGEX REPLACE "-dev$" "" name ${package})
    file(APPEND ${copyright}.new "\n----\n\njaunt contains parts of ${name}:\n\n${text}")
  endif()
endforeach()
file(COPY_FILE ${copyright}.new ${copyright} ONLY_IF_DIFFERENT)

install(FILES ${PROJECT_BINARY_DIR}/jaunt.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${PROJECT_BINARY_DIR}/jaunt.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME jaunt)
install(FILES ${copyright} DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
        FILES_MATCHING REGEX "\\.(lua|json|form|html|xml|txt|csv|ndjson)$" REGEX "settings\\.lua|\\.rejects\\.|/saved/" EXCLUDE)

# Debian's packages put what zsh completes elsewhere than a machine's own programs, tell their changes, and justify what lintian would
# call an error: zlib is linked statically, as Lua and SQLite are, because each shared library makes a start longer.
set(maintainer "The jaunt authors <maintainers@users.noreply.jaunt.invalid>")
set(changelog ${PROJECT_BINARY_DIR}/changelog)
string(TIMESTAMP day "%a, %d %b %Y 00:00:00 +0000" UTC)
file(WRITE ${changelog} "jaunt (${PROJECT_VERSION}) unstable; urgency=medium\n\n  * Version ${PROJECT_VERSION}.\n\n -- ${maintainer}  ${day}\n")
execute_process(COMMAND ${GZIP} -9nkf ${changelog})
set(overrides ${PROJECT_BINARY_DIR}/lintian)
file(WRITE ${overrides} "# linked statically, so that a start is shorter\njaunt: embedded-library zlib *\n")
install(CODE "
  set(share \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}\")
  if(CMAKE_INSTALL_PREFIX MATCHES \"/usr$\")
    set(folder vendor-completions)
    file(INSTALL ${changelog}.gz DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}\")
    file(INSTALL ${overrides} DESTINATION \"\${share}/lintian/overrides\" RENAME jaunt)
  else()
    set(folder site-functions)
  endif()
  file(INSTALL ${PROJECT_BINARY_DIR}/_jaunt DESTINATION \"\${share}/zsh/\${folder}\")")

# ---- the Debian package ----

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT ${maintainer})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS # whatever the umask
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "runs customer journeys written in Lua")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Journeys are scripts that are run once for every person, thousands at a time.
They call outside systems, such as a CRM or an e-mail vendor, and the answers
decide who goes on and who is dropped. Nobody is lost and nobody is called
twice, whatever happens to the process. Rehearsals send everything to pretend
vendors.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What is not linked but loaded when it is needed: a call and a rehearsal can't do without; the prompt takes plain lines without readline,
# and lua-busted is for jaunt test.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libcurl4, libmicrohttpd12, libssl3, libpcre2-8-0, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libreadline8, lua-busted")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion, git")
include(CPack)
