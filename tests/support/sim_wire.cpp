#include "tests/support/sim_wire.hpp"

#include <algorithm>
#include <variant>

#include "messages/wire/wire.hpp"

namespace belfry::tests {

namespace wire = messages::wire;

namespace {

std::string words_of(const messages::settle_item& item) {
  messages::settle_runs one;
  one.items.push_back(item);
  return wire::encode(wire::ask{std::move(one)});
}

void say_otherwise(core::cmd_settle& how) {
  how.kind =
      how.kind == core::settle_kind::succeeded ? core::settle_kind::failed : core::settle_kind::succeeded;
  how.message = "or not";
}

}  // namespace

bool sim_wire::sees(const std::string& from, const std::string& to, actors::envelope& e) {
  const auto kind = static_cast<wire::kind>(e.kind);
  if (e.version != core::wire_version)
    truth_.report("wire", from + " speaks version " + std::to_string(e.version));
  if (e.body.size() > wire::longest_body) truth_.report("wire", from + " sends what is too long");
  if (from == home) {
    if (kind == wire::kind::answer) open_[to].erase(e.number);
    return true;
  }
  if (kind == wire::kind::ask) asks(from, e);
  if (kind == wire::kind::hello) {
    open_[from].clear();  // what was asked on the last link will have no answer
    auto said = wire::read_hello(e.body);
    if (!said || said->node != from) {
      truth_.report("wire", "the hello of " + from + " cannot be read, or is another's");
      return true;
    }
    if (forgets_held) {
      said->held.clear();
      e.body = wire::encode(*said);
    }
  }
  return true;
}

void sim_wire::asks(const std::string& member, actors::envelope& e) {
  auto asked = wire::read_ask(e.body);
  if (!asked)
    return truth_.report("wire", "a question of " + member + " cannot be read: " + asked.error().text);
  auto& open = open_[member];
  open.insert(e.number);
  most_ = std::max(most_, open.size());
  if (open.size() > max_open)
    truth_.report("wire", member + " has " + std::to_string(open.size()) + " open questions");
  auto* settle = std::get_if<messages::settle_runs>(&asked->what);
  if (settle == nullptr) return;
  bool changed = false;
  for (auto& item : settle->items) {
    const std::pair key{item.run, item.how.proof.fencing};
    const auto known = ends_.find(key);
    if (other_words && known != ends_.end()) say_otherwise(item.how), changed = true;
    auto words = words_of(item);
    if (known == ends_.end())
      ends_.emplace(key, std::move(words));
    else if (known->second != words)
      truth_.report("wire", member + " told the end of " + to_string(item.run) + " with fencing number " +
                                std::to_string(key.second) + " twice, and not alike");
  }
  if (changed) e.body = wire::encode(*asked);
}

}  // namespace belfry::tests
