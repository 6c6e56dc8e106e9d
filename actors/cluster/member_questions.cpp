#include "actors/cluster/member_questions.hpp"

#include <algorithm>
#include <utility>

namespace belfry::actors {

namespace {

bool may_go(const asked_question& q, const asked_questions::claim_rule& may_claim) {
  return q.kind != question_kind::claim || q.sent || may_claim(q.claimer);
}

}  // namespace

asked_question* asked_questions::find(std::uint64_t number) {
  const auto it = open_.find(number);
  return it == open_.end() ? nullptr : &it->second;
}

std::optional<asked_question> asked_questions::take(std::uint64_t number) {
  auto node = open_.extract(number);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

std::vector<asked_question> asked_questions::link_lost() {
  std::vector<asked_question> out;
  for (auto it = open_.begin(); it != open_.end();) {
    auto& q = it->second;
    if (q.sent && q.kind != question_kind::other) {
      out.push_back(std::move(q));
      it = open_.erase(it);
      continue;
    }
    q.sent = false;
    q.again_at = core::never;
    ++it;
  }
  return out;
}

std::vector<std::uint64_t> asked_questions::claims() const {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, q] : open_)
    if (q.kind == question_kind::claim) numbers.push_back(number);
  return numbers;
}

std::vector<std::uint64_t> asked_questions::due(core::instant now, const claim_rule& may_claim) const {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, q] : open_)
    if (q.again_at <= now && may_go(q, may_claim)) numbers.push_back(number);
  return numbers;
}

core::instant asked_questions::next_due(const claim_rule& may_claim) const {
  auto next = core::end_of_time;
  for (const auto& [number, q] : open_)
    if (q.again_at < next && may_go(q, may_claim)) next = q.again_at;
  return next;
}

}  // namespace belfry::actors
