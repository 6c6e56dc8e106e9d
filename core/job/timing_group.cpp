#include "core/job/timing_group.hpp"

#include <algorithm>

#include "core/schedule/canonical.hpp"

namespace belfry::core {
namespace {

constexpr std::string_view id_prefix = "tim_";
constexpr std::size_t id_digits = 16;
constexpr std::string_view between_clauses = "; ";
constexpr std::string_view event_word = "@event ";

bool bound(std::string_view clause) { return clause.starts_with("start ") || clause.starts_with("end "); }

}  // namespace

std::string timing_key_of(std::string_view canonical) {
  std::string key;
  for (std::size_t at = 0; at <= canonical.size();) {
    const auto end = std::min(canonical.find(between_clauses, at), canonical.size());
    const auto clause = canonical.substr(at, end - at);
    if (!bound(clause)) (key += at == 0 ? "" : between_clauses) += clause;
    at = end + between_clauses.size();
  }
  return key;
}

// FNV-1a over the text, then the finaliser of SplitMix64: short texts that differ little fall far apart.
std::uint64_t timing_number(std::string_view key) {
  std::uint64_t h = 0xCBF29CE484222325ULL;
  for (const char c : key) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  h = (h ^ (h >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  h = (h ^ (h >> 27U)) * 0x94D049BB133111EBULL;
  h = (h ^ (h >> 31U)) >> 1U;
  return h == 0 ? 1 : h;
}

std::string timing_id(std::uint64_t number) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out{id_prefix};
  for (int i = 15; i >= 0; --i) out += digits[number >> (4 * i) & 15U];
  return out;
}

std::optional<std::uint64_t> timing_number_from(std::string_view id) {
  if (!id.starts_with(id_prefix) || id.size() != id_prefix.size() + id_digits) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : id.substr(id_prefix.size())) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return std::nullopt;
    number = number << 4U | static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return number;
}

bool by_event(const timing_group& g) { return g.key.starts_with(event_word); }

bool called(const timing_group& g, std::string_view name) {
  return name == g.label || name == g.key || timing_number_from(name) == g.number;
}

void timing_book::add(const scheduled_page& page) {
  for (const auto& j : page.jobs) {
    auto key = timing_key_of(j.schedule);
    auto at = groups_.find(key);
    if (at == groups_.end()) {
      timing_group g;
      g.number = timing_number(key);
      g.zone = zone_name_in(key);
      g.key = key;
      at = groups_.emplace(std::move(key), std::move(g)).first;
    }
    auto& g = at->second;
    ++g.members;
    ++(j.state == job_state::paused ? g.paused : g.active);
    if (j.due != never && (g.next_due == never || j.due < g.next_due)) g.next_due = j.due;
    g.last_fired = std::max(g.last_fired, j.fired);
  }
}

std::vector<timing_group> timing_book::take() {
  std::vector<timing_group> all;
  all.reserve(groups_.size());
  for (auto& [key, g] : groups_) {
    g.label = timing_label_of(key);
    all.push_back(std::move(g));
  }
  groups_.clear();
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return all;
}

}  // namespace belfry::core
