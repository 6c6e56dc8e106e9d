#include "core/hook/hook_memory.hpp"

#include <algorithm>
#include <utility>

#include "core/time/text.hpp"

namespace belfry::core {

namespace {
constexpr span told_every = std::chrono::minutes{1};
}

hook_memory::of_session& hook_memory::touch(session_id who, instant now) {
  auto it = sessions_.find(who);
  if (it == sessions_.end()) {
    if (sessions_.size() >= bounds_.sessions) {
      const auto oldest =
          std::min_element(sessions_.begin(), sessions_.end(),
                           [](const auto& a, const auto& b) { return a.second.touched < b.second.touched; });
      if (oldest != sessions_.end()) sessions_.erase(oldest);
    }
    it = sessions_.try_emplace(who).first;
  }
  it->second.touched = now;
  return it->second;
}

// What nobody is told of any more goes first, then what does not hold any more, the oldest first.
void hook_memory::make_room(of_session& s, instant now) {
  std::erase_if(s.runs, [&](const auto& r) { return !r.second.holds(now) && !told(r.second.at, now); });
  if (s.runs.size() < bounds_.runs) return;
  std::vector<std::pair<instant, run_id>> over;
  for (const auto& [run, r] : s.runs)
    if (!r.holds(now)) over.emplace_back(r.at, run);
  std::sort(over.begin(), over.end());
  const auto too_many = s.runs.size() + 1 - bounds_.runs;
  for (std::size_t i = 0; i < over.size() && i < too_many; ++i) s.runs.erase(over[i].second);
}

void hook_memory::refused(session_id who, const std::vector<run_id>& runs, const std::string& reason,
                          instant now, span holds_for) {
  if (runs.empty()) return;
  auto& s = touch(who, now);
  const auto text = std::make_shared<const std::string>(reason);
  for (const auto run : runs) {
    if (s.runs.size() >= bounds_.runs && !s.runs.contains(run)) make_room(s, now);
    if (s.runs.size() >= bounds_.runs && !s.runs.contains(run)) return;
    s.runs[run] = {text, now, later(now, holds_for)};
  }
}

void hook_memory::allowed(session_id who, const std::vector<run_id>& runs) {
  const auto it = sessions_.find(who);
  if (it == sessions_.end()) return;
  for (const auto run : runs) it->second.runs.erase(run);
}

void hook_memory::failed(session_id who, const std::string& why, instant now) {
  auto& s = touch(who, now);
  const auto doublings = std::min<std::uint32_t>(s.last.times, 16);
  s.last = {why, now, s.last.times + 1};
  s.not_before = later(now, std::min(bounds_.longest_pause, bounds_.first_pause * (1 << doublings)));
}

void hook_memory::worked(session_id who) {
  const auto it = sessions_.find(who);
  if (it == sessions_.end()) return;
  it->second.last = {};
  it->second.not_before = never;
  if (it->second.runs.empty()) sessions_.erase(it);
}

void hook_memory::forget(session_id who) { sessions_.erase(who); }

bool hook_memory::holds(session_id who, run_id run, instant now) const {
  const auto it = sessions_.find(who);
  if (it == sessions_.end()) return false;
  const auto at = it->second.runs.find(run);
  return at != it->second.runs.end() && at->second.holds(now);
}

instant hook_memory::not_before(session_id who, instant now) const {
  const auto it = sessions_.find(who);
  if (it == sessions_.end()) return never;
  const auto& s = it->second;
  if (s.not_before != never && s.last.at <= now && now < s.not_before) return s.not_before;
  if (s.runs.size() < bounds_.runs) return never;
  const bool full =
      std::all_of(s.runs.begin(), s.runs.end(), [&](const auto& r) { return r.second.holds(now); });
  return full ? next_end(who, now) : never;
}

instant hook_memory::next_end(session_id who, instant now) const {
  const auto it = sessions_.find(who);
  instant first = never;
  if (it == sessions_.end()) return first;
  for (const auto& [run, r] : it->second.runs)
    if (r.holds(now) && (first == never || r.until < first)) first = r.until;
  return first;
}

std::optional<hook_word> hook_memory::last(session_id who, run_id run, instant now) const {
  const auto it = sessions_.find(who);
  if (it == sessions_.end()) return std::nullopt;
  const auto at = it->second.runs.find(run);
  if (at == it->second.runs.end()) return std::nullopt;
  const auto& r = at->second;
  if (!r.holds(now) && !told(r.at, now)) return std::nullopt;
  return hook_word{run, *r.reason, r.at, r.holds(now) ? r.until : never};
}

std::vector<hook_word> hook_memory::last(session_id who, instant now, std::size_t most) const {
  std::vector<hook_word> all;
  const auto it = sessions_.find(who);
  if (it == sessions_.end()) return all;
  for (const auto& [run, r] : it->second.runs)
    if (auto w = last(who, run, now)) all.push_back(std::move(*w));
  std::stable_sort(all.begin(), all.end(),
                   [](const hook_word& a, const hook_word& b) { return a.at > b.at; });
  if (all.size() > most) all.resize(most);
  return all;
}

std::optional<hook_mishap> hook_memory::failing(session_id who, instant now) const {
  const auto it = sessions_.find(who);
  if (it == sessions_.end() || it->second.last.times == 0 || !told(it->second.last.at, now))
    return std::nullopt;
  return it->second.last;
}

std::vector<std::pair<run_id, session_id>> hook_memory::holding(instant now) const {
  std::vector<std::pair<run_id, session_id>> all;
  for (const auto& [who, s] : sessions_)
    for (const auto& [run, r] : s.runs)
      if (r.holds(now)) all.emplace_back(run, who);
  std::sort(all.begin(), all.end());
  return all;
}

std::size_t hook_memory::refusals_of(session_id who) const {
  const auto it = sessions_.find(who);
  return it == sessions_.end() ? 0 : it->second.runs.size();
}

std::size_t hook_memory::refusals() const {
  std::size_t n = 0;
  for (const auto& [who, s] : sessions_) n += s.runs.size();
  return n;
}

std::optional<std::string> hook_watch::failed(const std::string& why, bool open, instant now) {
  if (since_ == never) since_ = now;
  why_ = why;
  at_ = now;
  ++times_;
  // A clock that was set back does not silence it.
  if (told_at_ != never && told_at_ <= now && now < later(told_at_, told_every)) return std::nullopt;
  told_at_ = now;
  announced_ = true;
  return why + (open ? "; claims go on without it" : "; nothing is handed over") +
         (times_ == 1 ? std::string{} : "; " + std::to_string(times_) + " times since " + to_rfc3339(since_));
}

std::optional<std::string> hook_watch::worked(instant now) {
  if (since_ == never) return std::nullopt;
  const auto for_how_long =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::max(now - since_, span{0}));
  auto text = "the claim hook answers again after " + std::to_string(times_) +
              (times_ == 1 ? " failure" : " failures") + " in " + to_text(span{for_how_long});
  since_ = never;
  times_ = 0;
  // Who was not told that it failed is not told that it works.
  if (!std::exchange(announced_, false)) return std::nullopt;
  return text;
}

}  // namespace belfry::core
