#include "actors/support/message_types.hpp"
// after the message types
#include "actors/submitter/submitter.hpp"

#include <utility>

#include "actors/support/change_sets.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;
using platform::metric;

namespace {

// Runs of one commit: enough to make its cost small, few enough that nobody waits long for it.
constexpr std::size_t runs_of_a_commit = 2000;
constexpr std::size_t payload_of_a_commit = 4U << 20U;

std::size_t payload_of(const submit_runs& asked) {
  std::size_t bytes = 0;
  for (const auto& each : asked.runs)
    if (each.spec) bytes += each.spec->payload.size();
  return bytes;
}

core::result<submitted> answer_of(core::result<storage::receipt>& r) {
  if (!r) return std::move(r.error());
  return submitted{std::move(r->runs), r->batch, r->replayed};
}

}  // namespace

submitter::submitter(caf::actor_config& cfg, submitter_deps deps)
    : submitter_actor::base(cfg), deps_{std::move(deps)} {}

auto submitter::make_behavior() -> behavior_type {
  return {
      [this](take_submissions) { take_in(); },
      [this](const intake_changed& news) { intake_ = news; },
  };
}

void submitter::on_exit() {
  if (deps_.waiting) deps_.waiting->close();
  deps_ = {};
}

// What cannot be taken is answered at once, the rest goes into one commit; nothing left: idle.
void submitter::take_in() {
  for (;;) {
    std::size_t runs = 0, bytes = 0;
    auto all = deps_.waiting->take([&](const waiting_submission& w) {
      runs += w.what.runs.size();
      bytes += payload_of(w.what);
      return runs >= runs_of_a_commit || bytes >= payload_of_a_commit;
    });
    if (all.empty()) return;
    std::erase_if(all, [this](waiting_submission& w) {
      if (auto no = refuse_length(w.what.runs.size(), "/runs")) {
        w.who->answer(std::move(*no));
        return true;
      }
      if (intake_.open) return false;
      w.who->answer(failure{errc::overloaded,
                            "the queue is full: " + std::to_string(intake_.waiting) + " runs are waiting",
                            {},
                            "belfry status"});
      return true;
    });
    if (!all.empty()) return commit(std::move(all));
  }
}

void submitter::commit(std::vector<waiting_submission> all) {
  commit_changes sets;
  sets.sets.reserve(all.size());
  const auto now = deps_.clock->now();
  auto asked = std::make_shared<std::vector<std::shared_ptr<open_question<submitted>>>>();
  asked->reserve(all.size());
  for (auto& w : all) {
    sets.sets.push_back({now,
                         std::move(w.what.actor),
                         once_of(w.what.once),
                         {storage::insert_runs{std::move(w.what.runs), w.what.as_batch}}});
    w.who->asked = true;
    asked->push_back(std::move(w.who));
  }
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [this, asked](commit_results& r) {
            std::size_t made = 0;
            for (std::size_t i = 0; i < asked->size(); ++i) {
              auto& answer = r.answers.at(i);
              if (answer && !answer->replayed) made += answer->runs.size();
              (*asked)[i]->answer(answer_of(answer));
            }
            deps_.says.count(metric::runs_submitted_total, static_cast<double>(made));
            take_in();
          },
          [this, asked](caf::error& e) {
            for (const auto& q : *asked) q->answer(failure_of(e, "storage"));
            take_in();
          });
}

}  // namespace belfry::actors
