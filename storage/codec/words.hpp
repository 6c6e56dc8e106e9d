// WORDS AND NEEDS in one text column. Words: each as length, ':' and bytes ("3:gpu5:linux"). Needs (a
// requirement, the workspace apart): the version '1', then a letter and a word per item: h channel, c
// capability, p preferred, a agent type, s exact session (its number), o person only. Nothing at all is the
// empty text (NULL in a row).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/run/spec.hpp"

namespace belfry::storage::codec {

std::string encode_words(const std::vector<std::string>& words);
std::vector<std::string> decode_words(std::string_view text);  // throws `damaged`

std::string encode_needs(const core::requirement& needs);
void decode_needs(std::string_view text, core::requirement& into);  // throws `damaged`

}  // namespace belfry::storage::codec
