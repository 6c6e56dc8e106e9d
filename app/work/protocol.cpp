#include "app/work/protocol.hpp"

#include <algorithm>

#include "core/time/text.hpp"

namespace belfry::app {
namespace {

using api::json::writer;

writer& proof(writer& w, const lease_claim& lease) {
  return w.member("token", lease.token).member("fencing", lease.fencing);
}

void read_codes_of(view list, std::vector<std::uint8_t>& into) {
  if (list.size() == 0) return;
  into.clear();
  list.each([&](view code) { into.push_back(static_cast<std::uint8_t>(code.number())); });
}

// What the child was and used; said of attempts that really ended.
void write_end(writer& w, const core::cmd_settle& how) {
  if (how.exit_code) w.member("exit_code", *how.exit_code);
  if (how.signal) w.member("signal", *how.signal);
}

void write_used(writer& w, const core::usage& used) {
  if (used == core::usage{}) return;
  w.key("usage").begin_object();
  w.member("user_cpu", core::to_text(used.user_cpu)).member("system_cpu", core::to_text(used.system_cpu));
  if (used.peak_memory > 0) w.member("peak_memory", used.peak_memory);
  w.end_object();
}

}  // namespace

std::string registration(const work_plan& plan, const std::string& id) {
  writer w;
  w.begin_object().member("name", plan.name).member("agent_type", plan.agent_type);
  if (!id.empty()) w.member("id", id);
  if (!plan.workspace.empty()) w.member("workspace", plan.workspace);
  if (!plan.channel.empty()) w.member("channel", plan.channel);
  // One that the node has started is what its agent type says, and nothing more.
  auto able = plan.capabilities;
  if (plan.session.empty()) able.emplace_back(core::asks_conditions);
  if (!able.empty()) w.texts("capabilities", able);
  // It waits in its claims: a wake would tell it nothing, and wait for an answer in vain.
  w.key("wake").begin_object().member("sink", "none").end_object();
  w.member("slots", plan.slots).end_object();
  return w.take();
}

std::string claim_wish(const work_plan& plan, const std::string& session, std::size_t room) {
  writer w;
  w.begin_object().member("session", session).member("max", room);
  w.member("wait", core::to_text(plan.wait)).member("lease", core::to_text(plan.lease));
  if (plan.at_least) w.member("at_least", *plan.at_least);
  w.member("start", true).end_object();
  return w.take();
}

core::result<messages::claimed_run> read_claimed(view claim, const work_plan& plan) {
  const auto id = core::parse_id<core::run_id>(claim["run_id"].text());
  if (!id) return id.error();
  messages::claimed_run c;
  c.token = claim["token"].text();
  auto& head = c.run.head;
  head.id = *id;
  head.fencing = static_cast<std::uint64_t>(claim["fencing"].number());
  head.attempt = static_cast<std::uint32_t>(claim["attempt"].number());
  head.name = claim["name"].text();
  if (const auto until = core::parse_instant(claim["lease_expires_at"].text())) head.held.expires_at = *until;
  if (c.token.empty() || head.fencing == 0)
    return core::failure{core::errc::internal, "a claim without token or fencing number", {}, {}};
  if (claim["job_id"].there())
    if (const auto job = core::parse_id<core::job_id>(claim["job_id"].text())) head.job = *job;
  core::run_spec spec;
  spec.name = head.name;
  spec.process = plan.command;
  // The run knows best what its exit codes mean.
  read_codes_of(claim["success_codes"], spec.process.success_codes);
  read_codes_of(claim["retryable_codes"], spec.process.retryable_codes);
  if (claim["payload"].there()) spec.payload = std::string(claim["payload"].raw());
  spec.timeout = std::chrono::milliseconds{claim["timeout_ms"].number()};
  spec.grace = claim["grace_ms"].there() ? core::span{std::chrono::milliseconds{claim["grace_ms"].number()}}
                                         : plan.grace;
  spec.traceparent = claim["traceparent"].text();
  if (const auto asked = claim["condition"]; asked.there()) {
    asked["argv"].each([&](view word) { spec.condition.argv.push_back(word.text()); });
    spec.condition.shell = asked["shell"].text();
    if (asked["timeout"].there())
      if (const auto length = core::parse_span(asked["timeout"].text())) spec.condition.timeout = *length;
  }
  c.run.spec = std::make_shared<const core::run_spec>(std::move(spec));
  return c;
}

std::string heartbeat(const lease_claim& lease, core::span length) {
  writer w;
  proof(w.begin_object(), lease).member("lease", core::to_text(length)).end_object();
  return w.take();
}

std::string heartbeats(const std::vector<lease_claim>& leases, core::span length) {
  writer w{leases.size() * 140 + 64};
  w.begin_object().member("lease", core::to_text(length)).key("items").begin_array();
  for (const auto& lease : leases) {
    w.begin_object().member("run_id", lease.run);
    proof(w, lease).end_object();
  }
  w.end_array().end_object();
  return w.take();
}

std::string log_lines(const lease_claim& lease, std::uint64_t first,
                      const std::vector<core::log_line>& lines) {
  // What the worker itself has to say, of bytes that were too many, belongs to no stream of the child.
  const auto stream = [](core::log_stream s) {
    return core::to_text(s == core::log_stream::node ? core::log_stream::err : s);
  };
  writer w{lines.size() * 120 + 128};
  proof(w.begin_object(), lease).member("first", first).key("lines").begin_array();
  for (const auto& line : lines)
    w.begin_object()
        .member("at", line.at)
        .member("stream", stream(line.stream))
        .member("text", line.text)
        .end_object();
  w.end_array().end_object();
  return w.take();
}

void write_completion(writer& w, const lease_claim& lease, const core::cmd_settle& how) {
  using enum core::settle_kind;
  w.begin_object().member("run_id", lease.run).member("outcome", core::to_text(how.kind));
  proof(w, lease);
  if (!how.message.empty()) w.member("message", how.message);
  if (how.kind == failed) w.member("class", core::to_text(how.klass));
  if (how.kind == succeeded || how.kind == failed) write_end(w, how);
  if (how.kind == succeeded || how.kind == failed || how.kind == cancelled) write_used(w, how.used);
  w.end_object();
}

bool commanded(view answer, std::string_view command) {
  bool asked = command == "cancel" && answer["cancel_requested"].truth();
  answer["commands"].each([&](view each) { asked = asked || each.text() == command; });
  return asked;
}

}  // namespace belfry::app
