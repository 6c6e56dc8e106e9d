// PROBLEMS: every mistake of a request, gathered before it is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"

namespace belfry::api::json {

class problems {
 public:
  // The code of the whole refusal: the gravest one. A list of mistakes is cut at 100; all are counted.
  void add(core::field_problem p, core::errc code = core::errc::invalid);
  // What core's checks found, without what is already known about the same field.
  void add_found(std::vector<core::field_problem> found);
  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  bool about(std::string_view pointer) const;  // this field or one below it
  core::failure refusal() const;

 private:
  std::vector<core::field_problem> list_;
  std::size_t count_ = 0;
  core::errc code_ = core::errc::unknown_field;
};

}  // namespace belfry::api::json
