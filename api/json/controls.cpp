#include "api/json/controls.hpp"

#include <limits>

#include <array>
#include <string>
#include <vector>

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

void read_if_state(const value& m, core::expectation& e) {
  static const auto names = [] {
    std::vector<std::string_view> all;
    for (const auto s : core::all_run_states()) all.push_back(core::to_text(s));
    return all;
  }();
  core::run_state s{};
  if (m.read_name(s, core::run_state_from, names)) e.state = s;
}

void read_if_fencing(const value& m, core::expectation& e) {
  std::int64_t n = 0;
  if (m.read_whole(n, 0, std::numeric_limits<std::int64_t>::max())) e.fencing = static_cast<std::uint64_t>(n);
}

core::result<force_draft> read_force_body(std::string_view body) {
  static constexpr field<force_draft> fields[] = {
      {"reason", [](const value& m, force_draft& d) { read_reason(m, d.reason); }},
      {"if_state", [](const value& m, force_draft& d) { read_if_state(m, d.expected); }},
      {"if_fencing", [](const value& m, force_draft& d) { read_if_fencing(m, d.expected); }}};
  return decode<force_draft>(body, [](const value& v, force_draft& d) {
    read_object(v, d, fields);
    if (d.reason.empty()) missing(v, "reason", std::string{reason_wanted});
  });
}

core::result<adoption_draft> read_adoption_body(std::string_view body) {
  static constexpr field<adoption_draft> fields[] = {
      {"fencing",
       [](const value& m, adoption_draft& d) {
         std::int64_t n = 0;
         if (m.read_whole(n, 1, std::numeric_limits<std::int64_t>::max()))
           d.fencing = static_cast<std::uint64_t>(n);
       }},
      {"reason", [](const value& m, adoption_draft& d) { read_reason(m, d.reason); }}};
  return decode<adoption_draft>(body, [](const value& v, adoption_draft& d) { read_object(v, d, fields); });
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

namespace {

void read_fires(const value& m, std::optional<std::uint32_t>& out) {
  constexpr std::uint32_t most = 1'000;
  std::uint32_t n = 0;
  if (m.read<std::uint32_t>(n, 0, most)) out = n;
}

}  // namespace

core::result<limits_draft> read_limits_body(std::string_view body) {
  static constexpr field<limits_draft> fields[] = {
      {"global", [](const value& m, limits_draft& d) { read_limit(m, d.global); }},
      {"per_lane", [](const value& m, limits_draft& d) { read_limit(m, d.per_lane); }},
      {"per_batch", [](const value& m, limits_draft& d) { read_limit(m, d.per_batch); }},
      {"per_agent_type", [](const value& m, limits_draft& d) { read_limit(m, d.per_agent_type); }},
      {"fires", [](const value& m, limits_draft& d) { read_fires(m, d.fires); }},
      {"fires_per_workspace", [](const value& m, limits_draft& d) { read_fires(m, d.fires_per_workspace); }},
      {"fire_window",
       [](const value& m, limits_draft& d) {
         core::span s{0};
         if (!m.read(s)) return;
         if (s < std::chrono::seconds{1} || s > std::chrono::hours{24 * 7})
           m.wrong("1s to 7d", "it is out of range");
         else
           d.fire_window = s;
       }},
  };
  return decode<limits_draft>(body, [](const value& v, limits_draft& d) {
    read_object(v, d, fields);
    if (v.what() == kind::object && v.n().count == 0)
      v.wrong(
          "at least one of global, per_lane, per_batch, per_agent_type, fires, fires_per_workspace, "
          "fire_window",
          "it says nothing");
  });
}

core::result<prune_draft> read_prune_body(std::string_view body) {
  static constexpr auto length = [](const value& m, std::optional<core::span>& out) {
    core::span given{};
    if (!m.read(given)) return;
    if (given < core::span{0})
      m.wrong("a time such as \"7d\", or 0 for ever", "it is negative");
    else
      out = given;
  };
  static constexpr field<prune_draft> fields[] = {
      {"keep", [](const value& m, prune_draft& d) { length(m, d.keep); }},
      {"keep_dead", [](const value& m, prune_draft& d) { length(m, d.keep_dead); }},
      {"keep_per_job",
       [](const value& m, prune_draft& d) {
         std::uint32_t n = 0;
         if (m.read<std::uint32_t>(n, 0, highest_limit)) d.keep_per_job = n;
       }},
      {"dry_run", [](const value& m, prune_draft& d) { m.read(d.dry_run); }}};
  return decode<prune_draft>(body, [](const value& v, prune_draft& d) { read_object(v, d, fields); });
}

core::result<std::string> read_backup_body(std::string_view body) {
  constexpr std::size_t longest_path = 4096;
  static constexpr field<std::string> fields[] = {
      {"to", [](const value& m, std::string& to) {
         if (m.read(to) && (to.empty() || to.front() != '/' || to.size() > longest_path))
           m.wrong("an absolute path of a new file on the machine of the node", "it is not absolute");
       }}};
  return decode<std::string>(body, [](const value& v, std::string& to) {
    read_object(v, to, fields);
    if (to.empty()) missing(v, "to", "an absolute path of a new file on the machine of the node");
  });
}

}  // namespace belfry::api::json
