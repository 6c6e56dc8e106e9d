#include "app/work/node_line.hpp"

#include <charconv>

namespace belfry::app {
namespace {

// Whole seconds; the other form of the header, a date, is nothing that a belfry node says.
std::optional<core::span> pause_asked_for(const http_answer& answer) {
  const auto text = answer.header("retry-after");
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || seconds < 0 || seconds > 86'400)
    return std::nullopt;
  return std::chrono::seconds{seconds};
}

}  // namespace

node_word node_line::ask(const std::string& method, const std::string& target, const std::string& body,
                         core::span timeout) {
  node_word word;
  call_options o;
  if (!session_token_.empty()) o.headers.emplace_back("Belfry-Session-Token", session_token_);
  o.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
  http_answer answer;
  try {
    answer = client_.raw(method, target, body, o);
  } catch (const refusal& r) {
    word.text = r.what();
    if (!r.why.empty()) word.text += ": " + r.why.front();
    word.exit = r.exit;
    return word;
  }
  if (answer.status >= 200 && answer.status < 300) {
    if (answer.body.empty()) answer.body = "{}";
    if (auto parsed = json_text::parse(std::move(answer.body))) {
      word.what = node_word::kind::yes;
      word.answer = std::move(*parsed);
    } else {
      word.text = "the answer of " + client_.where() + " is not what a belfry node says";
    }
    return word;
  }
  const auto r = refusal_of(answer);
  word.code = r.catalogue_code;
  word.text = r.what();
  for (const auto& line : r.why) word.text += "; " + line;
  word.exit = r.exit;
  word.retry_after = pause_asked_for(answer);
  if (answer.status != 429 && answer.status < 500) word.what = node_word::kind::no;
  return word;
}

}  // namespace belfry::app
