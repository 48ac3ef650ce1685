# One static library for each folder of runtime/: jaunt_base, jaunt_http, and so on. A layer is linked with those
# below it and with nothing else, so that a call upwards does not link. A folder that holds no C file yet is
# an empty library.
function(jaunt_layer name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/runtime/${name}/*.c)
  if(sources)
    set(kind PUBLIC)
    add_library(jaunt_${name} STATIC ${sources})
  else()
    set(kind INTERFACE)
    add_library(jaunt_${name} INTERFACE)
  endif()
  list(TRANSFORM ARGN PREPEND jaunt_ OUTPUT_VARIABLE below)
  target_link_libraries(jaunt_${name} ${kind} ${below} jaunt_flags jaunt_outside)
endfunction()

jaunt_layer(base lualib)
jaunt_layer(store base)
jaunt_layer(http base)
jaunt_layer(people base)
jaunt_layer(calls store http people)
jaunt_layer(engine calls)
jaunt_layer(bind engine)
jaunt_layer(native bind)
jaunt_layer(serve native)
jaunt_layer(repl native)
if(READLINE_INCLUDE_DIR)
  target_compile_definitions(jaunt_repl PRIVATE JAUNT_READLINE)
endif()

# What main.c and the tests' host share and what sees every layer: the list of native modules.
add_library(jaunt_top STATIC runtime/native_modules.c)
target_link_libraries(jaunt_top PUBLIC jaunt_serve jaunt_repl)
