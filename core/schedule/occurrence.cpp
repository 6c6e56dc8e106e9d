#include "core/schedule/occurrence.hpp"

#include "core/text/utf8.hpp"

namespace belfry::core {
namespace {

constexpr std::string_view prefix = "occ_";
constexpr std::size_t half = 13;

failure not_one(std::string_view text) {
  failure f{errc::invalid, "not an occurrence", {}, {}};
  f.problems.push_back(
      {"", shown(text, 60), "occ_ and 26 digits or letters", "it is not the id of an occurrence"});
  return f;
}

}  // namespace

std::string to_string(const occurrence_id& id) {
  return id_text(prefix, id.job.value) + id_text("", micros(id.at));
}

result<occurrence_id> parse_occurrence_id(std::string_view text) {
  if (!text.starts_with(prefix) || text.size() != prefix.size() + 2 * half) return not_one(text);
  const auto job = parse_id_text("", text.substr(prefix.size(), half));
  const auto at = parse_id_text("", text.substr(prefix.size() + half));
  if (!job || !at || from_micros(*at) > end_of_time) return not_one(text);
  return occurrence_id{job_id{*job}, from_micros(*at)};
}

}  // namespace belfry::core
