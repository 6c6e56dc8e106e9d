#include "tests/platform/live_processes.hpp"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "platform/ports/files.hpp"

namespace belfry::tests {

using platform::process_order;

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= give_up) return condition();
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

bool alive(pid_t pid) {
  const auto stat = platform::read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  if (!stat) return false;
  const auto after_name = stat->rfind(')');
  return after_name != std::string::npos && stat->substr(after_name + 2, 1) != "Z";
}

temporary_folder::temporary_folder() {
  std::string path = "/tmp/belfry-test-XXXXXX";
  REQUIRE(::mkdtemp(path.data()) != nullptr);
  path_ = path;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void temporary_folder::write(const std::string& name, const std::string& text, unsigned mode) const {
  std::ofstream(path_ + "/" + name) << text;
  ::chmod((path_ + "/" + name).c_str(), static_cast<mode_t>(mode));
}

std::optional<std::string> line_of(const std::string& path, std::chrono::milliseconds patience) {
  std::string text;
  const bool there = eventually(
      [&] {
        std::ifstream file(path);
        std::stringstream all;
        all << file.rdbuf();
        text = all.str();
        return text.find('\n') != std::string::npos;
      },
      patience);
  if (!there) return std::nullopt;
  return text.substr(0, text.find('\n'));
}

pid_t pid_in(const std::string& path) {
  const auto line = line_of(path);
  REQUIRE(line);
  return std::stoi(*line);
}

std::string finished::text(core::log_stream stream) const {
  std::string all;
  for (const auto& line : lines)
    if (line.stream == stream) all += line.text + "\n";
  return all;
}

std::size_t finished::bytes() const {
  std::size_t sum = 0;
  for (const auto& line : lines) sum += line.text.size();
  return sum;
}

process_order shell(const std::string& script) {
  process_order order;
  order.what.shell = script;
  order.grace = 200ms;
  return order;
}

process_order program(std::vector<std::string> argv) {
  process_order order;
  order.what.argv = std::move(argv);
  order.grace = 200ms;
  return order;
}

platform::process_order as_run(platform::process_order order, const std::string& id) {
  order.env = {{"BELFRY_RUN_ID", id + "-" + std::to_string(::getpid())}, {"BELFRY_FENCING", "1"}};
  return order;
}

live_processes::live_processes(const platform::process_options& options, platform::process_probe probe,
                               const platform::output_limits& limits)
    : time_(platform::system_clock()),
      processes_(std::make_unique<platform::reactor>(options, *time_, std::move(probe), limits)) {}

live_processes::~live_processes() { processes_.reset(); }

void live_processes::start(const std::string& key, process_order order) {
  const auto output = [this, key](std::vector<platform::output_line> lines) {
    const std::lock_guard hold(mutex_);
    watched& w = all_[key];
    ++w.so_far.callbacks;
    for (auto& line : lines) w.so_far.lines.push_back(std::move(line));
    changed_.notify_all();
  };
  const auto ended = [this, key](platform::process_report report) {
    const std::lock_guard hold(mutex_);
    all_[key].so_far.report = std::move(report);
    ++all_[key].ends;
    changed_.notify_all();
  };
  processes_->start(key, std::move(order), {output, ended});
}

finished live_processes::wait(const std::string& key, std::chrono::milliseconds patience) {
  std::unique_lock hold(mutex_);
  const bool there = changed_.wait_for(hold, patience, [&] { return all_[key].ends > 0; });
  INFO("waiting for the end of " << key);
  REQUIRE(there);
  return all_[key].so_far;
}

finished live_processes::run(process_order order, std::chrono::milliseconds patience) {
  const std::string key = "run-" + std::to_string(++numbered_);
  start(key, std::move(order));
  return wait(key, patience);
}

bool live_processes::ended(const std::string& key) { return ends(key) > 0; }

std::size_t live_processes::ends(const std::string& key) {
  const std::lock_guard hold(mutex_);
  return all_[key].ends;
}

std::size_t live_processes::line_count(const std::string& key) {
  const std::lock_guard hold(mutex_);
  return all_[key].so_far.lines.size();
}

void live_processes::stop(const std::string& key, platform::stop_reason why) { processes_->stop(key, why); }

}  // namespace belfry::tests
