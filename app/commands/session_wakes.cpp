// session wakes, ack, wake: hear that there is work, say so, and try how a session is woken.
#include "api/json/writer.hpp"
#include "app/commands/all.hpp"
#include "core/time/text.hpp"

namespace belfry::app {
namespace {

constexpr core::span longest_wait = std::chrono::seconds{60};

struct wakes_options {
  std::string session;
  std::optional<std::string> wait, after;
  std::optional<std::int64_t> max;
  bool follow = false, acknowledge = false;
};

std::string wakes_of(const std::string& session) {
  return "/v1/sessions/" + percent_encoded(session) + "/wakes";
}

std::string wake_line(view w, const terminal& on) {
  std::string line = on.paint(w["sent_at"].text(), colour::dim) + " " + w["id"].text() +
                     " run=" + w["run_id"].text() + " priority=" + w["priority"].text();
  if (w["starved"].truth()) line += " starved";
  if (const auto name = w["name"].text(); !name.empty()) line += " " + printable(name);
  return line + "\n";
}

json_text acknowledge(const std::string& session, const std::vector<std::string>& wakes, context& ctx) {
  api::json::writer w;
  w.begin_object().texts("wakes", wakes).end_object();
  return ctx.node().post(wakes_of(session) + ":ack", w.str());
}

int follow_wakes(const wakes_options& o, context& ctx) {
  query_text q;
  q.add("after", o.after);
  bool gone = false;
  ctx.node().follow(wakes_of(o.session) + q.text(), [&](const sse_event& e) {
    gone = e.name == "gone";
    if (gone) return false;
    const auto wake = json_text::parse(e.data);
    if (e.name != "wake" || !wake) return true;
    const view w = wake->root();
    if (ctx.table())
      ctx.put(wake_line(w, ctx.screen()));
    else
      ctx.put((ctx.options.output == "name" ? w["id"].text() : compact(w.raw())) + "\n");
    if (o.acknowledge) acknowledge(o.session, {w["id"].text()}, ctx);
    return true;
  });
  if (gone) throw refusal(exit_code::not_found, "the session " + o.session + " has gone", {}, {});
  return number_of(exit_code::ok);
}

int list_wakes(const wakes_options& o, context& ctx) {
  if (o.follow) return follow_wakes(o, ctx);
  query_text q;
  if (o.wait) {
    const auto wait = core::parse_span(*o.wait);
    if (!wait || *wait < core::span{0} || *wait > longest_wait)
      throw refusal(exit_code::usage, "--wait: given \"" + *o.wait + "\", allowed: 0s to 60s, such as 30s",
                    {}, {});
  }
  q.add("wait", o.wait).add("after", o.after);
  if (o.max) q.add("max", std::to_string(*o.max));
  const auto page = ctx.node().get(wakes_of(o.session) + q.text());
  ctx.show_list(
      {page}, "wakes", [](view w) { return w["id"].text(); },
      [&] {
        std::string text;
        page["wakes"].each([&](view w) { text += wake_line(w, ctx.screen()); });
        return text;
      });
  std::vector<std::string> heard;
  page["wakes"].each([&](view w) { heard.push_back(w["id"].text()); });
  if (o.acknowledge && !heard.empty()) acknowledge(o.session, heard, ctx);
  // A script that waited wants to know whether there is something.
  return number_of(o.wait && heard.empty() ? exit_code::still_pending : exit_code::ok);
}

struct ack_options {
  std::string session, wake;
};

struct by_hand_options {
  std::string session, run;
};

}  // namespace

void add_session_wakes(command& session, context& ctx) {
  auto& wakes = session.sub("wakes", "Print the wakes of a session, wait for them, acknowledge them");
  auto& o = wakes.keep<wakes_options>();
  wakes.argument("SESSION", o.session, "id of a session", true, complete::sessions);
  wakes.option("--wait", o.wait, "TIME",
               "wait so long for one when there is none, at most 60s; then exit code 8");
  wakes.flag("--follow,-f", o.follow, "print them as they come");
  wakes.flag("--ack", o.acknowledge, "acknowledge what is printed");
  wakes.option("--max", o.max, "N", "at most so many, 1 to 1000; default 100");
  wakes.option("--after", o.after, "WAKE", "only those behind this one");
  wakes.note(
      "A wake says that work waits; it assigns nothing, and a worker that claims without having been woken "
      "gets "
      "work all the same. Asking is a sign of life of the session.");
  wakes.example("belfry session wakes \"$session\" --wait 30s --ack && belfry claim \"$session\"", "");
  wakes.action([&o, &ctx] { return list_wakes(o, ctx); });

  auto& ack = session.sub("ack", "Acknowledge a wake");
  auto& heard = ack.keep<ack_options>();
  ack.argument("SESSION", heard.session, "id of a session", true, complete::sessions);
  ack.argument("WAKE", heard.wake, "id of a wake", true);
  ack.example("belfry session ack \"$session\" wak_01HZX3K9QWERT", "");
  ack.action([&heard, &ctx] {
    const auto a =
        ctx.node().post(wakes_of(heard.session) + "/" + percent_encoded(heard.wake) + ":ack", std::string{});
    ctx.show(a, a["id"].text(), [&] {
      return a["id"].text() + (a["repeated"].truth() ? " was heard before" : " heard") + ", for " +
             a["run_id"].text() + "\n";
    });
    return number_of(exit_code::ok);
  });

  auto& wake = session.sub("wake", "Wake a session for a run by hand, to try how it is woken");
  auto& hand = wake.keep<by_hand_options>();
  wake.argument("SESSION", hand.session, "id of a session", true, complete::sessions);
  wake.argument("RUN", hand.run, "id, prefix or name of a run", true, complete::runs);
  wake.note("It assigns nothing. `belfry events --run RUN` tells what became of it.");
  wake.example("belfry session wake ses_01HZX3K9QWERT thumbs", "");
  wake.action([&hand, &ctx] {
    api::json::writer w;
    w.begin_object().member("run_id", hand.run).end_object();
    const auto s = ctx.node().post("/v1/sessions/" + percent_encoded(hand.session) + ":wake", w.str());
    ctx.show(s, s["id"].text(), [&] { return s["id"].text() + "\n"; });
    return number_of(exit_code::ok);
  });
}

}  // namespace belfry::app
