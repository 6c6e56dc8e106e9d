// BAD INPUTS: what is sent, and which error of the catalogue it deserves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace belfry::test {

struct bad_input {
  std::string name;
  std::string bytes;  // as they go over the wire
  int status = 0;     // 0: no answer is owed
  std::string code;
  std::string hint;  // stands in the answer
};

// A submission up to where its length would stand.
inline const std::string submission_head =
    "POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

std::string repeated(std::string_view piece, std::size_t times);

std::vector<bad_input> broken_json();
std::vector<bad_input> wrong_values();
std::vector<bad_input> other_operations();
std::vector<bad_input> addresses();
std::vector<bad_input> broken_http();

}  // namespace belfry::test
