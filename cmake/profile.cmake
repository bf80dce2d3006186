# Profile-guided optimisation. profile.tar.xz holds what a training run counted (`./dev profile`, bench/train.py), one
# file for each source: with it the compiler lays out the hot paths as they are walked. A function that has changed
# since is compiled as if there were no profile; nothing breaks, it is only slower, until `./dev profile` runs again.
# g++ knows a function of an unnamed namespace by the path of its source as it was given, so sources are compiled under
# their path from the build folder (cmake/relative), and that has to lie directly below the clone for them to be found.
#   -DLINGATE_PROFILE=use (Release by g++ 12) | generate | off
set(profile_default off)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT LINGATE_SANITIZE
    AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\.")
  set(profile_default use)
endif()
set(LINGATE_PROFILE ${profile_default} CACHE STRING "use, generate or off")

file(RELATIVE_PATH up ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR})
string(REGEX REPLACE "/$" "" up "${up}")
set(profile_launcher ${CMAKE_SOURCE_DIR}/cmake/relative ${CMAKE_SOURCE_DIR} ${up} ${CMAKE_CXX_COMPILER_LAUNCHER})
if(LINGATE_PROFILE STREQUAL "generate")
  target_compile_options(lingate_options INTERFACE -fprofile-generate -fprofile-update=prefer-atomic)
  target_link_options(lingate_options INTERFACE -fprofile-generate)
elseif(LINGATE_PROFILE STREQUAL "use")
  set(archive ${CMAKE_SOURCE_DIR}/cmake/profile.tar.xz)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${archive})
  set(LINGATE_PROFILE_COUNTS ${CMAKE_BINARY_DIR}/profile/counts)
  file(SHA256 ${archive} hash)
  if(NOT EXISTS ${CMAKE_BINARY_DIR}/profile/${hash})
    file(REMOVE_RECURSE ${CMAKE_BINARY_DIR}/profile)
    file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${LINGATE_PROFILE_COUNTS} TOUCH)
    file(WRITE ${CMAKE_BINARY_DIR}/profile/${hash} "")
  endif()
endif()

# What a changed source has no counts for is no mistake. Where the training saw one size of a copy, g++ makes a version
# for that size and then warns that it would overrun smaller buffers, which it never meets. Builds without the profile
# keep these warnings.
set(quiet -Wno-missing-profile -Wno-coverage-mismatch -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
  -Wno-maybe-uninitialized)

# lingate_profiled(TARGET SOURCE...)  the sources of a target in the current folder that the training has counted.
# g++ looks for counts under the name of the object with its whole path, each / a #; so a copy gets that name.
function(lingate_profiled target)
  if(LINGATE_PROFILE STREQUAL "off")
    return()
  endif()
  set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER "${profile_launcher}")
  if(LINGATE_PROFILE STREQUAL "generate")
    return()
  endif()
  file(REAL_PATH ${CMAKE_CURRENT_BINARY_DIR} objects)
  foreach(source ${ARGN})
    file(RELATIVE_PATH name ${CMAKE_CURRENT_SOURCE_DIR} ${source})
    file(RELATIVE_PATH whole ${CMAKE_SOURCE_DIR} ${source})
    set(counts ${LINGATE_PROFILE_COUNTS}/${whole}.gcda)
    if(NOT EXISTS ${counts})
      continue()
    endif()
    string(REPLACE "/" "#" wanted "${objects}/CMakeFiles/${target}.dir/${name}.gcda")
    file(COPY_FILE ${counts} ${CMAKE_BINARY_DIR}/profile/${wanted} ONLY_IF_DIFFERENT)
    set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${counts} COMPILE_OPTIONS
      "-fprofile-use=${CMAKE_BINARY_DIR}/profile;-fprofile-partial-training;-fno-unroll-loops;-fno-peel-loops;-fprofile-correction;${quiet}")
  endforeach()
endfunction()
