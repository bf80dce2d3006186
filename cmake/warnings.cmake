# One interface target carries the compile options that every box shares.
add_library(lingate_options INTERFACE)
target_compile_options(lingate_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast -Werror)
target_compile_options(lingate_options INTERFACE -fno-omit-frame-pointer)
target_compile_definitions(lingate_options INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ALLOW_DEPRECATED_HEADERS)
target_include_directories(lingate_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
target_link_libraries(lingate_options INTERFACE Threads::Threads)
# g++ 12 warns of overlapping copies in the standard library's own std::string operator+ once it inlines enough of it
# (GCC bug 105651).
target_compile_options(lingate_options INTERFACE $<$<CONFIG:Release>:-Wno-restrict>)
