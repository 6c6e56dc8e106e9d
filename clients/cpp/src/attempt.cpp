#include <algorithm>

#include "held.hpp"

namespace belfry {
namespace detail {
namespace {

// The oldest lines go first when the node cannot be reached for long.
constexpr std::size_t most_lines = 10'000;
// Of the node. It would cut what is longer by itself, and then number the lines otherwise than we do.
constexpr std::size_t longest_line = std::size_t{16} * 1024;

// Invalid bytes become U+FFFD.
std::string valid(std::string_view text) {
  return json::parse(json(std::string{text}).dump(-1, ' ', false, json::error_handler_t::replace))
      .get<std::string>();
}

// Where a part of at most so many bytes that begins at `from` ends: between two characters.
std::size_t cut(const std::string& text, std::size_t from, std::size_t most) {
  auto end = std::min(text.size(), from + most);
  while (end < text.size() && end > from && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return end;
}

json without_token(json claim) {
  claim.erase("token");
  return claim;
}

json checkpoint_of(const json& claim) {
  const auto at = claim.find("checkpoint");
  return at != claim.end() && at->is_object() ? at->value("value", json(nullptr)) : json(nullptr);
}

}  // namespace

std::string plain(std::string_view text, std::size_t most_bytes) {
  auto whole = valid(text.substr(0, most_bytes + 4));
  whole.resize(cut(whole, 0, most_bytes));
  return whole;
}

std::vector<std::string> pieces(std::string_view line) {
  const auto whole = valid(line);
  std::vector<std::string> found;
  std::size_t from = 0;
  do {
    const auto to = cut(whole, from, longest_line);
    found.push_back(whole.substr(from, to - from));
    from = to;
  } while (from < whole.size());
  return found;
}

std::string milliseconds(span s) { return std::to_string(s.count()) + "ms"; }

held::held(json c, span lease)
    : token(c.at("token").get<std::string>()),
      claim(without_token(std::move(c))),
      run_id(claim.at("run_id").get<std::string>()),
      fencing(claim.at("fencing").get<std::int64_t>()),
      number(claim.at("attempt").get<int>()),
      lease_until(steady::now() + lease),
      checkpoint(checkpoint_of(claim)) {}

void held::cancel(const std::string& why) {
  std::function<void()> tell;
  {
    const std::lock_guard lock{mutex};
    if (!reason.empty()) return;
    reason = why;
    tell = on_cancel;
  }
  told.notify_all();
  if (tell) tell();
}

}  // namespace detail

const json& attempt::claim() const { return held_->claim; }
const std::string& attempt::run_id() const { return held_->run_id; }
const json& attempt::payload() const {
  static const json none;
  const auto at = held_->claim.find("payload");
  return at != held_->claim.end() ? *at : none;
}
int attempt::number() const { return held_->number; }
std::int64_t attempt::fencing() const { return held_->fencing; }
json attempt::checkpoint() const {
  const std::lock_guard lock{held_->mutex};
  return held_->checkpoint;
}
json attempt::previous() const { return held_->claim.value("previous", json::array()); }

bool attempt::is_cancelled() const { return !cancel_reason().empty(); }

bool attempt::wait_cancelled(span at_most) const {
  std::unique_lock lock{held_->mutex};
  return held_->told.wait_for(lock, at_most, [&] { return !held_->reason.empty(); });
}

void attempt::on_cancel(std::function<void()> f) {
  {
    const std::lock_guard lock{held_->mutex};
    held_->on_cancel = f;
    if (held_->reason.empty()) return;
  }
  if (f) f();
}

std::string attempt::cancel_reason() const {
  const std::lock_guard lock{held_->mutex};
  return held_->reason;
}

void attempt::stop_if_cancelled() const {
  if (const auto why = cancel_reason(); !why.empty()) throw cancelled("stopped: " + why);
}

void attempt::progress(double value, std::string_view text) {
  {
    const std::lock_guard lock{held_->mutex};
    if (held_->progress.is_null()) held_->progress = json::object();
    held_->progress["value"] = std::clamp(value, 0.0, 1.0);
    if (!text.empty()) held_->progress["text"] = detail::plain(text, 1000);
  }
  held_->changed();
}

void attempt::log(std::string_view text, std::string_view stream, std::string_view level) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  {
    const std::lock_guard lock{held_->mutex};
    for (;;) {
      const auto end = text.find('\n');
      auto one = text.substr(0, end);
      if (one.ends_with('\r')) one.remove_suffix(1);
      for (auto& piece : detail::pieces(one))
        held_->lines.push_back({std::move(piece), std::string{stream}, std::string{level}});
      if (end == std::string_view::npos) break;
      text.remove_prefix(end + 1);
    }
    while (held_->lines.size() > detail::most_lines) held_->lines.pop_front();
  }
  held_->changed();
}

void attempt::save_checkpoint(const json& value) {
  stop_if_cancelled();
  held_->save(value);
  const std::lock_guard lock{held_->mutex};
  held_->checkpoint = value;
}

}  // namespace belfry
