#include "app/work/worker.hpp"

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "app/cli/context.hpp"
#include "app/work/loops.hpp"
#include "platform/ports/signals.hpp"
#include "platform/process/watchdog.hpp"

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

constexpr core::span last_words = 2s;  // for a request when there is no time left

std::string new_mark(platform::randomness& chance) { return "work_" + chance.token().text; }

// Counts children down until they are gone.
class departure {
 public:
  explicit departure(std::size_t children) : left_(children) {}
  void one_gone() {
    const std::lock_guard hold(mutex_);
    --left_;
    changed_.notify_all();
  }
  void wait(std::chrono::milliseconds patience) {
    std::unique_lock hold(mutex_);
    changed_.wait_for(hold, patience, [this] { return left_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t left_;
};

// KILL for all children; then the session goes, so that nothing is given to it again; then every run that was
// held goes back, or is told as it ended.
void stop_at_once(work_parts& parts) {
  const auto left = parts.desk.stop();
  const auto gone = std::make_shared<departure>(left.children.size());
  for (const auto& key : left.children) parts.children.abandon(key, [gone] { gone->one_gone(); });
  gone->wait(3s);
  node_line node(parts.plan);
  if (const auto session = parts.desk.session(); !session.empty())
    node.ask("DELETE", "/v1/sessions/" + session, {}, last_words);
  for (std::size_t from = 0; from < left.ends.size(); from += 500) {
    api::json::writer w;
    w.begin_object().key("items").begin_array();
    for (auto i = from; i < std::min(from + 500, left.ends.size()); ++i)
      write_completion(w, left.ends[i].lease, left.ends[i].how);
    w.end_array().end_object();
    if (const auto word = node.post("/v1/completions", w.str(), last_words); !word.yes())
      parts.notes.warn("not-given-back " + word.text);
  }
}

int wait_for_the_end(work_parts& parts) {
  int signals = 0;
  for (;;) {
    const int number = platform::wait_for_signal();
    if (parts.desk.done()) return 0;
    if (++signals == 2) {
      parts.notes.say("worker-stopping at once");
      return 128 + number;
    }
    parts.notes.say("worker-drains; again to stop at once");
    parts.desk.drain();
  }
}

}  // namespace

int work(const work_plan& plan) {
  const node_line address_is_one(plan);  // or the refusal is thrown where somebody catches it
  platform::block_signals();
  const auto clock = platform::system_clock();
  const auto chance = platform::system_randomness();
  const auto mark = new_mark(*chance);
  const auto guard = platform::watchdog::start({"/proc/self/exe", "__guard", mark});
  if (!guard) throw refusal(guard.error());
  work_desk desk(plan, *clock);
  work_notes notes(plan.quiet);
  platform::process_options options;
  options.default_cwd = plan.command.cwd;
  const auto children = platform::real_processes(options, *clock);
  work_parts parts{plan, *clock, desk, notes, *children, *chance, mark};

  std::vector<std::thread> threads;
  for (const auto loop : {claim_loop, beat_loop, report_loop}) threads.emplace_back(loop, parts);
  threads.emplace_back([parts] {
    watch_loop(parts);
    if (parts.desk.done()) platform::interrupt_wait();
  });

  const int code = wait_for_the_end(parts);
  const auto reason = desk.reason();
  if (code != 0 || reason) {
    stop_at_once(parts);
    if (reason) std::fputs(refusal_text(*reason, context{}).c_str(), stderr);
    std::fflush(nullptr);
    // A thread may be in the middle of a request that takes another minute; there is nothing left to tidy up.
    std::_Exit(reason ? number_of(reason->exit) : code);
  }
  for (auto& t : threads) t.join();
  notes.say("worker-left session=" + desk.session());
  return number_of(exit_code::ok);
}

int guard_children(const std::string& mark) {
  platform::guard([&mark] { platform::kill_marked(mark, std::chrono::seconds{5}); });
  return number_of(exit_code::ok);
}

}  // namespace belfry::app
