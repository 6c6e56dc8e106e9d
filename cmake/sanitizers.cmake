# Clang only: g++ needs twice the time and memory for the same checks.
# null and vptr are off because CAF 0.17 binds null references in its own headers.
if(BELFRY_SANITIZE STREQUAL "asan")
  set(_flags -fsanitize=address,undefined -fno-sanitize=null,vptr -fno-sanitize-recover=all)
elseif(BELFRY_SANITIZE STREQUAL "tsan")
  # Only for suites without CAF: Debian's library is not instrumented and reports races that are none.
  set(_flags -fsanitize=thread)
elseif(BELFRY_SANITIZE)
  message(FATAL_ERROR "BELFRY_SANITIZE is '${BELFRY_SANITIZE}'; it can be empty, asan or tsan")
endif()

if(_flags)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "BELFRY_SANITIZE needs clang++: use the preset ${BELFRY_SANITIZE}")
  endif()
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")
  add_compile_options(${_flags} -fno-omit-frame-pointer)
  add_link_options(${_flags})
  unset(_flags)
endif()
