#include "platform/process/child.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <csignal>
#include <utility>

#include "platform/process/proc_scan.hpp"

namespace belfry::platform {

using boost::system::error_code;
using std::chrono::steady_clock;

namespace {
constexpr core::span first_pause = std::chrono::milliseconds{1};
constexpr core::span longest_pause = std::chrono::milliseconds{16};
constexpr core::span longest_sample_pause = std::chrono::seconds{1};
// From KILL to "it will not go": only processes stuck in the kernel live that long.
constexpr std::chrono::seconds kill_patience{5};
}  // namespace

child::child(child_host& host, std::uint64_t number, process_order order, std::shared_ptr<event_gate> events)
    : host_(host),
      number_(number),
      order_(std::move(order)),
      events_(std::move(events)),
      watch_(host.io),
      phase_timer_(host.io),
      grace_timer_(host.io),
      sample_timer_(host.io) {}

template <class Member>
void child::after(boost::asio::steady_timer& timer, core::span pause, Member then) {
  timer.expires_after(pause);
  timer.async_wait([self = shared_from_this(), then](const error_code& error) {
    if (!error && !self->settled_) then(*self);
  });
}

void child::begin(std::uint64_t running) {
  auto result = host_.launch.launch(order_, running, steady_clock::now());
  if (auto* problem = std::get_if<launch_problem>(&result))
    return fail(problem->error, std::move(problem->text));
  auto& started = std::get<launched>(result);
  group_.emplace(started.pid);
  try {
    attend(std::move(started));
  } catch (const boost::system::system_error& e) {  // no room in the kernel for another watched descriptor
    group_->signal(SIGKILL);
    group_.reset();  // the orphan reaper takes it
    fail(e.code().value(), std::string("the process could not be watched: ") + e.what());
  }
}

void child::fail(int error, std::string text) {
  settled_ = true;
  report_.end.spawn_failed = true;
  report_.end.spawn_errno = error;
  report_.end.spawn_text = std::move(text);
  report();
}

void child::attend(launched started) {
  events_->started(started.pid);
  if (started.in) {
    writer_ = std::make_shared<input_writer>(host_.io, std::move(started.in), std::move(order_.input),
                                             started.written);
    writer_->begin();
  }
  order_.input = {};
  const auto deliver = [this](std::vector<output_line> lines) { events_->output(std::move(lines)); };
  const auto closed = [this] {
    if (leader_ended_ && !stopping_ && !settled_) kill_group();
  };
  reader_ = std::make_shared<output_reader>(host_.io, host_.time, host_.allowance, host_.buffer,
                                            output_reader::calls{deliver, closed});
  reader_->begin(std::move(started.out), std::move(started.err));
  watch_.assign(started.pidfd.get());
  started.pidfd.release();
  watch();
  after(sample_timer_, sample_pause_, [](child& c) { c.sample(); });
}

void child::watch() {
  watch_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [self = shared_from_this()](const error_code& error) {
                      if (!error && !self->settled_) self->leader_ended();
                    });
}

void child::sample() {
  if (leader_ended_) return;
  group_->sample_memory();
  sample_pause_ = std::min(sample_pause_ * 2, longest_sample_pause);
  after(sample_timer_, sample_pause_, [](child& c) { c.sample(); });
}

void child::leader_ended() {
  leader_ended_ = true;
  sample_timer_.cancel();
  error_code ignored;
  watch_.close(ignored);
  reader_->drain();
  if (killed_ || stopping_) {
    pause_ = first_pause;
    return sweep();
  }
  if (hurry_ || reader_->closed()) return kill_group();
  after(phase_timer_, order_.linger, [](child& c) { c.kill_group(); });
}

void child::stop(stop_reason why) {
  if (settled_ || stopping_ || !group_) return;
  hurry_ = true;
  if (killed_) return;
  if (leader_ended_) return kill_group();
  if (group_->leader_ended()) return;  // its own end is on the way
  stopping_ = true;
  report_.stopped_with = "TERM";
  report_.end.timed_out = why == stop_reason::timeout;
  report_.end.cancelled = why == stop_reason::cancel;
  group_->signal(SIGTERM);
  group_->signal(SIGCONT);  // a stopped process would not see it
  const auto over = [](child& c) {
    c.report_.stopped_with = "KILL";
    c.kill_group();
  };
  if (order_.grace.count() <= 0) return over(*this);
  after(grace_timer_, order_.grace, over);
}

void child::kill() {
  if (settled_ || !group_) return;
  hurry_ = true;
  kill_group();
}

void child::kill_group() {
  if (std::exchange(killed_, true)) return;
  group_->signal(SIGKILL);
  give_up_ = steady_clock::now() + kill_patience;
  pause_ = first_pause;
  if (leader_ended_) return sweep();
  after(phase_timer_, kill_patience,
        [](child& c) { c.sweep(); });  // its end comes first, unless it cannot die
}

void child::sweep() {
  if (group_->reap()) return settle(true);
  // Members whose parent escaped the group and does not wait for them stay zombies: dead, but not ours to
  // take.
  if (killed_ && pause_ == longest_pause && group_->leader_reaped() && !group_still_running(group_->leader()))
    return settle(true);
  if (killed_ && steady_clock::now() >= give_up_) return settle(false);
  after(phase_timer_, pause_, [](child& c) { c.sweep(); });
  pause_ = std::min(pause_ * 2, longest_pause);
}

void child::settle(bool gone) {
  settled_ = true;
  phase_timer_.cancel();
  grace_timer_.cancel();
  sample_timer_.cancel();
  error_code ignored;
  watch_.close(ignored);
  if (writer_) writer_->close();
  report_.group_gone = gone;
  reader_->drain();
  if (hurry_ || !reader_->closed()) {
    if (auto quarry = quarry_of(order_)) {
      host_.hunt.hunt(std::move(*quarry), [self = shared_from_this()](bool hunted) {
        self->report_.group_gone = self->report_.group_gone && hunted;
        self->report();
      });
      return;
    }
  }
  report();
}

void child::report() {
  const auto self = shared_from_this();  // `gone` forgets us
  if (reader_) {
    reader_->finish();
    report_.output_bytes = reader_->total();
  }
  if (group_) {
    report_.end.exit_code = group_->end().exit_code;
    report_.end.signal = group_->end().signal;
    if (!group_->leader_reaped())
      report_.end.signal = SIGKILL;  // given up: pending, and the only end that it can have
    report_.used = group_->used();
  }
  group_.reset();
  host_.gone(number_);
  events_->ended(std::move(report_));
}

}  // namespace belfry::platform
