// The start check: the look-up of a start without the start.
#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <unordered_map>

#include "core/text/utf8.hpp"
#include "platform/ports/clock.hpp"
#include "platform/ports/processes.hpp"
#include "platform/process/environment.hpp"
#include "platform/process/program.hpp"

namespace belfry::platform {

namespace {

constexpr core::span believed_for = std::chrono::seconds{1};
constexpr std::size_t most_believed = 1024;  // names come from outside
constexpr std::size_t shown_bytes = 80;

std::string_view path_in(const environment& env) {
  const auto it = std::find_if(env.rbegin(), env.rend(), [](const auto& e) { return e.first == "PATH"; });
  return it == env.rend() ? std::string_view{} : std::string_view{it->second};
}

class file_system_check final : public start_check {
 public:
  file_system_check(const process_options& options, const clock& time)
      : time_(time), folder_(options.default_cwd), base_(base_environment(&read)) {}

  std::vector<core::field_problem> problems(const core::process_spec& what,
                                            const std::string& base) override {
    const std::string& folder = what.cwd.empty() ? folder_ : what.cwd;
    const std::string program = what.argv.empty() ? "/bin/sh" : what.argv.front();
    const bool own = std::any_of(what.env.begin(), what.env.end(), [](auto& e) { return e.first == "PATH"; });
    std::string_view path = own ? path_in(what.env) : path_in(base_);
    if (path.empty() && !own) path = default_path;
    std::string key;
    key.append(program).append(1, '\0').append(path).append(1, '\0').append(folder);
    const auto now = time_.steady();
    if (believed(key, now)) return {};
    if (const auto wrong = check_folder(folder); wrong.error != 0)
      return {{base + "/cwd", core::shown(folder, shown_bytes), "a directory that this node can enter",
               wrong.text}};
    if (const auto found = find_program(program, path, folder); found.problem.error != 0)
      return {{base + "/argv/0", core::shown(program, shown_bytes), "a program that this node can start",
               found.problem.text}};
    believe(std::move(key), now);
    return {};
  }

 private:
  static const char* read(const char* name) { return std::getenv(name); }

  bool believed(const std::string& key, core::instant now) {
    const std::lock_guard lock{mutex_};
    const auto it = good_until_.find(key);
    return it != good_until_.end() && now < it->second;
  }
  void believe(std::string key, core::instant now) {
    const std::lock_guard lock{mutex_};
    if (good_until_.size() >= most_believed) good_until_.clear();
    good_until_.insert_or_assign(std::move(key), now + believed_for);
  }

  const clock& time_;
  std::string folder_;
  environment base_;
  std::mutex mutex_;
  std::unordered_map<std::string, core::instant> good_until_;
};

}  // namespace

std::unique_ptr<start_check> make_start_check(const process_options& options, const clock& time) {
  return std::make_unique<file_system_check>(options, time);
}

}  // namespace belfry::platform
