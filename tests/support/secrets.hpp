// SECRETS: no lease token may stand in anything that the program says unasked. A token is 43 characters of
// base64url, and nothing else that is printed is such a word of exactly that length.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace belfry::test {

std::vector<std::string> token_like_words(std::string_view text);
// Ends the suite: called from destructors, where nothing can be thrown.
void expect_no_token(std::string_view text, const std::string& where);

}  // namespace belfry::test
