#include "app/serve/folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "app/client/node_client.hpp"
#include "platform/ports/clock.hpp"
#include "platform/ports/files.hpp"

namespace belfry::app {

core::result<std::unique_ptr<folder_lock>> folder_lock::take(const std::string& folder) {
  const std::string path = folder + "/node.lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return core::failure{core::errc::unavailable,
                         "the data folder cannot be written: " + path + ": " + std::strerror(errno),
                         {},
                         "choose another one with --data, or change its owner"};
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 64> text{};
    const auto got = pread(fd, text.data(), text.size() - 1, 0);
    close(fd);
    std::string holder = got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "unknown";
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    return core::failure{
        core::errc::store_held,
        "another node has the data folder " + folder + ": process " + holder,
        {},
        "stop that node, or give this one another folder with --data; `ps -p " + holder + "` shows it"};
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    close(fd);
    return core::failure{core::errc::unavailable,
                         "the data folder cannot be written: " + path + ": " + std::strerror(errno),
                         {},
                         "choose another one with --data"};
  }
  return std::unique_ptr<folder_lock>(new folder_lock(fd));
}

core::result<void> folder_lock::look(const std::string& folder) {
  const int fd = open((folder + "/node.lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const bool free = flock(fd, LOCK_SH | LOCK_NB) == 0;
  std::array<char, 64> text{};
  const auto got = free ? 0 : pread(fd, text.data(), text.size() - 1, 0);
  close(fd);
  if (free) return {};
  std::string holder = got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "unknown";
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return core::failure{
      core::errc::store_held, "process " + holder + " has the data folder " + folder, {}, "ps -p " + holder};
}

folder_lock::~folder_lock() {
  if (ftruncate(fd_, 0) != 0) errno = 0;  // the file is only a name for the lock
  close(fd_);
}

core::result<void> make_data_folder(const std::string& folder) {
  auto made = platform::make_folder(folder);
  if (!made)
    return core::failure{core::errc::unavailable,
                         "the data folder " + folder + " cannot be made: " + made.error().text,
                         {},
                         "choose another one with --data"};
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    return core::failure{core::errc::unavailable,
                         "the data folder " + folder + " cannot be written: " + std::strerror(errno),
                         {},
                         "choose another one with --data, or change its owner"};
  return {};
}

core::result<std::string> mark_of(const std::string& folder) {
  const std::string path = folder + "/identity";
  auto text = platform::read_file(path, 4096);
  if (!text || text->size() < 32) {
    const std::string fresh = random_key();
    if (auto written = platform::write_file_atomically(path, fresh + "\n"); !written) return written.error();
    text = fresh + "\n";
  }
  std::error_code error;
  const auto real = std::filesystem::canonical(folder, error);
  const auto hash = platform::sha256(text->substr(0, 32) + ":" + (error ? folder : real.string()));
  constexpr std::string_view hex = "0123456789abcdef";
  std::string mark;
  for (std::size_t i = 0; i < 12; ++i) mark += {hex[hash[i] >> 4U], hex[hash[i] & 15U]};
  return mark;
}

void notify_manager(const std::string& state) {
  const char* where = std::getenv("NOTIFY_SOCKET");
  if (where == nullptr || (*where != '/' && *where != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(where);
  if (length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, where, length);
  if (*where == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  // The manager's loss when it does not take it: there is nobody to tell.
  if (sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
             size) < 0)
    errno = 0;
  close(fd);
}

}  // namespace belfry::app
