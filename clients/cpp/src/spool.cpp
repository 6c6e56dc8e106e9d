#include "spool.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <system_error>

namespace belfry::detail {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& where) {
  throw std::system_error(errno, std::generic_category(), where.string());
}

struct descriptor {
  int fd;
  descriptor(const fs::path& path, int flags) : fd(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (fd < 0) fail(path);
  }
  ~descriptor() { ::close(fd); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
};

void write_durably(const fs::path& path, const std::string& text) {
  auto part = path;
  part.replace_extension(".part");
  {
    const descriptor out{part, O_WRONLY | O_CREAT | O_TRUNC};
    for (std::size_t done = 0; done < text.size();) {
      const auto n = ::write(out.fd, text.data() + done, text.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail(part);
      done += static_cast<std::size_t>(n);
    }
    if (::fsync(out.fd) != 0) fail(part);
  }
  fs::rename(part, path);
  const descriptor folder{path.parent_path(), O_RDONLY | O_DIRECTORY};
  if (::fsync(folder.fd) != 0) fail(path.parent_path());
}

std::string read_file(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in) fail(path);
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<span>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void read_folder(const fs::path& folder, std::map<std::string, std::size_t>& found, std::uint64_t& next) {
  for (const auto& f : fs::directory_iterator{folder}) {
    const auto name = f.path().filename().string();
    if (f.path().extension() == ".part") fs::remove(f.path());
    if (f.path().extension() != ".json" || name.size() != 21) continue;
    found[name] = fs::file_size(f.path());
    next = std::max<std::uint64_t>(next, std::stoull(name.substr(0, 16)) + 1);
  }
}

std::size_t sum(const std::map<std::string, std::size_t>& of) {
  std::size_t total = 0;
  for (const auto& [name, size] : of) total += size;
  return total;
}

}  // namespace

spool::spool(spool_options options) : options_(std::move(options)), aside_(options_.directory / "refused") {
  fs::create_directories(aside_);
  fs::permissions(options_.directory, fs::perms::owner_all);
  const auto lock = options_.directory / "lock";
  lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) fail(lock);
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_);
    throw spool_busy("another process has the spool " + options_.directory.string() +
                     "; give each process its own");
  }
  read_folder(options_.directory, waiting_, next_);
  read_folder(aside_, refused_, next_);
}

spool::~spool() { ::close(lock_); }

std::size_t spool::pending() const {
  const std::lock_guard lock{mutex_};
  return waiting_.size();
}

std::vector<json> spool::set_aside() const {
  const std::lock_guard lock{mutex_};
  std::vector<json> all;
  for (const auto& [name, size] : refused_)
    if (fs::exists(aside_ / name)) all.push_back(json::parse(read_file(aside_ / name)));
  return all;
}

void spool::append(const std::string& path, const std::string& body, const std::string& key,
                   bool maybe_sent) {
  const auto now = now_ms();
  const json entry{{"key", key},
                   {"path", path},
                   {"body", body},
                   {"spooled_at_ms", now},
                   {"sent_at_ms", maybe_sent ? json(now) : json(nullptr)}};
  const auto text = entry.dump();
  const std::lock_guard lock{mutex_};
  // Somebody may have looked at what was set aside, and made room.
  std::erase_if(refused_, [&](const auto& r) { return !fs::exists(aside_ / r.first); });
  const auto count = waiting_.size() + refused_.size();
  const auto bytes = sum(waiting_) + sum(refused_);
  if (count + 1 > options_.max_entries || bytes + text.size() > options_.max_bytes)
    throw spool_full("the spool " + options_.directory.string() + " is full (" + std::to_string(count) +
                     " of " + std::to_string(options_.max_entries) + " entries, " + std::to_string(bytes) +
                     " of " + std::to_string(options_.max_bytes) +
                     " bytes) and the node cannot be reached: nothing was submitted");
  char name[32];
  std::snprintf(name, sizeof name, "%016llu.json", static_cast<unsigned long long>(next_));
  write_durably(options_.directory / name, text);
  ++next_;
  waiting_[name] = text.size();
}

void spool::deliver(transport& to) {
  std::vector<std::string> names;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [name, size] : waiting_) names.push_back(name);
  }
  if (names.empty()) return;
  // Asked first, so that a node that is away does not count as one that may have seen the entry.
  ask_options probe;
  probe.retry = once_only;
  to.get("/v1/health", probe);
  for (const auto& name : names) deliver_one(to, name);
}

void spool::deliver_one(transport& to, const std::string& name) {
  const auto path = options_.directory / name;
  auto entry = json::parse(read_file(path));
  if (entry["sent_at_ms"].is_null()) {
    entry["sent_at_ms"] = now_ms();
    write_durably(path, entry.dump());
  } else if (now_ms() - entry["sent_at_ms"].get<std::int64_t>() > options_.resend_within.count()) {
    return set_aside(name, std::move(entry),
                     {{"code", "spooled_too_long"},
                      {"detail",
                       "the node may have taken it when it was first sent and has since forgotten its key: "
                       "look for the run before you submit it again"}});
  }
  try {
    ask_options o;
    o.key = entry["key"].get<std::string>();
    o.retry = once_only;
    const auto body = entry["body"].get<std::string>();
    to.ask("POST", entry["path"].get<std::string>(), &body, o);
  } catch (const refused& e) {
    if (e.worth_a_retry()) throw;
    json problem{{"status", e.status}, {"code", e.code}, {"detail", e.detail}, {"text", e.what()}};
    return set_aside(name, std::move(entry), std::move(problem));
  }
  fs::remove(path);
  const std::lock_guard lock{mutex_};
  waiting_.erase(name);
}

void spool::set_aside(const std::string& name, json entry, json problem) {
  entry["problem"] = std::move(problem);
  const auto text = entry.dump();
  write_durably(aside_ / name, text);
  fs::remove(options_.directory / name);
  const std::lock_guard lock{mutex_};
  waiting_.erase(name);
  refused_[name] = text.size();
}

}  // namespace belfry::detail
