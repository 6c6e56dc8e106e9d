# Build type, ccache and linker: what makes builds small and quick, with no effect on the language.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
# NDEBUG stays undefined: assertions hold in releases, a broken invariant ends the process.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")

find_program(BELFRY_CCACHE ccache)
if(BELFRY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # base_dir and hash_dir let build folders share results; the sloppiness is what precompiled headers need.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1
      "${BELFRY_CCACHE}")
  if(BELFRY_PCH)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      add_compile_options(-fpch-preprocess)
    else()
      add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
endif()

find_program(BELFRY_MOLD mold)
if(BELFRY_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
