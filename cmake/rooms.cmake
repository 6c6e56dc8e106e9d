# One static library per room. A room whose folder has no source yet is an interface library, so that rooms
# can appear one by one and header-only rooms need no special case.

set(BELFRY_PCH_caf <caf/all.hpp> <algorithm> <chrono> <functional> <map> <memory> <optional> <string>
    <string_view> <unordered_map> <utility> <variant> <vector>)
set(BELFRY_PCH_http <boost/asio.hpp> <boost/beast/core.hpp> <boost/beast/http.hpp> <nlohmann/json.hpp>
    <functional> <map> <memory> <optional> <string> <string_view> <utility> <variant> <vector>)
set(BELFRY_PCH_catch <catch2/catch.hpp> <algorithm> <chrono> <map> <memory> <optional> <string>
    <string_view> <utility> <variant> <vector>)

# belfry_precompile(target kind): kind is caf, http or catch.
function(belfry_precompile target kind)
  if(BELFRY_PCH)
    target_precompile_headers(${target} PRIVATE ${BELFRY_PCH_${kind}})
  endif()
endfunction()

# belfry_room(name [LINKS targets] [DEFINES macros] [PCH kind])
function(belfry_room name)
  cmake_parse_arguments(ROOM "" "PCH" "LINKS;DEFINES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${name}/*.cpp")
  list(REMOVE_ITEM sources "${CMAKE_SOURCE_DIR}/app/main.cpp")
  if(sources)
    set(scope PUBLIC)
    add_library(belfry_${name} STATIC ${sources})
    target_link_libraries(belfry_${name} PRIVATE belfry_warnings)
    if(ROOM_PCH)
      belfry_precompile(belfry_${name} ${ROOM_PCH})
    endif()
    if(BELFRY_UNITY AND name MATCHES "^(actors|api|app)$")
      set_target_properties(belfry_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 5)
      if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # g++ takes a .cpp that another file includes for a header.
        target_compile_options(belfry_${name} PRIVATE -Wno-subobject-linkage)
      endif()
    endif()
  else()
    set(scope INTERFACE)
    add_library(belfry_${name} INTERFACE)
  endif()
  target_include_directories(belfry_${name} ${scope} "${CMAKE_SOURCE_DIR}")
  target_link_libraries(belfry_${name} ${scope} ${ROOM_LINKS})
  target_compile_definitions(belfry_${name} ${scope} ${ROOM_DEFINES})
endfunction()

# belfry_app(LINKS targets): app/main.cpp becomes the executable belfry, the rest of app/ the library
# belfry_app, so that the test suite of app/ can link it.
function(belfry_app)
  cmake_parse_arguments(APP "" "" "LINKS" ${ARGN})
  belfry_room(app LINKS ${APP_LINKS})
  file(GLOB main CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/app/main.cpp")
  if(NOT main)
    message(STATUS "belfry: app/main.cpp is not there yet, no executable")
    return()
  endif()
  add_executable(belfry "${main}")
  target_link_libraries(belfry PRIVATE belfry_app belfry_warnings)
  # Threads hand each other what they allocate, which is where glibc's arenas wait for one another
  # (docs/decisions/0010). The sanitizers bring an allocator of their own.
  if(NOT BELFRY_SANITIZE)
    target_link_options(belfry PRIVATE -Wl,--no-as-needed)
    target_link_libraries(belfry PRIVATE mimalloc)
  endif()
  install(TARGETS belfry)
endfunction()
