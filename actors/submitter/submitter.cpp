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

constexpr std::size_t most_runs = 1000;

}  // namespace

submitter::submitter(caf::actor_config& cfg, submitter_deps deps)
    : submitter_actor::base(cfg), deps_{std::move(deps)} {}

auto submitter::make_behavior() -> behavior_type {
  return {
      [this](submit_runs& asked) { return submit(asked); },
      [this](const intake_changed& news) { intake_ = news; },
  };
}

caf::result<core::result<submitted>> submitter::submit(submit_runs& asked) {
  if (asked.runs.empty() || asked.runs.size() > most_runs)
    return core::result<submitted>{
        failure{errc::invalid,
                "a submission has 1 to 1,000 runs",
                {{"/runs", std::to_string(asked.runs.size()), "1 to 1000", "too many or none"}},
                {}}};
  if (!intake_.open)
    return core::result<submitted>{
        failure{errc::overloaded,
                "the queue is full: " + std::to_string(intake_.waiting) + " runs are waiting",
                {},
                "belfry status"}};
  std::vector<storage::change_set> sets;
  sets.push_back({deps_.clock->now(),
                  asked.actor,
                  once_of(asked.once),
                  {storage::insert_runs{std::move(asked.runs), asked.as_batch}}});
  return commit_then<submitted>(
      this, deps_.store, std::move(sets), [this](commit_results& r) -> core::result<submitted> {
        auto& answer = r.answers.front();
        if (!answer) return std::move(answer.error());
        if (!answer->replayed)
          deps_.says.count(metric::runs_submitted_total, static_cast<double>(answer->runs.size()));
        return submitted{std::move(answer->runs), answer->batch, answer->replayed};
      });
}

}  // namespace belfry::actors
