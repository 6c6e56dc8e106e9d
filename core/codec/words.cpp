#include "core/codec/words.hpp"

#include <charconv>

#include "core/codec/bytes.hpp"

namespace belfry::core::codec {
namespace {

void put(std::string& to, std::string_view word) {
  to += std::to_string(word.size());
  to += ':';
  to += word;
}

std::string_view take(std::string_view& from) {
  std::size_t size = 0;
  const auto read = std::from_chars(from.data(), from.data() + from.size(), size);
  const auto digits = static_cast<std::size_t>(read.ptr - from.data());
  if (read.ec != std::errc{} || digits == from.size() || *read.ptr != ':' || size > from.size() - digits - 1)
    throw damaged("stored words cannot be read");
  const auto word = from.substr(digits + 1, size);
  from.remove_prefix(digits + 1 + size);
  return word;
}

}  // namespace

std::string encode_words(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& w : words) put(text, w);
  return text;
}

std::vector<std::string> decode_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) words.emplace_back(take(text));
  return words;
}

std::string encode_needs(const requirement& n) {
  std::string text;
  const auto item = [&](char letter, std::string_view word) {
    if (text.empty()) text += '1';
    text += letter;
    put(text, word);
  };
  if (!n.channel.empty()) item('h', n.channel);
  for (const auto& w : n.capabilities) item('c', w);
  for (const auto& w : n.preferred) item('p', w);
  for (const auto& w : n.agent_types) item('a', w);
  if (n.exact_session) item('s', std::to_string(n.exact_session.value));
  if (n.person_only) item('o', "");
  return text;
}

void decode_needs(std::string_view text, requirement& into) {
  if (text.empty()) return;
  if (text.front() != '1')
    throw damaged("a stored requirement is of a version that this belfry does not know");
  text.remove_prefix(1);
  while (!text.empty()) {
    const char letter = text.front();
    text.remove_prefix(1);
    const auto word = take(text);
    switch (letter) {
      case 'h': into.channel = word; break;
      case 'c': into.capabilities.emplace_back(word); break;
      case 'p': into.preferred.emplace_back(word); break;
      case 'a': into.agent_types.emplace_back(word); break;
      case 's': {
        const auto read = std::from_chars(word.data(), word.data() + word.size(), into.exact_session.value);
        if (read.ec != std::errc{}) throw damaged("a stored session id cannot be read");
        break;
      }
      case 'o': into.person_only = true; break;
      default: throw damaged("a stored requirement has a part that this version does not know");
    }
  }
}

std::string encode_sink(const wake_sink& sink) {
  const wake_sink usual;
  std::string text;
  const auto item = [&](char letter, std::string_view word) {
    if (text.empty()) text += '1';
    text += letter;
    put(text, word);
  };
  if (sink.via != usual.via) item('v', std::to_string(static_cast<int>(sink.via)));
  if (!sink.url.empty()) item('u', sink.url);
  if (!sink.secret.empty()) item('s', sink.secret);
  for (const auto& w : sink.argv) item('a', w);
  if (!sink.cwd.empty()) item('d', sink.cwd);
  if (sink.timeout != usual.timeout) item('t', std::to_string(sink.timeout.count()));
  if (sink.from_node) item('n', "");
  return text;
}

wake_sink decode_sink(std::string_view text) {
  wake_sink sink;
  if (text.empty()) return sink;
  if (text.front() != '1') throw damaged("a stored wake sink is of a version that this belfry does not know");
  const auto number = [](std::string_view word) {
    std::int64_t n = 0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), n);
    if (read.ec != std::errc{} || read.ptr != word.data() + word.size())
      throw damaged("a stored wake sink cannot be read");
    return n;
  };
  text.remove_prefix(1);
  while (!text.empty()) {
    const char letter = text.front();
    text.remove_prefix(1);
    const auto word = take(text);
    switch (letter) {
      case 'v': {
        const auto kind = number(word);
        if (kind < 0 || kind > static_cast<int>(wake_via::none))
          throw damaged("a stored wake sink is of a kind that this belfry does not know");
        sink.via = static_cast<wake_via>(kind);
        break;
      }
      case 'u': sink.url = word; break;
      case 's': sink.secret = word; break;
      case 'a': sink.argv.emplace_back(word); break;
      case 'd': sink.cwd = word; break;
      case 't': sink.timeout = span{number(word)}; break;
      case 'n': sink.from_node = true; break;
      default: throw damaged("a stored wake sink cannot be read");
    }
  }
  return sink;
}

}  // namespace belfry::core::codec
