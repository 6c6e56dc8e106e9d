#include "actors/support/message_types.hpp"
// after the message types
#include "tests/support/virtual_node.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <map>
#include <sstream>
#include <stdexcept>

namespace belfry::tests {

using namespace messages;

namespace {

class faulty_store final : public storage::store {
 public:
  faulty_store(std::unique_ptr<storage::store> real, store_faults& faults)
      : real_{std::move(real)}, faults_{&faults} {}
  core::result<storage::receipt> apply(const storage::change_set& set) override {
    if (faults_->dead) return gone();
    if (faults_->record) faults_->seen.push_back(set);
    if (!faults_->touch) return real_->apply(set);
    auto touched = set;
    faults_->touch(touched);
    return real_->apply(touched);
  }
  core::result<void> commit() override {
    if (faults_->dead) {
      real_->rollback();
      return gone();
    }
    ++faults_->commits;
    const auto fault =
        faults_->every_commit ? faults_->every_commit : std::exchange(faults_->next_commit, {});
    if (!fault) return real_->commit();
    real_->rollback();
    return *fault;
  }
  void rollback() override { real_->rollback(); }
  core::result<storage::open_page> scan_open(core::run_id after, std::size_t limit) override {
    return real_->scan_open(after, limit);
  }
  core::result<core::pause_book> pauses() override {
    if (faults_->pauses_unreadable)
      return core::failure{core::errc::unavailable, "the pauses cannot be read", {}, {}};
    return real_->pauses();
  }
  core::result<core::limit_options> limits(const core::limit_options& configured) override {
    return real_->limits(configured);
  }
  core::result<std::vector<core::event>> events_between(std::int64_t first, std::int64_t last) override {
    return real_->events_between(first, last);
  }
  void follow(const storage::store_rules& rules) override { real_->follow(rules); }
  core::pressure pressure(core::instant now) const override { return real_->pressure(now); }
  std::unique_ptr<storage::reader> open_reader() override { return real_->open_reader(); }

 private:
  static core::failure gone() { return {core::errc::unavailable, "the node has been killed", {}, {}}; }
  std::unique_ptr<storage::store> real_;
  store_faults* faults_;
};

template <class T>
T must(core::result<T> r, const char* what) {
  if (!r)
    throw std::runtime_error(std::string{what} + ": " + std::string{core::code_of(r.error().code)} + ": " +
                             r.error().text);
  return std::move(*r);
}

std::string hook_words(const core::hook_question& q) {
  std::string text = "ask " + to_string(q.who.id) + " max " + std::to_string(q.max) + ":";
  for (const auto& r : q.runs) text += " " + to_string(r.id) + "=" + r.name;
  return text;
}

core::result<core::hook_verdict> hook_verdict_of(std::string_view answer) {
  std::istringstream in{std::string{answer}};
  core::hook_verdict v;
  std::string word;
  in >> word;
  if (word == "refuse") {
    v.decision = core::hook_decision::refuse;
    std::getline(in >> std::ws, v.reason);
  } else if (word == "narrow" || word == "max") {
    v.decision = core::hook_decision::narrow;
    v.some = word == "narrow";
    if (!v.some) in >> v.max;
    for (std::string id; v.some && in >> id;) v.runs.push_back(*core::parse_id<core::run_id>(id));
  } else if (word != "allow") {
    return core::failure{core::errc::malformed, "it says " + word, {}, {}};
  }
  return v;
}

void must(const core::result<void>& r, const char* what) {
  if (!r) throw std::runtime_error(std::string{what} + ": " + r.error().text);
}

}  // namespace

actors::node_options virtual_node::usual_options() {
  actors::node_options o;
  o.mark = "test";
  o.schedule = actors::scheduling::testing;
  o.executor.processes = 2;
  o.retention.every = core::span{0};
  o.alarms.dead_letter_age = core::span{0};
  o.ladder.minimum_age = core::span{0};
  return o;
}

// CAF keeps no list of its actors, but each has to be initialised, and the coordinator shows who is first in
// line.
struct virtual_node::cast {
  std::map<caf::actor_id, std::pair<std::string, caf::weak_actor_ptr>> seen;
};

virtual_node::virtual_node(actors::node_options o, bool start)
    : options{std::move(o)}, cast_{std::make_unique<cast>()} {
  open();
  if (start) {
    must(node_->start(), "start");
    run();
  }
}

virtual_node::~virtual_node() {
  if (node_) crash();
}

void virtual_node::open() {
  actors::node_parts parts;
  parts.store = std::make_unique<faulty_store>(must(storage::open_memory(disk, time.now()), "open"), faults);
  parts.clock = &time;
  parts.randomness = chance.get();
  parts.processes = &processes;
  parts.meter = meter.get();
  parts.webhooks = &webhooks;
  parts.wake_text = [](const wake_view& v, core::wake_via via) {
    return std::string{to_text(via)} + " " + to_string(v.id) + " " + to_string(v.run) + " " + v.name;
  };
  parts.links = links;
  parts.admits = admits;
  parts.hook_calls = &hook_calls;
  parts.hook_text = hook_words;
  parts.hook_verdict = hook_verdict_of;
  parts.note = [this](actors::note_level, const std::string& line) { notes.push_back(line); };
  parts.fatal = [this](const std::string& why) { fatal.push_back(why); };
  if (!real_desk)
    parts.deliver_wakes = [this](const deliver_wakes& m) {
      if (deliver) return deliver(m);
      wakes_delivered none;
      none.answers.assign(m.targets.size(), core::failure{core::errc::unavailable, "it has no sink", {}, {}});
      return none;
    };
  if (!real_spawner)
    parts.spawn_worker = [this](const spawn_worker& m) -> core::result<worker_spawned> {
      if (spawn) return spawn(m);
      return core::failure{core::errc::not_found, "no agent types are declared", {}, {}};
    };
  node_ = std::make_unique<actors::node>(options, std::move(parts));
  coordinator_origin_ = coordinator().clock().now().time_since_epoch().count();
  steady_origin_ = time.steady();
}

caf::scheduler::test_coordinator& virtual_node::coordinator() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(node_->system().scheduler());
}

bool virtual_node::step() {
  auto& jobs = coordinator().jobs;
  if (jobs.empty()) return false;
  if (dies_at && steps_ >= *dies_at) {
    dies_at.reset();
    throw node_dies{};
  }
  if (next_of) {
    const auto i = static_cast<std::ptrdiff_t>(next_of(jobs.size()));
    std::rotate(jobs.begin(), jobs.begin() + i, jobs.begin() + i + 1);
  }
  if (auto* a = dynamic_cast<caf::scheduled_actor*>(jobs.front()))
    cast_->seen.try_emplace(a->id(), a->name(), caf::weak_actor_ptr{a->ctrl()});
  ++steps_;
  return coordinator().try_run_once();
}

void virtual_node::run() {
  while (step()) {
  }
}

void virtual_node::advance(core::span by) {
  const auto target = time.steady() + by;
  run();
  auto& clock = coordinator().clock();
  const auto steady_of = [this](caf::actor_clock::time_point t) {
    const std::chrono::nanoseconds since{t.time_since_epoch().count() - coordinator_origin_};
    return steady_origin_ + std::chrono::duration_cast<core::span>(since);
  };
  for (;;) {
    auto next = target;
    bool due = false;
    if (const auto& set = clock.schedule(); !set.empty() && steady_of(set.begin()->first) <= next) {
      next = steady_of(set.begin()->first);
      due = true;
    }
    if (const auto at = processes.next_due(); at && *at <= next) {
      next = *at;
      due = true;
    }
    time.advance(std::max(next - time.steady(), core::span{0}));
    clock.advance_time(time.steady() -
                       steady_of(clock.now()));  // a test may have moved the virtual clock alone
    processes.advance();
    run();
    if (!due) return;
  }
}

bool virtual_node::kill(const std::string& actor_name) {
  bool found = false;
  for (const auto& [id, who] : cast_->seen) {
    if (who.first != actor_name) continue;
    const auto alive = caf::actor_cast<caf::strong_actor_ptr>(who.second);
    if (!alive) continue;
    caf::anon_send_exit(alive, caf::exit_reason::kill);
    found = true;
  }
  return found;
}

void virtual_node::wake_became(wake_changed news) {
  for (const auto& [id, who] : cast_->seen)
    if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(who.second);
        alive && who.first == "wake-coordinator") {
      caf::anon_send(caf::actor_cast<wake_listener>(alive), std::move(news));
      return run();
    }
  throw std::runtime_error("there is no wake coordinator");
}

void virtual_node::mislead(runs_committed heads) {
  for (const auto& [id, who] : cast_->seen)
    if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(who.second);
        alive && who.first == "dispatcher") {
      caf::anon_send(caf::actor_cast<follower_actor>(alive), std::move(heads));
      return run();
    }
  throw std::runtime_error("there is no dispatcher");
}

pending<worker_spawned> virtual_node::ask_spawner(spawn_worker m, bool run_it) {
  pending<worker_spawned> p;
  for (const auto& [id, who] : cast_->seen)
    if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(who.second);
        alive && who.first == "spawner") {
      const auto spawner = caf::actor_cast<worker_spawner>(alive);
      node_->system().spawn([spawner, m, tell = p.reply()](caf::event_based_actor* self) {
        self->request(spawner, caf::infinite, m)
            .then([tell](core::result<worker_spawned>& r) { tell(std::move(r)); },
                  [tell](caf::error&) {
                    tell(core::failure{core::errc::aborted, "it died", {}, {}});
                  });
      });
      if (run_it) run();
      return p;
    }
  throw std::runtime_error("there is no spawner");
}

wakes_delivered virtual_node::hand_to_desk(deliver_wakes wakes) {
  (void)wake_news();
  auto told = std::make_shared<std::optional<wakes_delivered>>();
  for (const auto& [id, who] : cast_->seen)
    if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(who.second);
        alive && who.first == "wake-desk") {
      node_->system().spawn(
          [told, wakes, desk = caf::actor_cast<wake_deliverer>(alive)](caf::event_based_actor* self) {
            self->request(desk, caf::infinite, wakes)
                .then([told](wakes_delivered& all) { *told = std::move(all); }, [](caf::error&) {});
          });
      run();
      return told->value();
    }
  throw std::runtime_error("there is no wake desk");
}

const std::vector<wake_changed>& virtual_node::wake_news() {
  if (wake_news_) return *wake_news_;
  wake_news_ = std::make_shared<std::vector<wake_changed>>();
  for (const auto& [id, who] : cast_->seen)
    if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(who.second);
        alive && who.first == "wake-desk") {
      const auto listener =
          node_->system().spawn([news = wake_news_](wake_listener::pointer) -> wake_listener::behavior_type {
            return {[news](const wake_changed& change) { news->push_back(change); }};
          });
      caf::anon_send(caf::actor_cast<wake_desk_actor>(alive), tell_wakes{listener});
    }
  run();
  return *wake_news_;
}

void virtual_node::crash() {
  faults.dead = true;
  processes.crash_node();
  wake_news_.reset();
  cast_->seen.clear();
  node_.reset();
  processes.crash_node();  // those that were about to be started
  faults.dead = false;
}

void virtual_node::restart() {
  if (node_) crash();
  processes.kill_marked(options.mark);
  open();
  must(node_->start(), "start");
  run();
}

void virtual_node::stop(core::span deadline) {
  must(node_->stop(deadline), "stop");
  advance(deadline + 8 * options.patience);
}

core::run_spec virtual_node::process(const std::string& name) {
  core::run_spec s;
  s.name = name;
  s.process.argv = {"true"};
  s.retry.jitter = 0;
  return s;
}

core::run_spec virtual_node::payload(const std::string& name) {
  auto s = process(name);
  s.handler = core::handler_kind::none;
  s.process = {};
  s.payload = "{}";
  return s;
}

core::run virtual_node::submit(core::run_spec spec, core::span delay) {
  submit_runs m;
  core::submission one;
  one.spec = std::make_shared<const core::run_spec>(std::move(spec));
  one.actor = "test";
  if (delay > core::span{0}) one.due_at = now() + delay;
  m.runs.push_back(std::move(one));
  m.actor = "test";
  return must(ask<submitted>(std::move(m)), "submit").runs.front();
}

core::run virtual_node::find(core::run_id id) { return must(read(get_run{to_string(id)}), "find"); }

std::vector<core::attempt_record> virtual_node::attempts_of(core::run_id id) {
  return must(read(get_run_details{to_string(id)}), "attempts").attempts;
}

std::vector<std::string> virtual_node::events_of(core::run_id id) {
  get_events q;
  q.filter.run = id;
  std::vector<std::string> names;
  for (const auto& e : must(read(q), "events").events) names.emplace_back(to_text(e.kind));
  return names;
}

std::size_t virtual_node::count_events(core::event_kind kind) {
  get_events q;
  q.filter.kinds = {kind};
  return must(read(q), "events").events.size();
}

core::session_id virtual_node::worker(const std::string& name, std::uint32_t slots,
                                      const std::string& agent_type) {
  register_session m;
  m.who.name = name;
  m.who.slots = slots;
  m.who.agent_type = agent_type;
  m.actor = "test";
  return must(ask<session_answer>(std::move(m)), "register").who.id;
}

std::vector<claimed_run> virtual_node::claim(core::session_id who, std::uint32_t max, core::span lease) {
  claim_runs m;
  m.who = who;
  m.max = max;
  m.lease = lease;
  return must(ask<claimed_runs>(m), "claim").runs;
}

core::lease_proof proof_of(const claimed_run& run) {
  return {run.run.head.fencing, platform::sha256(run.token)};
}

core::result<settled_item> virtual_node::settle(const claimed_run& run, core::settle_kind kind,
                                                core::failure_class klass) {
  settle_runs m;
  core::cmd_settle how;
  how.proof = proof_of(run);
  how.kind = kind;
  how.klass = klass;
  m.items.push_back({run.run.head.id, how});
  m.actor = "worker";
  return must(ask<settled>(std::move(m)), "settle").answers.front();
}

core::result<lease_status> virtual_node::renew(const claimed_run& run, core::span lease) {
  touch_leases m;
  m.calls.push_back({run.run.head.id, core::cmd_renew{proof_of(run), lease}});
  return must(ask<touched>(std::move(m)), "renew").answers.front();
}

core::result<core::run_head> virtual_node::cancel(core::run_id id) {
  return must(ask<controlled>(control_runs{{id}, core::cmd_cancel{"test"}, "test"}), "cancel")
      .answers.front();
}

queue_state virtual_node::queue() { return must(ask<queue_state>(ask_queue{}), "queue"); }
node_status virtual_node::status() { return must(ask<node_status>(ask_node{}), "status"); }
explanation virtual_node::explain(core::run_id id) {
  const auto run = find(id);
  return must(ask<explanation>(explain_run{run.head, run.spec->handler}), "explain");
}

std::string virtual_node::key_of(const core::run_head& head) const {
  return to_string(head.id) + "/" + std::to_string(head.fencing);
}

}  // namespace belfry::tests
