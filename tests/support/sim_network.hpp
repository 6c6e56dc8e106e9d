// SIM NETWORK: links between the processes of a simulated cluster, in one thread and under virtual time. It
// promises what actors::links promises and not a bit more: an envelope may be lost, late or overtaken, it
// comes at most once and whole.
//
// What may go wrong: a direction is cut for a while (both ways: a partition), and what was sent into the cut
// comes late or never; a link dies, and each side hears of it or hears nothing for ever; a window fills; a
// dial fails, or hangs until it fails. A process that is frozen hears what came meanwhile when it thaws; one
// that has died hears nothing. Every callback is made from `deliver`, none from inside a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/cluster/links.hpp"
#include "core/time/instant.hpp"
#include "tests/support/sim_dice.hpp"

namespace belfry::tests {

/// How well the lines are doing. The same for all; what differs is luck.
struct line_quality {
  core::span least = std::chrono::microseconds{200}, most = std::chrono::milliseconds{5};
  double loss = 0;  // chance that an envelope vanishes
  double late = 0;  // ... that it takes up to `late_by` longer, and others overtake it
  core::span late_by = std::chrono::seconds{2};
  double dial_fails = 0, dial_hangs = 0;
};

struct network_counts {
  std::size_t dials = 0, links = 0, sent = 0, delivered = 0, lost = 0, refused = 0, deaths = 0;
};

class sim_network {
 public:
  /// `now`: true time.
  sim_network(dice& luck, std::function<core::instant()> now);
  ~sim_network();

  /// The end of this process; the same for all its lives.
  actors::links& party(const std::string& name);
  /// Who is reached under this address.
  void serves(const std::string& address, const std::string& name) { addresses_[address] = name; }

  // What happens to them.
  void cut(const std::string& from, const std::string& to);
  void mend(const std::string& from, const std::string& to);
  void mend_all();
  bool is_cut(const std::string& from, const std::string& to) const { return cuts_.contains({from, to}); }
  /// All links between the two die; each side is told or not.
  void sever(const std::string& a, const std::string& b, bool tell_a, bool tell_b);
  /// The process is gone. Its peers are told by the machine that it ran on, or not.
  void crash(const std::string& name, bool told);
  void freeze(const std::string& name);
  void thaw(const std::string& name);

  /// True time of what happens next.
  std::optional<core::instant> next() const;
  void deliver();
  /// Nothing is on its way to anybody who is there to hear it.
  bool idle() const;

  line_quality quality;
  /// Bytes that may be on their way from one side of a link.
  std::size_t window = 64 * 1024;
  /// Sees each envelope that was taken, and may change it. False: it vanishes.
  std::function<bool(const std::string& from, const std::string& to, actors::envelope&)> touch;
  const network_counts& counts() const { return counts_; }

 private:
  struct link;
  class end;
  struct event {
    std::string to;
    std::uint64_t life = 0;  // of that process
    std::function<void()> what;
  };
  using cut_line = std::pair<std::string, std::string>;

  void after(core::span wait, const end& to, std::function<void()> what);
  core::span a_while();
  bool send(end& from, actors::link_id id, actors::envelope e);
  void travel(const std::shared_ptr<link>& l, int side, std::shared_ptr<actors::envelope> e, core::span by);
  void arrive(const std::shared_ptr<link>& l, int side, const std::shared_ptr<actors::envelope>& e);
  void close(end& from, actors::link_id id, const std::string& why);
  void dial(end& from, const std::string& address, std::function<void(core::failure)> failed);
  void connect(end& from, const std::string& address, const std::function<void(core::failure)>& failed);
  void die(const std::shared_ptr<link>& l, const std::string& why, bool tell_dialer, bool tell_other);
  void tell_down(const std::shared_ptr<link>& l, int side, const std::string& why, core::span in);

  dice& luck_;
  std::function<core::instant()> now_;
  std::map<std::string, std::unique_ptr<end>> ends_;
  std::map<std::string, std::string> addresses_;
  std::map<std::uint64_t, std::shared_ptr<link>> links_;
  std::set<cut_line> cuts_;
  std::map<std::pair<core::instant, std::uint64_t>, event> events_;
  std::uint64_t serial_ = 0;
  network_counts counts_;
};

}  // namespace belfry::tests
