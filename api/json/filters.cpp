#include "api/json/filters.hpp"

#include <algorithm>
#include <array>

#include "api/json/controls.hpp"
#include "api/json/decode.hpp"
#include "api/json/nearest.hpp"
#include "api/json/submissions.hpp"
#include "core/run/validate.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api::json {
namespace {

constexpr std::size_t most_tags = 32;
constexpr std::size_t longest_text = 200;

struct given {
  std::string_view text;
  const std::string& pointer;
  problems& found;

  void wrong(std::string allowed, std::string detail) const {
    found.add({pointer, core::shown(text, 80), std::move(allowed), std::move(detail)});
  }
  void note(const core::failure& f) const {
    if (f.problems.empty())
      wrong({}, f.text);
    else
      wrong(f.problems.front().allowed,
            f.problems.front().detail.empty() ? f.text : f.problems.front().detail);
  }
};

const std::vector<std::string_view>& state_names() {
  static const auto names = [] {
    std::vector<std::string_view> all;
    for (const auto s : core::all_run_states()) all.push_back(core::to_text(s));
    all.push_back("pending");
    all.push_back("completed");
    return all;
  }();
  return names;
}

void add_states(const given& g, filter_draft& out) {
  std::string_view rest = g.text;
  while (true) {
    const auto comma = rest.find(',');
    const auto word = rest.substr(0, comma);
    if (const auto s = core::run_state_from(word)) {
      auto& states = out.filter.states;
      if (std::find(states.begin(), states.end(), *s) == states.end()) states.push_back(*s);
    } else {
      const auto near = nearest(word, state_names());
      g.wrong(one_of(state_names()), near.empty()
                                         ? "there is no such state"
                                         : "there is no such state; did you mean " + std::string{near} + "?");
    }
    if (comma == std::string_view::npos) return;
    rest.remove_prefix(comma + 1);
  }
}

void set_text(const given& g, std::string& out) {
  const auto count = core::count_utf8(g.text);
  if (!count || *count > longest_text || g.text.find('\0') != std::string_view::npos)
    g.wrong("at most " + std::to_string(longest_text) + " characters of UTF-8",
            "it is too long, or not UTF-8");
  else
    out = g.text;
}

void add_tag(const given& g, std::vector<std::string>& tags) {
  std::string tag;
  set_text(g, tag);
  if (tags.size() >= most_tags)
    g.wrong("at most " + std::to_string(most_tags) + " tags", "there are too many");
  else if (!tag.empty())
    tags.push_back(std::move(tag));
}

void set_time(const given& g, std::optional<core::instant>& out) {
  // A + of an offset that was not percent-encoded arrives as a space.
  std::string text{g.text};
  if (text.size() > 6 && text[text.size() - 6] == ' ') text[text.size() - 6] = '+';
  const auto t = core::parse_instant(text);
  if (t)
    out = *t;
  else
    g.note(t.error());
}

template <class Id>
void set_id(const given& g, std::optional<Id>& out) {
  const auto id = core::parse_id<Id>(g.text);
  if (id)
    out = *id;
  else
    g.note(id.error());
}

struct text_filter {
  std::string_view name;
  void (*read)(const given&, filter_draft&);
};

constexpr text_filter filters[] = {
    {"state", add_states},
    {"job",
     [](const given& g, filter_draft& d) {
       if (const auto id = core::parse_id<core::job_id>(g.text))
         d.filter.job = *id;
       else if (g.text.empty())
         g.wrong("the id or the name of a job", "it is empty");
       else
         set_text(g, d.job);
     }},
    {"batch", [](const given& g, filter_draft& d) { set_id(g, d.filter.batch); }},
    {"workspace", [](const given& g, filter_draft& d) { set_text(g, d.filter.workspace.emplace()); }},
    {"lane", [](const given& g, filter_draft& d) { set_text(g, d.filter.lane.emplace()); }},
    {"priority",
     [](const given& g, filter_draft& d) {
       if (const auto p = core::priority_from(g.text))
         d.filter.prio = *p;
       else
         g.wrong(one_of(priority_names()), "there is no such priority");
     }},
    {"session", [](const given& g, filter_draft& d) { set_id(g, d.filter.holder); }},
    {"tag", [](const given& g, filter_draft& d) { add_tag(g, d.filter.tags_all); }},
    {"tag_any", [](const given& g, filter_draft& d) { add_tag(g, d.filter.tags_any); }},
    {"q", [](const given& g, filter_draft& d) { set_text(g, d.filter.name_contains); }},
    {"created_from", [](const given& g, filter_draft& d) { set_time(g, d.filter.created_from); }},
    {"created_to", [](const given& g, filter_draft& d) { set_time(g, d.filter.created_to); }},
    {"ended_from", [](const given& g, filter_draft& d) { set_time(g, d.filter.ended_from); }},
    {"ended_to", [](const given& g, filter_draft& d) { set_time(g, d.filter.ended_to); }},
    {"dead",
     [](const given& g, filter_draft& d) {
       if (g.text == "true" || g.text == "false")
         d.filter.dead_letters = g.text == "true";
       else
         g.wrong("true or false", "it is neither");
     }},
};

bool apply(std::string_view name, std::string_view text, const std::string& pointer, filter_draft& out,
           problems& found) {
  for (const auto& f : filters) {
    if (f.name != name) continue;
    f.read(given{text, pointer, found}, out);
    return true;
  }
  return false;
}

// A text, or a list of texts; `dead` is a boolean.
void read_member(std::string_view key, const value& m, filter_draft& out) {
  if (key == "dead") {
    m.read(out.filter.dead_letters);
    return;
  }
  const bool many = key == "state" || key == "tag" || key == "tag_any";
  std::vector<std::string> texts;
  if (many && m.what() == kind::array)
    m.read(texts);
  else if (std::string one; m.read(one))
    texts.push_back(std::move(one));
  for (const auto& t : texts) apply(key, t, m.pointer(), out, m.found());
}

bool takes_reason(bulk_verb verb) {
  return verb != bulk_verb::retry && verb != bulk_verb::run_now && verb != bulk_verb::priority;
}

bool needs_reason(bulk_verb verb) {
  return verb == bulk_verb::force_release || verb == bulk_verb::force_fail || verb == bulk_verb::recover;
}

std::span<const std::string_view> bulk_names(bulk_verb verb) {
  static constexpr std::string_view names[] = {"ids",      "filter",     "dry_run", "confirm",
                                               "if_state", "if_fencing", "reason"};
  static constexpr std::string_view retry_names[] = {"ids",      "filter",     "dry_run", "confirm",
                                                     "if_state", "if_fencing", "payload"};
  static constexpr std::string_view priority_words[] = {"ids",      "filter",     "dry_run", "confirm",
                                                        "if_state", "if_fencing", "priority"};
  static constexpr std::string_view plain_names[] = {"ids",     "filter",   "dry_run",
                                                     "confirm", "if_state", "if_fencing"};
  if (verb == bulk_verb::retry) return retry_names;
  if (verb == bulk_verb::priority) return priority_words;
  if (verb == bulk_verb::run_now) return plain_names;
  return names;
}

void read_ids(const value& v, std::vector<core::run_id>& ids) {
  if (v.what() == kind::array && v.n().count > most_items) {
    v.wrong("at most " + std::to_string(most_items) + " ids", "it has " + std::to_string(v.n().count),
            core::errc::too_large);
    return;
  }
  v.each_element([&](const value& e) {
    core::run_id id;
    if (!e.read(id)) return;
    if (std::find(ids.begin(), ids.end(), id) != ids.end())
      e.wrong("each id once", "it is given twice");
    else
      ids.push_back(id);
  });
}

bool read_bulk_member(std::string_view key, const value& m, bulk_draft& d, bulk_verb verb) {
  if (key == "ids")
    read_ids(m, d.ids);
  else if (key == "dry_run")
    m.read(d.dry_run);
  else if (key == "confirm")
    m.read(d.confirm);
  else if (key == "if_state")
    read_if_state(m, d.expected);
  else if (key == "if_fencing")
    read_if_fencing(m, d.expected);
  else if (key == "reason" && takes_reason(verb))
    read_reason(m, d.reason);
  else if (key == "priority" && verb == bulk_verb::priority) {
    core::priority p{};
    d.prio = m.read_name(p, core::priority_from, priority_names()) ? p : core::priority::normal;
  } else if (key == "payload" && verb == bulk_verb::retry)
    m.read_raw(d.payload.emplace());
  else if (key == "filter") {
    d.by_filter = true;
    read_filter(m, d.filter);
  } else
    return false;
  return true;
}

}  // namespace

bool read_filter_text(std::string_view name, std::string_view text, filter_draft& out, problems& found) {
  return apply(name, text, "?" + std::string{name}, out, found);
}

void read_filter(const value& v, filter_draft& out) {
  v.each_member(
      [&](std::string_view key, const value& m) {
        const auto& names = filter_names();
        if (std::find(names.begin(), names.end(), key) == names.end()) return false;
        read_member(key, m, out);
        return true;
      },
      filter_names());
}

const std::vector<std::string_view>& filter_names() {
  static const auto names = [] {
    std::vector<std::string_view> all;
    for (const auto& f : filters) all.push_back(f.name);
    return all;
  }();
  return names;
}

core::result<bulk_draft> read_bulk(std::string_view body, bulk_verb verb) {
  return decode<bulk_draft>(body, [verb](const value& v, bulk_draft& d) {
    bool by_ids = false;
    v.each_member(
        [&](std::string_view key, const value& m) {
          by_ids = by_ids || key == "ids";
          return read_bulk_member(key, m, d, verb);
        },
        bulk_names(verb));
    if (v.what() != kind::object) return;
    if (needs_reason(verb) && d.reason.empty()) missing(v, "reason", std::string{reason_wanted});
    if (verb == bulk_verb::priority && !d.prio) missing(v, "priority", "urgent, high, normal or low");
    if (by_ids == d.by_filter)
      v.found().add({v.pointer() + (by_ids ? "/filter" : "/ids"), "", "either ids or filter",
                     by_ids ? "both are given" : "it does not say which runs are meant"});
    if (d.payload && d.payload->size() > core::spec_limits{}.payload)
      v.found().add({v.pointer() + "/payload", std::to_string(d.payload->size()) + " bytes",
                     "at most " + std::to_string(core::spec_limits{}.payload) + " bytes", "it is too large"});
  });
}

}  // namespace belfry::api::json
