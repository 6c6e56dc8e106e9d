#include "app/work/caller.hpp"

#include "core/time/text.hpp"

namespace belfry::app {

bool work_parts::leave() const {
  if (!desk.draining()) notes.say("worker-drains because it was told to by the node");
  desk.drain();
  return false;
}

node_word caller::ask(const std::string& method, const std::string& target, const std::string& body,
                      core::span timeout) {
  auto word = line_.ask(method, target, body, timeout);
  if (word.what == node_word::kind::not_now) {
    parts_.notes.away(word.text);
  } else {
    parts_.notes.back();
    pace_.succeeded();
  }
  return word;
}

bool caller::wait(const node_word& word, bool leave_on_drain) {
  const auto pause = pace_.failed(parts_.clock.steady(), word.retry_after, parts_.chance.unit());
  if (!pause) {
    parts_.desk.give_up(
        refusal(exit_code::try_later,
                "the node did not answer for " + core::to_text(parts_.plan.patience) + ": " + word.text, {},
                "look whether it is there with `belfry health`; --patience says how long a worker waits"));
    return false;
  }
  parts_.desk.pause(*pause, leave_on_drain);
  return true;
}

}  // namespace belfry::app
