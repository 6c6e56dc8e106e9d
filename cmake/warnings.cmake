# belfry_warnings: linked privately by every target of ours. Third-party headers are system headers and stay silent.
add_library(belfry_warnings INTERFACE)
target_compile_options(belfry_warnings INTERFACE
  -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual)
