// FILES and the machine: what the node asks of the operating system besides time and processes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/errors/result.hpp"
#include "core/time/instant.hpp"

namespace belfry::platform {

core::result<std::string> read_file(const std::string& path, std::size_t at_most);
core::result<void> write_file_atomically(const std::string& path, const std::string& text,
                                         unsigned mode = 0600);
core::result<void> make_folder(const std::string& path, unsigned mode = 0700);  // with parents
std::uint64_t disk_free(const std::string& path);                               // bytes; 0 when unknown
std::uint64_t resident_memory();                                                // bytes of this process
core::span cpu_used();  // user + system of this process
std::string host_name();
std::string user_name();  // effective user
std::int64_t process_id();
void raise_file_limit();  // soft RLIMIT_NOFILE to the hard one
std::vector<std::string> list_folder(const std::string& path);

}  // namespace belfry::platform
