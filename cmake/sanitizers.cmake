# -DLINGATE_SANITIZE=address also turns undefined-behaviour checks on; the engines are built without either.
if(LINGATE_SANITIZE STREQUAL "address")
  set(flags -fsanitize=address,undefined -fno-sanitize-recover=undefined)
elseif(LINGATE_SANITIZE STREQUAL "thread")
  set(flags -fsanitize=thread)
  # Asio's fences are no-ops to the thread sanitizer, which g++ says on each; nothing of ours relies on a bare fence.
  target_compile_options(lingate_options INTERFACE -Wno-tsan)
elseif(NOT LINGATE_SANITIZE STREQUAL "")
  message(FATAL_ERROR "LINGATE_SANITIZE is '${LINGATE_SANITIZE}'; it may be address, thread or empty")
endif()
if(flags)
  # What the checks add between two instructions hides from g++ what is initialised (GCC bug 105562).
  target_compile_options(lingate_options INTERFACE ${flags} -g -O1 -Wno-maybe-uninitialized)
  target_link_options(lingate_options INTERFACE ${flags})
  target_compile_definitions(lingate_options INTERFACE LINGATE_SANITIZED)
endif()
