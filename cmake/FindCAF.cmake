# Debian's libcaf-dev has no CMake or pkg-config file. Targets: caf::core, caf::io, caf::openssl.
find_path(CAF_INCLUDE_DIR caf/all.hpp)
find_library(CAF_core_LIBRARY caf_core)
find_library(CAF_io_LIBRARY caf_io)
find_library(CAF_openssl_LIBRARY caf_openssl)

if(CAF_INCLUDE_DIR AND EXISTS "${CAF_INCLUDE_DIR}/caf/config.hpp")
  file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" _caf_version REGEX "^#define CAF_VERSION [0-9]+$")
  string(REGEX REPLACE "[^0-9]" "" _caf_version "${_caf_version}")
  if(_caf_version) # 1706 is 0.17.6
    math(EXPR _caf_major "${_caf_version} / 10000")
    math(EXPR _caf_minor "${_caf_version} / 100 % 100")
    math(EXPR _caf_patch "${_caf_version} % 100")
    set(CAF_VERSION "${_caf_major}.${_caf_minor}.${_caf_patch}")
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF
  REQUIRED_VARS CAF_core_LIBRARY CAF_io_LIBRARY CAF_openssl_LIBRARY CAF_INCLUDE_DIR
  VERSION_VAR CAF_VERSION)
mark_as_advanced(CAF_INCLUDE_DIR CAF_core_LIBRARY CAF_io_LIBRARY CAF_openssl_LIBRARY)

if(CAF_FOUND AND NOT TARGET caf::core)
  # The API differs between minor versions; the code is written for 0.17.
  if(NOT CAF_VERSION MATCHES "^0\\.17\\.")
    message(FATAL_ERROR "belfry needs CAF 0.17, found ${CAF_VERSION}")
  endif()
  foreach(_caf_part core io openssl)
    add_library(caf::${_caf_part} UNKNOWN IMPORTED)
    set_target_properties(caf::${_caf_part} PROPERTIES
      IMPORTED_LOCATION "${CAF_${_caf_part}_LIBRARY}"
      INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}")
  endforeach()
  set_property(TARGET caf::core PROPERTY INTERFACE_LINK_LIBRARIES Threads::Threads)
  set_property(TARGET caf::io PROPERTY INTERFACE_LINK_LIBRARIES caf::core)
  set_property(TARGET caf::openssl PROPERTY INTERFACE_LINK_LIBRARIES caf::io)
endif()
