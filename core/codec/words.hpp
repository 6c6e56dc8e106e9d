// WORDS, NEEDS AND SINKS in one text column. Words: each as length, ':' and bytes ("3:gpu5:linux"). Needs (a
// requirement, the workspace apart): the version '1', then a letter and a word per item: h channel, c
// capability, p preferred, a agent type, s exact session (its number), o person only. Nothing at all is the
// empty text (NULL in a row). A sink, likewise: v its kind (a number), u address, s secret, a argument, d
// working directory, t time-out in microseconds, n named by the configuration of the node; the usual one is
// the empty text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/run/spec.hpp"
#include "core/session/wake_sink.hpp"

namespace belfry::core::codec {

std::string encode_words(const std::vector<std::string>& words);
std::vector<std::string> decode_words(std::string_view text);  // throws `damaged`

std::string encode_needs(const requirement& needs);
void decode_needs(std::string_view text, requirement& into);  // throws `damaged`

std::string encode_sink(const wake_sink& sink);
wake_sink decode_sink(std::string_view text);  // throws `damaged`

}  // namespace belfry::core::codec
