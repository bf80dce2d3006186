# A box is one folder and one static library: every .cpp in the folder (not below it) belongs to it.
#   lingate_box(NAME LINKS ... [EXCEPT FILE...] [COLD])  target lingate_NAME from the current folder; COLD: nothing in
#                                        it is worth the time that optimising takes
#   lingate_box_private(NAME LIBRARY...) what only the box's own sources may include
#   lingate_tests(NAME LINKS ...)        executable test_NAME from *_test.cpp in the current folder
function(lingate_box name)
  cmake_parse_arguments(BOX "COLD" "" "LINKS;EXCEPT" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(TRANSFORM BOX_EXCEPT PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(REMOVE_ITEM sources ${BOX_EXCEPT} "")
  if(sources)
    add_library(lingate_${name} STATIC ${sources})
    target_link_libraries(lingate_${name} PUBLIC lingate_options ${BOX_LINKS})
    if(BOX_COLD)
      target_compile_options(lingate_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
    endif()
  else()
    add_library(lingate_${name} INTERFACE)
    target_link_libraries(lingate_${name} INTERFACE lingate_options ${BOX_LINKS})
  endif()
endfunction()

function(lingate_box_private name)
  get_target_property(type lingate_${name} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    target_link_libraries(lingate_${name} PRIVATE ${ARGN})
  endif()
endfunction()

function(lingate_tests name)
  cmake_parse_arguments(BOX "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE ${BOX_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  # Half of a test's compile time is optimising assertions that run once. The boxes under test stay as they are.
  if(NOT LINGATE_SANITIZE)
    target_compile_options(test_${name} PRIVATE -O0)
  endif()
  gtest_discover_tests(test_${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
endfunction()
