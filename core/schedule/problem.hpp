// PROBLEM: where a text about schedules stops making sense, and what would have been understood there.
//
// Every reader of this folder answers with a value or with one problem that points at bytes of the text, so
// that a surface can underline the word. `refuse` turns it into the failure that every other part speaks.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/errors/result.hpp"

namespace belfry::core {

struct text_problem {
  std::size_t offset = 0;  // bytes from the start of the text; its size when something is missing at the end
  std::size_t length = 0;  // bytes at fault; 0 at the end
  std::string why;         // one clause, without a full stop
  std::vector<std::string> expected;  // what would have been understood at `offset`; may be empty
};

template <class T>
class parsed {
 public:
  parsed(T value) : value_{std::move(value)} {}                   // NOLINT: implicit by intent
  parsed(text_problem problem) : problem_{std::move(problem)} {}  // NOLINT
  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  const text_problem& problem() const { return problem_; }

 private:
  std::optional<T> value_;
  text_problem problem_;
};

// `noun` is what the text should have been: "schedule", "cron expression". The failure's text has the offset,
// counted in bytes from 0; its one problem has the word at fault and what is allowed. errc::invalid.
failure refuse(std::string_view noun, std::string_view text, const text_problem& problem);

}  // namespace belfry::core
