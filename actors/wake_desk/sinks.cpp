// Sinks that the node reaches out to: webhooks and commands.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/wake_desk/wake_desk.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "core/run/exit.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;
using core::wake_via;

std::string wake_desk::key_of(core::wake_id id) { return "wake/" + to_string(id); }

core::result<void> wake_desk::may_send(const core::wake_sink& sink) const {
  switch (sink.via) {
    case wake_via::poll: return {};
    case wake_via::webhook:
      if (deps_.webhooks == nullptr || !deps_.text_of)
        return failure{errc::unavailable, "this node calls no webhooks", {}, {}};
      if (webhooks_out_ >= deps_.options.max_webhooks)
        return failure{errc::overloaded,
                       std::to_string(deps_.options.max_webhooks) + " webhooks are under way, the limit",
                       {},
                       {}};
      return {};
    case wake_via::command:
      if (deps_.processes == nullptr || !deps_.text_of || !(deps_.options.commands || sink.from_node))
        return failure{errc::unavailable, "this node runs no commands that sessions name", {}, {}};
      if (commands_.size() >= deps_.options.max_commands)
        return failure{errc::overloaded,
                       std::to_string(deps_.options.max_commands) + " commands are under way, the limit",
                       {},
                       {}};
      return {};
    case wake_via::none: break;
  }
  return failure{errc::unavailable, "the session is never woken: it asks for work by itself", {}, {}};
}

void wake_desk::hand_out(const core::open_wake& what, const core::wake_sink& sink) {
  if (sink.via == wake_via::webhook) call_webhook(what, sink);
  if (sink.via == wake_via::command) run_command(what, sink);
}

void wake_desk::call_webhook(const core::open_wake& what, const core::wake_sink& sink) {
  platform::webhook_order order;
  order.url = sink.url;
  order.secret = sink.secret;
  order.id = to_string(what.id);
  order.at = what.sent_at;
  order.body = deps_.text_of(view_of(what), wake_via::webhook);
  order.timeout = std::min(sink.timeout, deps_.options.acknowledge_within);
  ++webhooks_out_;
  deps_.webhooks->post(
      std::move(order), [me = wake_desk_actor{this}, id = what.id](const platform::webhook_report& r) {
        sink_spoke news;
        news.id = id;
        news.heard = r.status / 100 == 2;
        if (!news.heard)
          news.text = r.status == 0 ? "the webhook failed: " + r.trouble
                                    : "the webhook was answered with status " + std::to_string(r.status);
        caf::anon_send(me, std::move(news));
      });
}

void wake_desk::run_command(const core::open_wake& what, const core::wake_sink& sink) {
  platform::process_order order;
  order.what.argv = sink.argv;
  order.what.cwd = sink.cwd;
  order.input = deps_.text_of(view_of(what), wake_via::command);
  order.env.emplace_back("BELFRY_SESSION", to_string(what.session));
  order.env.emplace_back("BELFRY_RUN_ID", to_string(what.run));
  order.env.emplace_back("BELFRY_WAKE", to_string(what.id));
  order.env.emplace_back("BELFRY_PRIORITY", std::string{core::to_text(what.prio)});
  order.mark = deps_.mark;
  order.grace = std::chrono::seconds{1};
  platform::process_events events;
  events.output = [](const std::vector<platform::output_line>&) {};
  const auto within = std::min(sink.timeout, deps_.options.acknowledge_within);
  events.ended = [me = wake_desk_actor{this}, id = what.id, within](const platform::process_report& r) {
    sink_spoke news;
    news.id = id;
    news.command = true;
    const auto verdict = core::judge_exit({}, r.end, within);
    news.heard = verdict.success;
    if (!news.heard) news.text = "the command failed: " + verdict.message;
    caf::anon_send(me, std::move(news));
  };
  commands_.emplace(what.id, what.session);
  command_ends_.set(what.id.value, core::later(what.sent_at, within));
  deps_.processes->start(key_of(what.id), std::move(order), std::move(events));
}

void wake_desk::answered(const sink_spoke& news) {
  if (news.command) {
    commands_.erase(news.id);
    command_ends_.clear(news.id.value);
  } else if (webhooks_out_ > 0) {
    --webhooks_out_;
  }
  const auto* what = box_.find(news.id);
  if (what == nullptr) return;  // it was claimed meanwhile, or its time is over
  if (!news.heard) {
    if (const auto failed = box_.fail(news.id)) finish(*failed, outcome::failed, news.text, "node");
    return;
  }
  const auto who = what->session;
  if (const auto heard = box_.acknowledge(who, news.id))
    finish(heard->what, outcome::acknowledged, {}, to_string(who));
}

void wake_desk::stop_late_commands(core::instant now) {
  for (const auto key : command_ends_.take_due(now, command_ends_.size()))
    deps_.processes->stop(key_of(core::wake_id{key}), platform::stop_reason::timeout);
}

}  // namespace belfry::actors
