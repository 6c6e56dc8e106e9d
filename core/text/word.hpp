// WORDS: names, lanes, capabilities, tags: short texts that people type and that are compared byte by byte.
// Their canonical form and the checks that every noun shares.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/text/place.hpp"

namespace belfry::core {

// Takes white space (ASCII) off both ends.
void trim(std::string& text);
// Lower case for A to Z; other letters stay, because their rules depend on a language.
void lower_ascii(std::string& text);

template <class T>
void sort_unique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

enum class blank { fine, refused };
// Length in characters, UTF-8, no control characters, not blank where that is refused; adds what is wrong to
// `found`.
void check_word(std::vector<field_problem>& found, const place& pointer, std::string_view text,
                std::size_t characters, blank when_empty);
// The same for each word of a set, and the number of them. The pointer is the set's: sorting has lost the
// places.
void check_words(std::vector<field_problem>& found, const place& pointer,
                 const std::vector<std::string>& words, std::size_t most, std::size_t characters);

}  // namespace belfry::core
