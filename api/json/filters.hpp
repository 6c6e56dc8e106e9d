// FILTERS: which runs a list, a statistic or a bulk operation is about; from a query string or from a body,
// with the same words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json/reader.hpp"
#include "core/run/filter.hpp"
#include "core/run/machine.hpp"

namespace belfry::api::json {

struct filter_draft {
  core::run_filter filter;
  std::string job;  // a name, to be looked up; empty when it was an id or is not given
  bool empty() const { return job.empty() && filter == core::run_filter{}; }
};

// One filter by name with its text, as a query parameter carries it. Answers whether the name is a filter;
// what is wrong is added with the pointer "?name".
bool read_filter_text(std::string_view name, std::string_view text, filter_draft& out, problems& found);
void read_filter(const value& v, filter_draft& out);
const std::vector<std::string_view>& filter_names();

struct bulk_draft {
  std::vector<core::run_id> ids;
  bool by_filter = false;
  filter_draft filter;
  bool dry_run = false;
  bool confirm = false;
  std::string reason;
  std::optional<std::string> payload;  // of retry
  std::optional<core::priority> prio;  // of priority: required
  core::expectation expected = {};     // of each of them
};
enum class bulk_verb : std::uint8_t {
  cancel,
  retry,
  discard,
  run_now,
  priority,
  force_release,
  force_fail,
  recover,
};
core::result<bulk_draft> read_bulk(std::string_view body, bulk_verb verb);

}  // namespace belfry::api::json
