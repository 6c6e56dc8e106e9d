#include "app/client/sse.hpp"

namespace belfry::app {

bool sse_reader::feed(std::string_view bytes) {
  partial_.append(bytes);
  std::size_t from = 0;
  for (auto end = partial_.find('\n', from); end != std::string::npos; end = partial_.find('\n', from)) {
    std::string_view text(partial_.data() + from, end - from);
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    from = end + 1;
    if (!line(text)) return false;
  }
  partial_.erase(0, from);
  return true;
}

bool sse_reader::line(std::string_view text) {
  if (text.empty()) {
    const bool whole = has_data_ || !now_.name.empty();
    sse_event event = std::move(now_);
    now_ = {};
    has_data_ = false;
    if (!whole) return true;
    if (!event.id.empty()) last_id_ = event.id;
    if (event.name.empty()) event.name = "message";
    return on_(event);
  }
  if (text.front() == ':') return true;  // a comment: the connection lives
  const auto colon = text.find(':');
  const auto field = text.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (field == "data") {
    if (has_data_) now_.data += '\n';
    now_.data += value;
    has_data_ = true;
  } else if (field == "event") {
    now_.name = value;
  } else if (field == "id") {
    now_.id = value;
  }
  return true;
}

}  // namespace belfry::app
