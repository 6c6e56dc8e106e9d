#include "api/json/submissions.hpp"

#include "api/json/decode.hpp"

namespace belfry::api::json {
namespace {

struct timing {
  core::run_id id;
  std::optional<core::span> delay;
  std::optional<core::instant> not_before;
};

constexpr field<timing> timing_fields[] = {
    {"id", [](const value& m, timing& t) { m.read(t.id); }},
    {"delay",
     [](const value& m, timing& t) {
       core::span s{0};
       if (m.read(s)) t.delay = s;
       if (t.not_before) m.wrong("delay or not_before, not both", "both say when it may start");
     }},
    {"not_before",
     [](const value& m, timing& t) {
       core::instant at = core::never;
       if (m.read(at)) t.not_before = at;
       if (t.delay) m.wrong("delay or not_before, not both", "both say when it may start");
     }},
};

void read_draft(const value& v, run_draft& out, core::instant now) {
  auto spec = std::make_shared<core::run_spec>();
  spec->handler = core::handler_kind::none;
  timing when;
  v.each_member(
      [&](std::string_view key, const value& m) {
        return read_field<core::run_spec>(spec_fields(), key, m, *spec) ||
               read_field<timing>(timing_fields, key, m, when);
      },
      submission_names());
  if (v.what() != kind::object) return;
  const auto base = v.pointer();
  if (spec->name.empty() && !v.found().about(base + "/name")) spec->name = default_name(*spec);
  settle(*spec, base, v.found());
  if (when.id && !core::acceptable_id(when.id.value, now))
    v.found().add({base + "/id", core::to_string(when.id),
                   "an id made within the last years and not in the future",
                   "ids grow with time; one from the future would leave no room for the others"});
  out.spec = std::move(spec);
  out.id = when.id;
  if (when.delay && *when.delay > core::span{0}) out.due_at = core::later(now, *when.delay);
  if (when.not_before) out.due_at = *when.not_before;
}

}  // namespace

const std::vector<std::string_view>& submission_names() {
  static const auto names = [] {
    auto all = names_of(spec_fields());
    for (const auto& f : timing_fields) all.push_back(f.name);
    return all;
  }();
  return names;
}

core::result<run_draft> read_submission(std::string_view body, core::instant now) {
  return decode<run_draft>(body, [now](const value& v, run_draft& out) { read_draft(v, out, now); });
}

core::result<std::vector<run_draft>> read_batch(std::string_view body, core::instant now) {
  static constexpr std::string_view names[] = {"runs"};
  return decode<std::vector<run_draft>>(body, [now](const value& v, std::vector<run_draft>& out) {
    bool given = false;
    v.each_member(
        [&](std::string_view key, const value& m) {
          if (key != "runs") return false;
          given = true;
          if (m.what() != kind::array || m.n().count < 1 || m.n().count > most_items) {
            m.wrong("a list of 1 to " + std::to_string(most_items) + " runs",
                    m.what() == kind::array ? "it has " + std::to_string(m.n().count)
                                            : "it is " + std::string{to_text(m.what())},
                    m.what() == kind::array && m.n().count > most_items ? core::errc::too_large
                                                                        : core::errc::invalid);
            return true;
          }
          out.reserve(m.n().count);
          m.each_element([&](const value& e) { read_draft(e, out.emplace_back(), now); });
          return true;
        },
        names);
    if (!given) missing(v, "runs", "a list of 1 to " + std::to_string(most_items) + " runs");
  });
}

}  // namespace belfry::api::json
