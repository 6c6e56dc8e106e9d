#include "platform/process/reactor.hpp"

#include <pthread.h>
#include <boost/asio/post.hpp>

#include <cerrno>
#include <csignal>
#include <utility>

namespace belfry::platform {

using boost::system::error_code;

namespace {
constexpr std::size_t buffer_size = 64 * 1024;  // what a pipe holds
constexpr std::chrono::seconds orphan_pause{2};
constexpr std::chrono::seconds close_patience{10};
}  // namespace

reactor::reactor(const process_options& options, const clock& time, process_probe probe,
                 const output_limits& limits)
    : work_(io_.get_executor()),
      launcher_(options, std::move(probe)),
      allowance_(limits),
      hunter_(io_, [this] { reap_orphans(); }),
      orphan_timer_(io_),
      close_timer_(io_),
      buffer_(buffer_size),
      host_{io_,
            time,
            launcher_,
            allowance_,
            hunter_,
            buffer_,
            [this](std::uint64_t number) { gone(number); }} {
  become_subreaper();
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all,
                  &before);  // inherited by the thread: no signal interrupts it, SIGPIPE included
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

reactor::~reactor() {
  {
    const std::lock_guard hold(mutex_);
    for (auto& [key, e] : by_key_) e.events->mute();
  }
  boost::asio::post(io_, [this] { close(); });
  thread_.join();
  living_.clear();  // before what they refer to
  orphans_.scan(std::chrono::steady_clock::now());
}

void reactor::run() {
  pthread_setname_np(pthread_self(), "belfry-children");
  io_.run();
}

void reactor::start(std::string key, process_order order, process_events events) {
  auto gate = std::make_shared<event_gate>(std::move(events));
  std::uint64_t number = 0;
  bool taken = false;
  {
    const std::lock_guard hold(mutex_);
    number = ++last_number_;
    taken = !by_key_.try_emplace(key, entry{number, gate}).second;
  }
  if (taken) {
    boost::asio::post(io_, [gate] {
      process_report report;
      report.end.spawn_failed = true;
      report.end.spawn_errno = EEXIST;
      report.end.spawn_text = "a process with this key is already running";
      gate->ended(std::move(report));
    });
    return;
  }
  ++running_;
  boost::asio::post(io_, [this, number, k = std::move(key), o = std::move(order), gate]() mutable {
    born(number, std::move(k), std::move(o), std::move(gate));
  });
}

void reactor::born(std::uint64_t number, std::string key, process_order order,
                   std::shared_ptr<event_gate> events) {
  if (closing_) return;
  if (!std::exchange(reaping_, true)) reap_orphans();
  const std::uint64_t others = living_.size();
  auto process = std::make_shared<child>(host_, number, std::move(order), std::move(events));
  living_.emplace(number, resident{std::move(key), process});
  process->begin(others);
}

void reactor::gone(std::uint64_t number) {
  const auto it = living_.find(number);
  if (it == living_.end()) return;
  {
    const std::lock_guard hold(mutex_);
    const auto named = by_key_.find(it->second.key);
    if (named != by_key_.end() && named->second.number == number) by_key_.erase(named);
  }
  living_.erase(it);
  --running_;
  if (closing_ && living_.empty()) io_.stop();
}

void reactor::stop(const std::string& key, stop_reason why) {
  std::uint64_t number = 0;
  {
    const std::lock_guard hold(mutex_);
    const auto it = by_key_.find(key);
    if (it == by_key_.end()) return;
    number = it->second.number;
  }
  boost::asio::post(io_, [this, number, why] {
    if (const auto it = living_.find(number); it != living_.end()) it->second.process->stop(why);
  });
}

void reactor::abandon(const std::string& key, std::function<void()> gone) {
  entry found;
  {
    const std::lock_guard hold(mutex_);
    const auto it = by_key_.find(key);
    if (it != by_key_.end()) {
      found = std::move(it->second);
      by_key_.erase(it);  // the key is free again while the old group is dying
    }
  }
  if (!found.events) return gone();
  found.events->mute_until(std::move(gone));
  boost::asio::post(io_, [this, number = found.number] {
    if (const auto it = living_.find(number); it != living_.end()) it->second.process->kill();
  });
}

void reactor::reap_orphans() {
  orphans_.scan(std::chrono::steady_clock::now());
  orphan_timer_.expires_after(orphan_pause);
  orphan_timer_.async_wait([this](const error_code& error) {
    if (!error) reap_orphans();
  });
}

void reactor::close() {
  closing_ = true;
  std::vector<std::shared_ptr<child>> all;
  for (auto& [number, r] : living_) all.push_back(r.process);
  for (auto& process : all) process->kill();
  if (living_.empty()) return io_.stop();
  close_timer_.expires_after(close_patience);
  close_timer_.async_wait([this](const error_code& error) {
    if (!error) io_.stop();
  });
}

}  // namespace belfry::platform
