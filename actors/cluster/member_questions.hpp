// MEMBER QUESTIONS: what the executors of a member have asked the coordinator and nobody has answered yet. A
// value: who sends, and when, is the member desk's business.
//
// A question keeps its number and its bytes as long as it is open. Whatever of it is lost, it is sent again:
// the coordinator does the same thing once (a settle by fencing number and outcome, lines by their numbers, a
// registration by its key). Claims and renewals do not outlive their link: a claim that was answered into a
// link that is gone is a run that nobody started, and the next hello says so; a renewal is asked anew, for
// what lives by then.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/time/instant.hpp"
#include "messages/wire/wire.hpp"

namespace belfry::actors {

enum class question_kind : std::uint8_t { claim, renewal, other };

// When an answered question had been put on this link for the first time, and how long after it had come
// there a lease was granted.
struct asked_when {
  core::instant asked = core::never;
  core::span waited{0};
};

struct asked_question {
  using answered = std::function<void(core::result<messages::wire::reply>&, asked_when)>;

  question_kind kind = question_kind::other;
  core::session_id claimer = {};  // of a claim
  std::string body;
  core::span wait{0};      // that was asked for
  core::span patience{0};  // beyond it
  answered then;
  bool soon = false;                     // nobody waits for its answer: it may leave with the next one
  bool sent = false;                     // on this link
  core::instant asked = core::never;     // when that was, for the first time
  core::instant again_at = core::never;  // when to send it, or to send it again
};

class asked_questions {
 public:
  std::uint64_t add(asked_question q) {
    open_.emplace(++last_, std::move(q));
    return last_;
  }
  asked_question* find(std::uint64_t number);
  // It has been answered, or nobody waits for it any more.
  std::optional<asked_question> take(std::uint64_t number);
  // The link is gone: out with what does not outlive it, in the order of asking. What stays is due on the
  // next link, and so are claims that were never sent.
  std::vector<asked_question> link_lost();
  // Claims that nobody waits for any more: those that were not sent are forgotten; the rest stay, for the
  // run that may still come. Answers what to do without a run: to be called once for each.
  std::vector<std::uint64_t> claims() const;
  // Numbers of those that are to be sent now. `may_claim` is asked about claims that were not sent yet.
  using claim_rule = std::function<bool(core::session_id)>;
  std::vector<std::uint64_t> due(core::instant now, const claim_rule& may_claim) const;
  core::instant next_due(const claim_rule& may_claim) const;  // end_of_time: none
  std::size_t size() const { return open_.size(); }
  void clear() { open_.clear(); }

 private:
  std::map<std::uint64_t, asked_question> open_;
  std::uint64_t last_ = 0;
};

}  // namespace belfry::actors
