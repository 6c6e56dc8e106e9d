#include "keeper.hpp"

#include <algorithm>

namespace belfry::detail {
namespace {

constexpr std::size_t lines_at_once = 500;
constexpr std::size_t bytes_at_once = std::size_t{256} * 1024;

// Moves the next lines out of `from`, as many as one request should carry.
std::vector<line> portion(std::deque<line>& from) {
  std::vector<line> some;
  for (std::size_t bytes = 0; !from.empty() && some.size() < lines_at_once;) {
    bytes += from.front().text.size() + 50;
    if (bytes > bytes_at_once && !some.empty()) break;
    some.push_back(std::move(from.front()));
    from.pop_front();
  }
  return some;
}

}  // namespace

keeper::keeper(std::shared_ptr<transport> to, span lease, span every, told t)
    : to_(std::move(to)),
      lease_(lease),
      every_(every),
      timeout_(std::clamp(lease / 3, span{1000}, span{10'000})),
      told_(std::move(t)),
      beats_([this] { beat_loop(); }),
      writes_([this] { write_loop(); }) {}

keeper::~keeper() {
  {
    const std::lock_guard lock{mutex_};
    done_ = true;
  }
  changed_.notify_all();
  beats_.join();
  writes_.join();
}

void keeper::add(const held_ptr& h) {
  h->next_beat = steady::now() + every_;
  h->changed = [this] {
    {
      const std::lock_guard lock{mutex_};
      news_ = true;
    }
    changed_.notify_all();
  };
  {
    const std::lock_guard lock{mutex_};
    held_.insert(h);
  }
  changed_.notify_all();
}

void keeper::remove(const held_ptr& h) {
  {
    const std::lock_guard lock{mutex_};
    held_.erase(h);
  }
  changed_.notify_all();
}

bool keeper::busy() const {
  const std::lock_guard lock{mutex_};
  return !held_.empty();
}

bool keeper::wait_idle(span at_most) const {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, at_most, [&] { return held_.empty(); });
}

void keeper::cancel_all(const std::string& reason) {
  std::vector<held_ptr> all;
  {
    const std::lock_guard lock{mutex_};
    all.assign(held_.begin(), held_.end());
  }
  for (const auto& h : all) h->cancel(reason);
}

// --- heartbeats ---

void keeper::beat_loop() {
  std::unique_lock lock{mutex_};
  while (!done_) {
    std::vector<held_ptr> ready;
    const auto now = steady::now();
    auto due = steady::time_point::max();
    for (const auto& h : held_) {
      if (h->lost) continue;
      due = std::min(due, h->next_beat);
      if (h->next_beat <= now) ready.push_back(h);
    }
    if (ready.empty()) {
      if (due == steady::time_point::max())
        changed_.wait(lock);
      else
        changed_.wait_until(lock, due);
      continue;
    }
    lock.unlock();
    std::sort(ready.begin(), ready.end(),
              [](const auto& a, const auto& b) { return a->lease_until < b->lease_until; });
    for (const auto& h : ready) beat(*h);
    lock.lock();
  }
}

void keeper::beat(held& h) {
  const auto sent = steady::now();
  auto next = every_;
  try {
    auto body = h.proof();
    body["lease"] = milliseconds(lease_);
    ask_options o;
    o.timeout = timeout_;
    const auto content = encode(body);
    const auto answer = to_->once("POST", h.path("heartbeat"), &content, o);
    h.lease_until = sent + lease_;
    obey(h, answer.body);
  } catch (const unreachable& e) {
    told_.log("heartbeat-failed run=" + h.run_id + ": " + e.what());
    next = std::min(every_, span{1000});
  } catch (const refused& e) {
    if (e.worth_a_retry())
      next = std::min(every_, span{static_cast<span::rep>(1000 * std::max(1.0, e.retry_after.value_or(1)))});
    else if (e.status == 404 || e.status == 409)
      lose(h, e.what());
    else
      told_.log("heartbeat-refused run=" + h.run_id + ": " + e.what());
  }
  if (steady::now() > h.lease_until && !h.lost) h.cancel("lease_expired");
  const std::lock_guard lock{mutex_};
  h.next_beat = sent + next;
}

void keeper::lose(held& h, const std::string& why) {
  h.lost = true;
  {
    // The end of the attempt may have been recorded just before this heartbeat.
    const std::lock_guard lock{mutex_};
    if (std::none_of(held_.begin(), held_.end(), [&](const auto& p) { return p.get() == &h; })) return;
  }
  told_.log("lease-lost run=" + h.run_id + " attempt=" + std::to_string(h.number) + ": " + why);
  h.cancel("lease_lost");
}

void keeper::obey(held& h, const json& answer) {
  if (!answer.is_object()) return;
  for (const auto& command : answer.value("commands", json::array())) {
    if (command == "cancel") h.cancel("cancel");
    if (command == "drain") told_.drain();
  }
}

// --- progress and lines ---

void keeper::write_loop() {
  std::unique_lock lock{mutex_};
  for (;;) {
    changed_.wait(lock, [&] { return done_ || news_; });
    if (done_) return;
    news_ = false;
    const std::vector<held_ptr> all{held_.begin(), held_.end()};
    lock.unlock();
    bool again = false;
    for (const auto& h : all) {
      try {
        write(*h);
      } catch (const unreachable&) {
        again = true;
      } catch (const refused& e) {
        again = again || e.worth_a_retry();
        told_.log("lines-wait run=" + h->run_id + ": " + e.what());
      }
    }
    lock.lock();
    news_ = news_ || again;
    changed_.wait_for(lock, span{200}, [&] { return done_; });  // gathers what comes in quick succession
  }
}

void keeper::flush(held& h) {
  const auto until = steady::now() + span{5000};
  while (!h.lost) {
    std::string why;
    bool again = true;
    try {
      return write(h);
    } catch (const unreachable& e) {
      why = e.what();
    } catch (const refused& e) {
      why = e.what();
      again = e.worth_a_retry();
    }
    if (!again || steady::now() > until) return told_.log("lines-dropped run=" + h.run_id + ": " + why);
    std::this_thread::sleep_for(span{200});
  }
}

void keeper::write(held& h) {
  const std::lock_guard writing{h.writing};
  json progress;
  {
    const std::lock_guard lock{h.mutex};
    std::swap(progress, h.progress);
  }
  if (!progress.is_null() && !h.lost) say(h, "progress", std::move(progress));
  while (!h.lost) {
    if (h.sending.empty()) {
      const std::lock_guard lock{h.mutex};
      h.sending = portion(h.lines);
    }
    if (h.sending.empty()) return;
    json lines = json::array();
    for (const auto& l : h.sending) {
      lines.push_back({{"text", l.text}, {"stream", l.stream}});
      if (!l.level.empty()) lines.back()["level"] = l.level;
    }
    // Numbered, so that sending them again does no harm.
    say(h, "log", {{"lines", std::move(lines)}, {"first", h.first}});
    h.first += static_cast<std::int64_t>(h.sending.size());
    h.sending.clear();
  }
}

void keeper::say(held& h, const char* verb, json body) {
  body.update(h.proof());
  try {
    ask_options o;
    o.timeout = timeout_;
    const auto content = encode(body);
    obey(h, to_->once("POST", h.path(verb), &content, o).body);
  } catch (const stale_lease& e) {
    lose(h, e.what());
  }
}

}  // namespace belfry::detail
