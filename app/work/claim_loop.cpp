#include <algorithm>

#include "app/work/loops.hpp"

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

constexpr core::span empty_pause = 500ms;
// A hundred payloads of the largest size are an answer of some megabytes.
constexpr std::size_t most_at_once = 100;

class claimer {
 public:
  explicit claimer(work_parts& parts) : parts_(parts), node_(parts) {}

  void run() {
    if (!parts_.plan.session.empty()) parts_.desk.now_known_as(parts_.plan.session);
    if (enter())
      while (const auto room = parts_.desk.await_room())
        if (!claim(*room)) break;
    parts_.desk.claimer_left();
  }

 private:
  // Under the id that it had, if it had one: its leases go on.
  bool enter() {
    for (;;) {
      const auto id = parts_.desk.session();
      const auto word = node_.post("/v1/sessions", registration(parts_.plan, id), 30s);
      if (word.yes()) {
        parts_.desk.now_known_as(word.answer["id"].text());
        parts_.notes.say("worker-registered session=" + parts_.desk.session() + " name=" + parts_.plan.name +
                         " slots=" + std::to_string(parts_.plan.slots));
        return true;
      }
      // Whom the node has started it for is all that it is here for.
      if (word.no() && !parts_.plan.session.empty()) return stop(word);
      if (word.no() && !id.empty()) {
        parts_.notes.warn("session-lost session=" + id + " " + word.text);
        parts_.desk.now_known_as({});  // come back as a new one
        continue;
      }
      if (word.no()) return stop(word);
      if (!node_.wait(word, true) || parts_.desk.draining()) return false;
    }
  }

  bool claim(std::size_t room) {
    const auto asked = parts_.clock.steady();
    const auto word =
        node_.post("/v1/claims", claim_wish(parts_.plan, parts_.desk.session(), std::min(room, most_at_once)),
                   parts_.plan.wait + 15s);
    if (word.yes()) {
      take(word.answer["claims"]);
      if (commanded(word.answer.root(), "drain")) return parts_.leave();
      // An empty answer at once: the session may take nothing now, or is not to wait; not asked all the time.
      if (word.answer["claims"].size() == 0 && parts_.clock.steady() - asked < empty_pause)
        parts_.desk.pause(empty_pause, true);
      return true;
    }
    if (!word.no()) return node_.wait(word, true);
    if (parts_.desk.draining()) return false;
    return word.code == "not_found" && parts_.plan.session.empty() ? enter() : stop(word);
  }

  bool stop(const node_word& word) {
    parts_.desk.give_up(refusal(word.exit, word.text));
    return false;
  }

  void take(view claims) {
    claims.each([&](view each) {
      const auto claimed = read_claimed(each, parts_.plan);
      if (!claimed) return parts_.notes.warn("claim-not-understood " + claimed.error().text);
      begin(*claimed);
    });
  }

  void begin(const messages::claimed_run& claimed) {
    const actors::attempt shape{claimed};
    if (!parts_.desk.admit(claimed)) return;
    parts_.notes.say("run-started run=" + core::to_string(claimed.run.head.id) + " attempt=" +
                     std::to_string(claimed.run.head.attempt) + " name=" + claimed.run.head.name);
    launch(parts_, shape);
  }

  // Its condition first, where it has one. That one ends on another thread, perhaps after this one.
  static void launch(const work_parts& parts, actors::attempt shape) {
    const auto key = shape.key();
    auto order = shape.order(parts.mark, parts.chance);
    platform::process_events tell;
    tell.output = [&desk = parts.desk, key](std::vector<platform::output_line> lines) {
      desk.output(key, std::move(lines));
    };
    tell.ended = [parts, key, shape = std::move(shape)](const platform::process_report& report) mutable {
      if (!parts.desk.ended(key, report) || !shape.passed(report)) return;
      const auto process = shape.key();
      launch(parts, std::move(shape));
      if (parts.desk.stopped_early(process)) parts.children.stop(process, platform::stop_reason::cancel);
    };
    parts.children.start(key, std::move(order), std::move(tell));
  }

  work_parts& parts_;
  caller node_;
};

}  // namespace

void claim_loop(work_parts parts) { claimer{parts}.run(); }

}  // namespace belfry::app
