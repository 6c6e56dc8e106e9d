#include "core/hook/claim_hook.hpp"

#include <algorithm>

#include "core/run/handlers.hpp"
#include "core/session/wake_sink.hpp"
#include "core/text/utf8.hpp"

namespace belfry::core {
namespace {

constexpr std::size_t longest_reason = 200;
constexpr std::size_t most_named = 1000;
constexpr std::size_t most_argv = 64;
constexpr std::size_t longest_address = 2000;

bool names(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_address(std::string_view url) {
  const bool spoken = url.starts_with("http://") || url.starts_with("https://");
  return spoken && url.size() <= longest_address && url.find_first_of(" \t\r\n\"<>\\^`{|}") == url.npos &&
         url.find('@') == url.npos && url.find('#') == url.npos && url.substr(url.find("//") + 2).size() > 0;
}

}  // namespace

std::vector<field_problem> check(const claim_hook_options& o) {
  std::vector<field_problem> found;
  const auto count = [](const std::vector<std::string>& v) { return std::to_string(v.size()) + " words"; };
  if (!o.command.empty() && !o.url.empty())
    found.push_back({"url", shown_url(o.url), "either command or url", "there is one claim hook"});
  if (!o.command.empty() && (o.command.size() > most_argv || o.command.front().empty()))
    found.push_back({"command", count(o.command), "1 to 64 words, the program first", "it cannot be run"});
  if (!o.url.empty() && !is_address(o.url))
    found.push_back({"url", shown_url(shown(o.url, 100)), "an address such as http://127.0.0.1:8080/claims",
                     "only http and https are spoken, without user and fragment"});
  if (!o.url.empty() && !webhook_key(o.secret))
    found.push_back(
        {"secret_variable", "", "a variable with whsec_ and 24 to 64 bytes in base64",
         o.secret.empty() ? "questions to an address are signed" : "what it holds is not a secret"});
  if (o.url.empty() && !o.secret.empty())
    found.push_back({"secret_variable", "", "only with url", "a command is not sent a signature"});
  for (const auto& h : o.handlers)
    if (find_handler(h) == nullptr) {
      std::string all;
      for (const auto& f : all_handlers()) (all += all.empty() ? "" : ", ") += f.name;
      found.push_back({"handlers", shown(h, 60), all, "there is no such handler"});
    }
  for (const auto* each : {&o.agent_types, &o.jobs})
    if (each->size() > most_named)
      found.push_back({each == &o.jobs ? "jobs" : "agent_types", count(*each), "at most 1000", "too many"});
  return found;
}

bool concerns(const claim_hook_options& o, const session& who) {
  if (owned_by_node(who) && o.applies_to != hook_scope::all) return false;
  return o.agent_types.empty() || names(o.agent_types, who.agent_type);
}

bool concerns(const claim_hook_options& o, handler_kind handler, job_id job) {
  if (!o.handlers.empty() && !names(o.handlers, to_text(handler))) return false;
  return o.jobs.empty() || job;
}

bool concerns_job(const claim_hook_options& o, job_id job, std::string_view name) {
  return o.jobs.empty() || (job && (names(o.jobs, name) || names(o.jobs, to_string(job))));
}

result<hook_ruling> ruling_of(const std::vector<run_id>& asked, std::uint32_t wanted, const hook_verdict& v) {
  hook_ruling r;
  r.max = wanted;
  switch (v.decision) {
    case hook_decision::allow: r.allowed = asked; return r;
    case hook_decision::refuse: r.refused = asked; return r;
    case hook_decision::narrow: break;
  }
  if (!v.some && v.max == 0)
    return failure{errc::invalid, "the claim hook narrowed without saying to what", {}, {}};
  for (const auto id : v.runs)
    if (std::find(asked.begin(), asked.end(), id) == asked.end())
      return failure{
          errc::invalid, "the claim hook named " + to_string(id) + ", which was not in question", {}, {}};
  if (v.max > 0) r.max = std::min(wanted, v.max);
  for (const auto id : asked) {
    const bool in = !v.some || std::find(v.runs.begin(), v.runs.end(), id) != v.runs.end();
    (in ? r.allowed : r.refused).push_back(id);
  }
  return r;
}

std::string hook_reason(std::string_view given) { return shown(given, longest_reason); }

}  // namespace belfry::core
