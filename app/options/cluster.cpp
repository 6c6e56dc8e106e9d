#include "app/options/cluster.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "app/cli/refusal.hpp"
#include "core/cluster/node.hpp"

namespace belfry::app {
namespace {

constexpr std::size_t most_addresses = 16;
constexpr std::size_t most_words = 32;
constexpr std::size_t longest_word = 100;
constexpr std::string_view how_to_get_certificates =
    "`belfry cluster init` makes an authority, `belfry cluster issue NODE` the folder of a node";

std::string origin_of(const loaded& out, const std::string& key) {
  const auto at = out.origin.find(key);
  return (at == out.origin.end() || at->second == "default" ? "" : at->second + ": ") + key + ": ";
}

void check_words(loaded& out, const std::string& key, const std::vector<std::string>& given) {
  if (given.size() > most_words)
    out.mistakes.push_back(origin_of(out, key) + "given " + std::to_string(given.size()) +
                           " words, allowed: at most " + std::to_string(most_words));
  for (const auto& each : given) {
    const bool plain = !each.empty() && each.size() <= longest_word &&
                       std::all_of(each.begin(), each.end(), [](char c) { return c > ' ' && c < '\x7F'; });
    if (!plain)
      out.mistakes.push_back(origin_of(out, key) + "given \"" + each +
                             "\", allowed: 1 to 100 printable ASCII characters without spaces");
    else if (each.starts_with("node:") || each.starts_with("belfry:"))
      out.mistakes.push_back(origin_of(out, key) + "given \"" + each +
                             "\", allowed: words that do not begin with node: or belfry:, which the node "
                             "says itself");
  }
}

void check_addresses(loaded& out) {
  const auto& c = out.values.cluster;
  if (!c.listen.empty() && !is_host_and_port(c.listen, 0))
    out.mistakes.push_back(origin_of(out, "cluster.listen") + "given \"" + c.listen +
                           "\", allowed: HOST:PORT, such as 192.0.2.1:7421 or [::1]:7421");
  for (const auto& each : c.join)
    if (!is_host_and_port(each, 1))
      out.mistakes.push_back(origin_of(out, "cluster.join") + "given \"" + each +
                             "\", allowed: HOST:PORT of a coordinator, such as 192.0.2.1:7421");
  if (c.join.size() > most_addresses)
    out.mistakes.push_back(origin_of(out, "cluster.join") + "given " + std::to_string(c.join.size()) +
                           " addresses, allowed: at most " + std::to_string(most_addresses));
}

// A member has no store, so whoever sets one expects something else to happen than what would.
void refuse_store_of_member(loaded& out) {
  for (const auto& [key, origin] : out.origin)
    if (origin != "default" && area_of(key) == "store")
      out.mistakes.push_back(origin + ": " + key +
                             ": it is for nodes with a store; a member (cluster.join, --join) has none, its "
                             "coordinator keeps everything");
}

}  // namespace

bool is_host_and_port(const std::string& address, unsigned least) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  const auto host = address.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find(':') != std::string::npos) return false;
  if (std::any_of(host.begin(), host.end(), [](char c) { return c <= ' ' || c == '\x7F' || c == '/'; }))
    return false;
  unsigned port = 0;
  const auto* begin = address.data() + colon + 1;
  const auto* end = address.data() + address.size();
  const auto [at, wrong] = std::from_chars(begin, end, port);
  constexpr unsigned highest = 65535;
  return begin != end && wrong == std::errc{} && at == end && port >= least && port <= highest;
}

void check_cluster(loaded& out) {
  const auto& c = out.values.cluster;
  check_addresses(out);
  check_words(out, "cluster.labels", c.labels);
  check_words(out, "cluster.capabilities", c.capabilities);
  for (auto& p : core::check(out.values.node.cluster.membership, "cluster")) {
    auto key = std::exchange(p.pointer, {});
    std::replace(key.begin(), key.end(), '/', '.');
    out.mistakes.push_back(origin_of(out, key) + problem_line(p));
  }
  if (!c.listen.empty() && !c.join.empty())
    out.mistakes.push_back(origin_of(out, "cluster.join") +
                           "a node is a coordinator (cluster.listen) or a member (cluster.join), not both");
  if (c.certificates.empty() && (!c.listen.empty() || !c.join.empty()))
    out.mistakes.push_back(origin_of(out, c.join.empty() ? "cluster.listen" : "cluster.join") +
                           "nobody is let in without certificates: name their folder with "
                           "cluster.certificates (--cluster-certificates); " +
                           std::string(how_to_get_certificates));
  if (!c.join.empty()) refuse_store_of_member(out);
}

}  // namespace belfry::app
