// THROTTLES: somebody who works for a provider reports that it has a limit until a time.
#include <algorithm>

#include "api/http/ops/ops.hpp"
#include "api/json/throttles.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api {
namespace {

using core::errc;

void hold_types(const exchange_ptr& x, const json::throttle_request& t, std::vector<std::string> types) {
  core::pause_entry limit;
  limit.reason = core::to_text(t.kind);
  limit.owner = t.resource ? *t.resource : types.front();
  limit.text = t.text;
  limit.until = t.until ? *t.until : core::later(x->node().time.now(), *t.retry_after);
  messages::set_pause m{core::the_agent_type(types.front()), limit, x->actor};
  m.limit = true;
  for (std::size_t i = 1; i < types.size(); ++i) m.also.push_back(core::the_agent_type(types[i]));
  x->node().node.call(
      std::move(m), x->then<messages::pauses_seen>(
                        [types = std::move(types), limit](const exchange_ptr& y, messages::pauses_seen seen) {
                          json::writer w{512};
                          json::write_throttled(w, seen, types, limit);
                          answer_json(*y, w);
                        }));
}

core::failure nobody_works_for(const std::string& resource,
                               const std::vector<messages::agent_type_status>& all) {
  std::string known;
  for (const auto& t : all)
    for (const auto& r : t.type.resources)
      if (known.find("\"" + r + "\"") == std::string::npos)
        known += (known.empty() ? "\"" : ", \"") + r + "\"";
  auto no = fail_with(errc::invalid, "no agent type of the configuration works for this provider");
  no.problems.push_back({"/resource", core::shown(resource, 80),
                         known.empty() ? "agent_type, or agent types with `resources = [\"…\"]`" : known,
                         "nobody would be held"});
  no.command = "belfry agent-type list";
  return no;
}

void report_throttle(const exchange_ptr& x) {
  auto read = json::read_throttle(x->in.body);
  if (!read) return x->refuse(read.error());
  if (read->agent_type) {
    const auto type = *read->agent_type;
    return hold_types(x, *read, {type});
  }
  x->node().node.call(messages::ask_agent_types{},
                      x->then<messages::agent_types_told>(
                          [t = std::move(*read)](const exchange_ptr& y, messages::agent_types_told told) {
                            std::vector<std::string> types;
                            for (const auto& each : told.types)
                              if (std::find(each.type.resources.begin(), each.type.resources.end(),
                                            *t.resource) != each.type.resources.end())
                                types.push_back(each.type.name);
                            if (types.empty()) return y->refuse(nobody_works_for(*t.resource, told.types));
                            hold_types(y, t, std::move(types));
                          }));
}

}  // namespace

void add_throttle_routes(std::vector<route>& all) {
  all.push_back(
      {verb::post,
       "/v1/throttles",
       "report_throttle",
       "scheduler",
       "Report the limit of a provider: its agent types are held until then, and one probe goes first",
       scope::work,
       report_throttle,
       body_kind::json,
       "Throttle",
       {},
       {{200, "Throttled", "The pauses that it makes"}},
       {errc::malformed, errc::invalid, errc::unknown_field, errc::forbidden, errc::limit_exceeded},
       false,
       0});
}

}  // namespace belfry::api
