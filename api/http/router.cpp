#include "api/http/router.hpp"

#include <algorithm>

#include "api/http/target.hpp"
#include "api/json/nearest.hpp"

namespace belfry::api {
namespace {

constexpr std::size_t most_segments = 8;

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  parts.reserve(most_segments);
  while (!path.empty() && parts.size() <= most_segments) {
    path.remove_prefix(1);
    const auto slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash);
  }
  return parts;
}

void allow(std::vector<verb>& allowed, verb v) {
  if (std::find(allowed.begin(), allowed.end(), v) == allowed.end()) allowed.push_back(v);
}

}  // namespace

std::string_view to_text(scope s) {
  switch (s) {
    case scope::open: return "open";
    case scope::read: return "read";
    case scope::work: return "work";
    case scope::operate: return "operate";
    case scope::admin: return "admin";
  }
  return "?";
}

router::router(const std::vector<route>& table) : table_(table) {
  for (const auto& r : table) {
    if (r.pattern.find('{') == std::string_view::npos) {
      exact_[r.pattern].push_back(&r);
      continue;
    }
    entry e{&r, {}};
    for (const auto part : split(r.pattern)) {
      const auto close = part.find('}');
      if (close == std::string_view::npos)
        e.segments.push_back({part, false});
      else
        e.segments.push_back({part.substr(close + 1), true});
    }
    patterns_.push_back(std::move(e));
  }
  // "{id}:cancel" is looked at before "{id}", which fits everything.
  std::stable_sort(patterns_.begin(), patterns_.end(), [](const entry& a, const entry& b) {
    return a.segments.back().literal.starts_with(':') && !b.segments.back().literal.starts_with(':');
  });
}

bool router::fits(const entry& e, const std::vector<std::string_view>& parts,
                  std::vector<std::string>& arguments) {
  if (parts.size() != e.segments.size()) return false;
  // What cannot fit is out before anything is decoded: from behind, where the verbs differ.
  for (auto i = parts.size(); i-- > 0;) {
    const auto& s = e.segments[i];
    if (s.argument ? !parts[i].ends_with(s.literal) || parts[i].size() == s.literal.size()
                   : parts[i] != s.literal)
      return false;
  }
  arguments.clear();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& s = e.segments[i];
    if (!s.argument) continue;
    std::string text;
    if (!percent_decode(parts[i].substr(0, parts[i].size() - s.literal.size()), false, text)) return false;
    arguments.push_back(std::move(text));
  }
  return true;
}

match router::find(verb method, std::string_view path) const {
  const verb wanted = method == verb::head ? verb::get : method;
  match m;
  if (const auto it = exact_.find(path); it != exact_.end()) {
    for (const auto* r : it->second) {
      if (r->method == wanted) m.found = r;
      allow(m.allowed, r->method);
    }
    return m;
  }
  const auto parts = split(path);
  const entry* first = nullptr;
  std::vector<std::string> arguments;
  for (const auto& e : patterns_) {
    // Once a pattern with a verb fits, the bare {id} is out: run_1:cancel is no name here.
    if (first != nullptr && first->segments.back().literal != e.segments.back().literal) continue;
    if (!fits(e, parts, arguments)) continue;
    first = &e;
    allow(m.allowed, e.r->method);
    if (e.r->method != wanted) continue;
    m.found = e.r;
    m.arguments = std::move(arguments);
  }
  return m;
}

std::string router::nearest(std::string_view path) const {
  std::vector<std::string_view> patterns;
  for (const auto& r : table_) patterns.push_back(r.pattern);
  return std::string{json::nearest(path, patterns)};
}

}  // namespace belfry::api
