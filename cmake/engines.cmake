# The three language engines as imported targets: engine_luajit, engine_duktape, engine_python. Only an engine's own
# room links one, and privately. LuaJIT and Duktape are built at most once for each recipe, into LINGATE_ENGINE_CACHE
# (see third_party/README.md); this costs nothing when they are there.
function(lingate_engine name library)
  set(recipe ${CMAKE_SOURCE_DIR}/third_party/${name}/build.sh)
  execute_process(COMMAND bash ${recipe} ${LINGATE_ENGINE_CACHE} OUTPUT_VARIABLE prefix RESULT_VARIABLE status
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "the engine ${name} could not be built (see above); './dev deps' installs what it needs")
  endif()
  add_library(engine_${name} STATIC IMPORTED GLOBAL)
  set_target_properties(engine_${name} PROPERTIES IMPORTED_LOCATION ${prefix}/lib/${library}
                        INTERFACE_INCLUDE_DIRECTORIES ${prefix}/include)
  file(GLOB parts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/third_party/${name}/*)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${parts} ${CMAKE_SOURCE_DIR}/third_party/engine.sh)
endfunction()

lingate_engine(luajit libluajit.a)
target_link_libraries(engine_luajit INTERFACE m ${CMAKE_DL_LIBS})
lingate_engine(duktape libduktape.a)
target_link_libraries(engine_duktape INTERFACE m)

# Debian's own CPython, whatever other Python the PATH or PKG_CONFIG_PATH would find first.
unset(ENV{PKG_CONFIG_PATH})
set(PKG_CONFIG_EXECUTABLE /usr/bin/pkg-config)
pkg_check_modules(ENGINE_PYTHON REQUIRED IMPORTED_TARGET GLOBAL python-3.11-embed)
add_library(engine_python ALIAS PkgConfig::ENGINE_PYTHON)
