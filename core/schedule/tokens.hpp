// TOKENS: the words of an expression with their places, and a cursor that remembers how far it came.
//
// The cursor is the whole error handling of the readers above it: whoever looks for something and does not
// find it leaves a note about what it was. When no reading of the text works out, the problem is at the word
// that was furthest to the right, and what was looked for there is what would have been understood.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/schedule/problem.hpp"
#include "core/schedule/zone.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

struct token {
  std::string raw;    // as it was written
  std::string lower;  // ASCII letters in lower case
  std::size_t offset = 0;
};

inline constexpr std::size_t longest_expression = 2'000;

// Blanks separate; ";" and "|" always, and "," at the end of a word, are tokens of their own.
std::vector<token> tokens_of(std::string_view text);

class token_cursor {
 public:
  token_cursor(std::string_view text, const std::vector<token>& tokens) : text_{text}, tokens_{tokens} {}

  bool done() const { return at_ >= tokens_.size(); }
  std::size_t place() const { return at_; }
  void back_to(std::size_t place) { at_ = place; }
  std::string_view peek(std::size_t ahead = 0) const;  // lower case; empty at the end
  std::string_view raw() const { return done() ? std::string_view{} : std::string_view{tokens_[at_].raw}; }
  void advance() { ++at_; }
  // Byte offset of the token at `place`, or the size of the text.
  std::size_t offset(std::size_t place) const;

  // Takes the words if all of them come next; otherwise takes nothing and notes the first that does not.
  bool take(std::string_view words);
  bool take_any(std::initializer_list<std::string_view> choices);  // single words
  // Notes that `what` would have been understood here.
  void wanted(std::string_view what) { note(at_, what); }
  // The words from `place` up to here make no sense, for this reason: it becomes the problem unless a reading
  // gets further.
  void reject(std::size_t place, std::string why, std::string_view expected);

  // A problem that stands even where a reading got further, until something is taken after all.
  void insist(std::size_t place, std::string why);
  void forgive() { insisted_.reset(); }
  // Bytes of the token at `place`; 0 at the end.
  std::size_t length(std::size_t place) const {
    return place < tokens_.size() ? tokens_[place].raw.size() : 0;
  }

  text_problem problem() const;

 private:
  void note(std::size_t place, std::string_view what);

  std::string_view text_;
  const std::vector<token>& tokens_;
  std::size_t at_ = 0;
  std::size_t furthest_ = 0;
  std::string why_;
  std::optional<text_problem> insisted_;
  std::vector<std::string> expected_;
};

// Each takes what it understands and otherwise leaves the cursor where it was, with a note.
std::optional<std::uint32_t> take_number(token_cursor& in);  // up to 9 digits
std::optional<std::chrono::seconds> take_time(
    token_cursor& in);  // 9am, 9:30 pm, 21:30, 21:30:15, noon, midnight
std::optional<std::chrono::seconds> take_time_or_24(token_cursor& in);  // 24:00 too
std::optional<local_days> take_date(token_cursor& in);                  // 2026-12-24
std::optional<instant> take_instant(token_cursor& in);                  // RFC 3339
std::optional<span> take_span(token_cursor& in);  // 90s, 1h30m, 5 minutes, 2 hours and 30 minutes, an hour
std::optional<zone> take_zone(token_cursor& in);
std::optional<unsigned> take_weekday(token_cursor& in);
std::optional<unsigned> take_month(token_cursor& in);
// "second" … or "seconds": the length of one, in words of phrases; nothing for months and years.
std::optional<span> unit_length(std::string_view word);

}  // namespace belfry::core
