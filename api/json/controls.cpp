#include "api/json/controls.hpp"

#include <array>

#include "api/json/decode.hpp"
#include "core/run/validate.hpp"

namespace belfry::api::json {
namespace {

constexpr std::uint32_t highest_limit = 1'000'000;

void read_limit(const value& m, std::optional<std::uint32_t>& out) {
  std::uint32_t n = 0;
  if (m.read<std::uint32_t>(n, 0, highest_limit)) out = n;
}

}  // namespace

core::result<std::string> read_reason_body(std::string_view body) {
  static constexpr field<std::string> fields[] = {
      {"reason", [](const value& m, std::string& s) { read_reason(m, s); }}};
  return decode<std::string>(body, [](const value& v, std::string& s) { read_object(v, s, fields); });
}

core::result<core::priority> read_priority_body(std::string_view body) {
  using draft = std::optional<core::priority>;
  static constexpr field<draft> fields[] = {{"priority", [](const value& m, draft& d) {
                                               core::priority p{};
                                               d = m.read_name(p, core::priority_from, priority_names())
                                                       ? p
                                                       : core::priority::normal;
                                             }}};
  const auto d = decode<draft>(body, [](const value& v, draft& out) {
    read_object(v, out, fields);
    if (!out) missing(v, "priority", "urgent, high, normal or low");
  });
  if (!d) return d.error();
  return **d;
}

core::result<std::optional<std::string>> read_payload_body(std::string_view body) {
  using draft = std::optional<std::string>;
  static constexpr field<draft> fields[] = {
      {"payload", [](const value& m, draft& d) {
         m.read_raw(d.emplace());
         if (d->size() > core::spec_limits{}.payload)
           m.wrong("at most " + std::to_string(core::spec_limits{}.payload) + " bytes", "it is too large");
       }}};
  return decode<draft>(body, [](const value& v, draft& d) { read_object(v, d, fields); });
}

core::result<void> read_nothing(std::string_view body) {
  const auto r = decode<int>(body, [](const value& v, int&) {
    v.each_member([](std::string_view, const value&) { return false; }, {});
  });
  if (!r) return r.error();
  return {};
}

core::result<limits_draft> read_limits_body(std::string_view body) {
  static constexpr field<limits_draft> fields[] = {
      {"global", [](const value& m, limits_draft& d) { read_limit(m, d.global); }},
      {"per_lane", [](const value& m, limits_draft& d) { read_limit(m, d.per_lane); }},
      {"per_batch", [](const value& m, limits_draft& d) { read_limit(m, d.per_batch); }},
      {"per_agent_type", [](const value& m, limits_draft& d) { read_limit(m, d.per_agent_type); }},
  };
  return decode<limits_draft>(body, [](const value& v, limits_draft& d) {
    read_object(v, d, fields);
    if (v.what() == kind::object && v.n().count == 0)
      v.wrong("at least one of global, per_lane, per_batch, per_agent_type", "it says nothing");
  });
}

}  // namespace belfry::api::json
