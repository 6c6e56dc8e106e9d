// CLUSTER DESK: the coordinator's side of the links. It lets members in, passes their questions on to those
// who would be asked at home, tells them what has to stop, and judges by their silence whether they live.
//
//   link up ──hello──► greeting: what the store knows of the node is put right ──► joined ──► questions,
//   beats
//                └── refused, link closed
//
// It holds nothing that is lost with it but who is linked: nodes, sessions and leases are rows. Its verdicts
// end no lease; a lease ends because it ran out, because its holder's process is known to be dead (the same
// node is back with another boot), or because a hello does not name it.
//
// A question is answered over the link that it came by, or not at all: a link that is gone hears nothing any
// more, and whoever asked there has forgotten the number. So what such an answer would have given is taken
// back at once: runs of a claim return to their place, a session that was just made ends.
//
// A node that is alone has this actor too, for the doors; then it only knows itself.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/cluster/admission.hpp"
#include "actors/cluster/role.hpp"
#include "actors/node/node.hpp"
#include "actors/storage/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/life.hpp"
#include "actors/support/note.hpp"
#include "actors/support/promise_guard.hpp"
#include "core/cluster/membership.hpp"
#include "core/cluster/node_story.hpp"
#include "messages/wire/wire.hpp"

namespace belfry::actors {

struct cluster_desk_deps {
  actors::links* links = nullptr;  // null: alone
  std::shared_ptr<admission> admits = {};
  storage_client store;
  messages::reader_actor reader;
  messages::attempt_stopper executors;  // of this node; may be nobody
  messages::cluster_listener supervisor;
  const platform::clock* clock = nullptr;
  platform::randomness* randomness = nullptr;
  voice says;
  cluster_options options;
  std::uint32_t own_executors = 0;
};

class cluster_desk : public cluster_desk_actor::base {
 public:
  cluster_desk(caf::actor_config& cfg, cluster_desk_deps deps);
  const char* name() const override { return "cluster-desk"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  // Instants are steady, unless they say otherwise.
  struct member {
    core::cluster_node is;  // as it is kept, with the state as it is judged; its instants are the wall's
    link_id link = 0;       // that it has joined by
    link_id greeting = 0;   // that is about to join
    core::instant heard;
    core::instant beat_at;
    std::uint64_t beat = 0;  // that is not answered yet; 0: none
    core::instant beat_sent;
    core::span latency{0};
    bool drained = false;  // it was said, or was so before this process began
    bool drain_is_old = false;
    // Runs that it has or had, so that it may speak of them. Of those that ended the last ones stay, for a
    // question may be repeated after its answer was lost.
    struct its_run {
      core::session_id holder;
      bool ended = false;
    };
    std::unordered_map<core::run_id, its_run> runs;
    std::deque<core::run_id> ended;
  };
  // A session of a member's executor.
  struct executor {
    std::string node;
    bool used = false;                  // it has asked something: its id is known to the member
    std::uint64_t claim = 0;            // the number of its last claim
    bool claiming = false;              // which is not answered yet
    std::vector<core::run_head> given;  // by it, and not spoken of since
    bool ended = false;                 // by the member, which may say so again
  };
  struct caller {
    std::string node, address;  // as the link says
    core::instant since;
    bool greeted = false;
    bool joined = false;
    std::uint32_t open = 0;                                // questions
    std::map<std::uint64_t, core::session_id> registered;  // by their numbers; 0: not answered yet
  };
  struct store_view {
    std::vector<core::session> sessions;  // gone ones too
    std::vector<core::run_head> leases;
  };
  using nodes_answer = core::result<messages::nodes_seen>;
  using nodes_promise = std::shared_ptr<promise_guard<nodes_answer>>;

  // desk.cpp
  void begin(const begin_cluster& who);
  void begun(std::vector<core::cluster_node> rows);
  void up(const link_came_up& news);
  void said(link_said& news);
  void heed(link_id link, member& m, envelope& e);
  void down(link_id link, const std::string& why);
  void hang_up(link_id link, const std::string& why);
  bool send(link_id link, messages::wire::kind kind, std::uint64_t number, std::string body,
            bool soon = false);
  void look_at_store(std::function<void(core::result<store_view>)> then);
  std::vector<core::session_id> sessions_of(const std::string& node) const;
  void stop_claims_of(const std::string& node);

  // desk_beats.cpp
  void look();
  void arm();
  void heard(member& m);
  void beat(member& m);
  void beaten(member& m, std::uint64_t number);
  void judge(member& m);
  void end_silent_callers();
  void look_for_drained();
  void tell_story(const std::string& node, core::node_word word, std::string because);
  void tell_state();

  // desk_hello.cpp
  void hello(link_id link, const envelope& e);
  void refuse(link_id link, const core::failure& why);
  void put_right(link_id link, const messages::wire::hello& said, const store_view& known);
  void end_sessions(link_id link, const messages::wire::hello& said, core::reconciliation right);
  void enter(link_id link, const messages::wire::hello& said, core::reconciliation right);
  void welcome(link_id link, const messages::wire::hello& said, const core::reconciliation& right,
               core::cluster_node row);
  void leave(link_id link, member& m);
  bool greets(link_id link, const std::string& node) const;

  // desk_questions.cpp
  void question(link_id link, member& m, envelope& e);
  void ask(link_id link, std::uint64_t number, member& m, messages::register_session& q);
  void ask(link_id link, std::uint64_t number, member& m, messages::end_session& q);
  void ask(link_id link, std::uint64_t number, member& m, messages::claim_runs& q);
  void ask(link_id link, std::uint64_t number, member& m, messages::touch_leases& q);
  void ask(link_id link, std::uint64_t number, member& m, messages::settle_runs& q);
  void claimed(link_id link, std::uint64_t number, core::session_id who, core::instant asked,
               core::result<messages::claimed_runs>& r);
  void registered(link_id link, std::uint64_t number, const std::string& node,
                  core::result<messages::session_answer>& r);
  void seated(link_id link, std::uint64_t number, bool fresh, core::result<messages::session_answer>& r);
  void settled(link_id link, const std::vector<core::run_id>& runs, const core::result<messages::settled>& r);
  bool answer(link_id link, std::uint64_t number, core::result<messages::wire::reply> what,
              core::span waited = core::span{0});
  void forget_question(link_id link);
  void refuse_question(link_id link, std::uint64_t number, core::errc code, std::string text);
  bool owns(const member& m, core::session_id id);
  bool knows(member& m, core::run_id run);
  void end_namesakes(const core::session& who, const std::string& node);
  void give_back(const std::vector<core::run_head>& runs, const std::string& why,
                 std::function<void()> then = {});
  void end_session(core::session_id id, const std::string& why, bool crashed);

  // desk_doors.cpp
  caf::result<nodes_answer> look_at(const messages::look_at_nodes& asked);
  caf::result<nodes_answer> steer(const messages::steer_node& asked);
  caf::result<nodes_answer> remove(const messages::remove_node& asked);
  void write_removal(const messages::remove_node& asked, const nodes_promise& told);
  void steer_sessions(const messages::steer_node& asked, const store_view& known, std::function<void()> then);
  void show(const std::string& name, bool removed_too, const nodes_promise& told);
  core::result<messages::nodes_seen> seen(const std::string& name, bool removed_too,
                                          const store_view& known) const;
  core::cluster_node self() const;
  void follow_row(const core::cluster_node& row);
  void tell_admission();
  void stop(const messages::stop_attempt& asked);

  cluster_desk_deps deps_;
  std::string boot_;
  core::instant started_at_;  // wall
  begin_cluster home_;
  std::map<std::string, member> members_;
  std::unordered_map<core::session_id, executor> executors_;
  std::unordered_map<link_id, caller> callers_;
  std::vector<std::string> issues_;
  life_signs life_;
  alarm alarm_;
  std::uint64_t next_beat_ = 0;
  core::instant look_for_drained_at_;
  bool looks_for_drained_ = false;
  bool listening_ = false;
};

}  // namespace belfry::actors
