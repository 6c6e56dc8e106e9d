#include "platform/process/output_gate.hpp"

#include <algorithm>
#include <utility>

namespace belfry::platform {

namespace {

constexpr std::size_t line_cost = 64;
constexpr std::size_t slice = 4096;
constexpr std::size_t last_words = 8 * 1024;  // of a tail, whatever the others do

// Where the newest part of `tail` begins that costs no more than `allowed`.
std::size_t newest(std::string_view tail, std::size_t allowed) {
  std::size_t at = tail.size();
  for (std::size_t cost = 0; at > 0; --at) {
    cost += tail[at - 1] == '\n' ? 1 + line_cost : 1;
    if (cost > allowed) break;
  }
  return at;
}

}  // namespace

bool output_allowance::spend(std::size_t cost, steady_time now) {
  if (now >= window_start_ + limits_.window) {
    window_start_ = now;
    spent_ = 0;
  }
  spent_ += cost;
  return spent_ <= limits_.all;
}

std::size_t output_allowance::left(steady_time now) const {
  if (now >= window_start_ + limits_.window) return limits_.all;
  return limits_.all - std::min(limits_.all, spent_);
}

void output_gate::take(core::log_stream stream, std::string_view bytes, core::instant at, steady_time now) {
  total_ += bytes.size();
  channel& c = of(stream);
  if (!holding_ && now >= release_at()) {
    window_start_ = now;
    spent_ = 0;
  }
  while (!holding_ && !bytes.empty()) {
    const std::string_view part = bytes.substr(0, slice);
    c.lines.feed(part, at, ready_);
    bytes.remove_prefix(part.size());
    const std::size_t cost = account();
    spent_ += cost;
    const bool shared_ok = cost == 0 || shared_.spend(cost, now);
    holding_ = spent_ > shared_.limits().head || !shared_ok;
  }
  if (!bytes.empty()) hold(c, bytes);
}

// Adds new lines of ready_ to its cost and returns what they cost.
std::size_t output_gate::account() {
  std::size_t cost = 0;
  for (; counted_ < ready_.size(); ++counted_) cost += ready_[counted_].text.size() + line_cost;
  ready_cost_ += cost;
  return cost;
}

void output_gate::hold(channel& c, std::string_view bytes) {
  const std::size_t keep = shared_.limits().tail;
  if (bytes.size() >= keep) {
    c.dropped += c.tail.size() + bytes.size() - keep;
    c.tail.assign(bytes.substr(bytes.size() - keep));
    return;
  }
  if (c.tail.size() + bytes.size() > 2 * keep) {  // cut rarely: each cut moves what is kept
    const std::size_t cut = c.tail.size() + bytes.size() - keep;
    c.dropped += cut;
    c.tail.erase(0, cut);
  }
  c.tail.append(bytes);
}

void output_gate::release(channel& c, core::instant at, steady_time now) {
  if (c.tail.empty() && c.dropped == 0) return;
  std::string_view kept = c.tail;
  const std::size_t fair = std::max(shared_.left(now), last_words);
  std::size_t cut = newest(kept, std::min(fair, shared_.limits().tail));
  if (cut > 0 || c.dropped > 0) {
    if (const auto newline = kept.find('\n', cut); newline != std::string_view::npos) cut = newline + 1;
    c.dropped += cut;
    kept.remove_prefix(cut);
    c.lines.finish(at, ready_);  // what came before the gap
    ready_.push_back({at, core::log_stream::node, "… " + std::to_string(c.dropped) + " bytes dropped …"});
  }
  c.lines.feed(kept, at, ready_);
  c.dropped = 0;
  c.tail = {};  // gives the memory back
}

void output_gate::release(core::instant at, steady_time now) {
  release(out_, at, now);
  release(err_, at, now);
  shared_.spend(account(), now);
  holding_ = false;
  window_start_ = now;
  spent_ = 0;
}

void output_gate::finish(core::instant at, steady_time now) {
  release(at, now);
  out_.lines.finish(at, ready_);
  err_.lines.finish(at, ready_);
  account();
}

std::vector<output_line> output_gate::take_ready() {
  counted_ = 0;
  ready_cost_ = 0;
  return std::exchange(ready_, {});
}

}  // namespace belfry::platform
