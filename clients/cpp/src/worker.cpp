#include "belfry/worker.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "keeper.hpp"

namespace belfry {
namespace detail {
namespace {

struct end {
  std::string verb;
  json body;
};

std::string default_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return std::string{host.data()} + "-" + std::to_string(::getpid());
}

// What the node tells a worker that it starts; nothing to anybody else.
std::string given(const char* name) {
  const char* session = std::getenv("BELFRY_SESSION");
  if (session == nullptr || *session == '\0') return {};
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

std::vector<std::string> words_in(const std::string& list) {
  std::vector<std::string> all;
  for (std::size_t from = 0; from < list.size();) {
    const auto to = std::min(list.find(',', from), list.size());
    if (to > from) all.push_back(list.substr(from, to - from));
    from = to + 1;
  }
  return all;
}

worker_options completed(worker_options o) {
  if (o.agent_type.empty()) o.agent_type = given("BELFRY_AGENT_TYPE");
  if (o.agent_type.empty()) o.agent_type = "cpp";
  if (o.workspace.empty()) o.workspace = given("BELFRY_WORKSPACE");
  if (o.channel.empty()) o.channel = given("BELFRY_CHANNEL");
  if (o.capabilities.empty()) o.capabilities = words_in(given("BELFRY_CAPABILITIES"));
  if (o.slots == 0) o.slots = static_cast<unsigned>(std::strtoul(given("BELFRY_SLOTS").c_str(), nullptr, 10));
  if (o.slots == 0) o.slots = 1;
  if (o.name.empty()) o.name = default_name();
  if (o.heartbeat.count() == 0) o.heartbeat = std::min(o.lease / 3, span{10'000});
  if (!o.log) o.log = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  return o;
}

json message_of(const std::exception& e) {
  json body = json::object();
  if (const auto text = plain(e.what(), 4000); !text.empty()) body["message"] = text;
  return body;
}

// The end of the pipe of the worker that signals stop.
std::atomic<int> signal_pipe{-1};

extern "C" void belfry_stop_signal(int) {
  const int kept = errno;
  const auto n = ::write(signal_pipe.load(), "s", 1);
  static_cast<void>(n);
  errno = kept;
}

}  // namespace

class engine : public std::enable_shared_from_this<engine> {
 public:
  engine(client& node, worker::handler h, worker_options options)
      : to_(node.transport()),
        handler_(std::move(h)),
        options_(completed(std::move(options))),
        free_(options_.slots),
        session_(given("BELFRY_SESSION")),
        spawned_(!session_.empty()) {
    if (const auto token = given("BELFRY_TOKEN"); !token.empty()) to_->show_session_token(token);
    if (::pipe2(pipe_.data(), O_CLOEXEC) != 0) throw error("no pipe");
  }
  ~engine() {
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  void run();
  void wake(char why) noexcept {
    const auto n = ::write(pipe_[1], &why, 1);
    static_cast<void>(n);
  }
  int pipe_end() const { return pipe_[1]; }

 private:
  void claim_loop();
  std::vector<json> claim(unsigned free);
  void register_session(bool again);
  void take(json claimed);
  void perform(const held_ptr& h);
  end outcome(const held_ptr& h);
  void report_end(const held_ptr& h, const end& e);
  void save_checkpoint(held& h, const json& value);
  void drain_asked();
  void end_claim(std::thread& claiming);
  void leave();
  char wait_pipe(span at_most);  // 0: nothing came
  retry_options policy(span give_up_after) const {
    auto p = to_->policy();
    p.give_up_after = give_up_after;
    return p;
  }

  std::shared_ptr<transport> to_;
  worker::handler handler_;
  worker_options options_;
  std::array<int, 2> pipe_{};
  std::unique_ptr<keeper> keeper_;
  std::atomic<bool> draining_{false};
  abort_flag stopping_;  // ends the claim that waits
  abort_flag at_once_;   // ends retries of reports
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned free_;  // slots
  unsigned threads_ = 0;
  std::string session_;
  const bool spawned_;       // the node has started it, for that session
  bool registered_ = false;  // of the thread that claims
  std::exception_ptr failure_;
};

void engine::run() {
  keeper_ = std::make_unique<keeper>(to_, options_.lease, options_.heartbeat,
                                     keeper::told{[this] { drain_asked(); }, options_.log});
  std::thread claiming([this] { claim_loop(); });
  while (wait_pipe(for_ever) == 0) {
  }
  draining_ = true;
  end_claim(claiming);
  const auto until = steady::now() + options_.drain_timeout;
  while (steady::now() < until && !keeper_->wait_idle(span{50}))
    if (wait_pipe(span{0}) == 's') break;
  keeper_->cancel_all("stop");
  // A handler that does not return keeps its lease, and us: its thread cannot be ended from outside.
  while (!keeper_->wait_idle(span{10'000})) {
    at_once_.set();
    options_.log("handlers-go-on: waiting for them to return");
  }
  {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return threads_ == 0; });
  }
  leave();
  keeper_.reset();
  if (failure_) std::rethrow_exception(failure_);
}

char engine::wait_pipe(span at_most) {
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(pipe_[0], &readable);
  timeval time{static_cast<time_t>(at_most.count() / 1000),
               static_cast<suseconds_t>(at_most.count() % 1000 * 1000)};
  if (::select(pipe_[0] + 1, &readable, nullptr, nullptr, at_most >= for_ever ? nullptr : &time) <= 0)
    return 0;
  char c = 0;
  return ::read(pipe_[0], &c, 1) == 1 ? c : char{0};
}

// --- claims ---

void engine::claim_loop() {
  int failures = 0;
  try {
    while (!draining_) {
      unsigned free = 0;
      {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return free_ > 0 || draining_; });
        free = std::min(free_, 1000U);
      }
      if (draining_) return;
      try {
        for (auto& c : claim(free)) take(std::move(c));
        failures = 0;
        continue;
      } catch (const unreachable& e) {
        if (draining_) return;
        const auto pause = pause_after(to_->policy(), ++failures, {});
        options_.log("claim-failed next_try=" + milliseconds(pause) + ": " + e.what());
        stopping_.wait(pause);
      } catch (const refused& e) {
        if (!e.worth_a_retry()) throw;
        const auto pause = pause_after(to_->policy(), ++failures, e.retry_after);
        options_.log("claim-failed next_try=" + milliseconds(pause) + ": " + e.what());
        stopping_.wait(pause);
      }
    }
  } catch (const std::exception&) {  // refused for good: tell it to who called run()
    failure_ = std::current_exception();
    wake('e');
  }
}

std::vector<json> engine::claim(unsigned free) {
  if (!registered_) register_session(spawned_);
  json body{{"session", session_},
            {"max", free},
            {"wait", milliseconds(options_.wait)},
            {"lease", milliseconds(options_.lease)},
            {"start", true}};
  if (!options_.at_least.empty()) body["at_least"] = options_.at_least;
  ask_options o;
  o.timeout = options_.wait + span{15'000};
  o.abort = &stopping_;
  json answer;
  try {
    const auto content = encode(body);
    answer = to_->once("POST", "/v1/claims", &content, o).body;
  } catch (const refused& e) {
    if (spawned_) throw;  // whom the node has started it for is all that it is here for
    if (e.status != 404 && e.code != "invalid_transition") throw;
    register_session(true);  // removed, or lost with the node's store
    return {};
  }
  for (const auto& command : answer.value("commands", json::array()))
    if (command == "drain") drain_asked();
  auto claims = answer.at("claims").get<std::vector<json>>();
  if (claims.empty() && !answer.value("reasons", json::array()).empty())
    stopping_.wait(std::min(options_.wait, span{1000}));  // the node says at once that it would wait in vain
  return claims;
}

void engine::register_session(bool again) {
  json body{{"name", options_.name},
            {"agent_type", options_.agent_type},
            {"workspace", options_.workspace},
            {"channel", options_.channel},
            {"capabilities", options_.capabilities},
            {"slots", options_.slots},
            {"wake", {{"sink", "none"}}}};  // it waits in its claims
  if (!options_.metadata.is_null()) body["metadata"] = options_.metadata;
  if (again && !session_.empty()) body["id"] = session_;
  ask_options o;
  o.retry = policy(for_ever);
  o.abort = &stopping_;
  try {
    session_ = to_->ask("POST", "/v1/sessions", body, o).body.at("id").get<std::string>();
  } catch (const refused& e) {
    if (spawned_ || !body.contains("id") || e.status != 404) throw;
    session_.clear();
    return register_session(false);
  }
  registered_ = true;
  options_.log("registered session=" + session_ + " name=" + options_.name);
}

void engine::drain_asked() {
  if (draining_.exchange(true)) return;
  options_.log("drain-asked session=" + session_);
  wake('d');
}

// --- one attempt ---

void engine::take(json claimed) {
  const auto h = std::make_shared<held>(std::move(claimed), options_.lease);
  h->save = [this, raw = h.get()](const json& value) { save_checkpoint(*raw, value); };
  keeper_->add(h);
  if (draining_) h->cancel("stop");  // it came while we were stopping
  {
    const std::lock_guard lock{mutex_};
    --free_;
    ++threads_;
  }
  std::thread([self = shared_from_this(), h] {
    self->perform(h);
    const std::lock_guard lock{self->mutex_};
    ++self->free_;
    --self->threads_;
    self->changed_.notify_all();
  }).detach();
}

void engine::perform(const held_ptr& h) {
  try {
    const auto e = outcome(h);
    keeper_->flush(*h);
    report_end(h, e);
  } catch (const std::exception& e) {
    options_.log("report-failed run=" + h->run_id + ": " + e.what());
  }
  keeper_->remove(h);
}

end engine::outcome(const held_ptr& h) {
  attempt a{h};
  try {
    a.stop_if_cancelled();
    const auto result = handler_(a);
    json body = json::object();
    if (!result.is_null()) body["result"] = result;
    encode(body);  // throws on text that is not UTF-8
    return {"complete", std::move(body)};
  } catch (const cancelled& e) {
    return {"release", message_of(e)};
  } catch (const released& e) {
    auto body = message_of(e);
    if (e.delay) body["delay"] = milliseconds(*e.delay);
    return {"release", std::move(body)};
  } catch (const parked& e) {
    auto body = message_of(e);
    body["for"] = milliseconds(e.time);
    if (!e.resource.empty()) body["resource"] = e.resource;
    return {"park", std::move(body)};
  } catch (const failed& e) {
    auto body = message_of(e);
    body["class"] = e.klass;
    if (e.retry_after) body["retry_after"] = milliseconds(*e.retry_after);
    return {"fail", std::move(body)};
  } catch (const std::exception& e) {
    return {"fail", message_of(e)};
  } catch (...) {
    return {"fail", {{"message", "the handler threw something that is no std::exception"}}};
  }
}

void engine::report_end(const held_ptr& h, const end& e) {
  report r;
  r.run_id = h->run_id;
  r.attempt = h->number;
  r.said = e.verb;
  bool mistake = false;
  try {
    auto body = e.body;
    body.update(h->proof());
    ask_options o;
    o.retry = policy(options_.report_for);
    o.abort = &at_once_;
    r.state = to_->ask("POST", h->path(e.verb.c_str()), body, o).body.at("state").get<std::string>();
    r.accepted = true;
  } catch (const stale_lease& no) {
    // Sent once: the node keeps it as evidence, and another attempt is under way or done.
    h->cancel("lease_lost");
    r.code = no.code;
    r.text = no.what();
  } catch (const refused& no) {
    r.code = no.code;
    r.text = no.what();
    mistake = (no.status == 400 || no.status == 413 || no.status == 422) && e.verb != "fail";
  } catch (const unreachable& no) {
    r.text = no.what();
  }
  if (!r.accepted)
    options_.log("end-not-taken run=" + r.run_id + " attempt=" + std::to_string(r.attempt) + ": " + r.text);
  if (options_.reported) options_.reported(r);
  if (mistake)
    report_end(
        h, {"fail", {{"class", "permanent"}, {"message", plain("the end was refused: " + r.text, 4000)}}});
}

void engine::save_checkpoint(held& h, const json& value) {
  ask_options o;
  o.retry = policy(options_.lease);
  auto body = h.proof();
  body["checkpoint"] = value;
  try {
    to_->ask("POST", h.path("checkpoint"), body, o);
  } catch (const stale_lease& e) {
    h.cancel("lease_lost");
    throw cancelled(std::string{"stopped: "} + e.what());
  }
}

// --- the end ---

// A claim whose answer is lost would keep its runs until their leases end. So the node is asked to answer it,
// and only if that does not help the connection is cut.
void engine::end_claim(std::thread& claiming) {
  {
    const std::lock_guard lock{mutex_};
    changed_.notify_all();  // lets a loop that waits for a slot see the end
  }
  std::atomic<bool> ended{false};
  std::thread watch([&] {
    claiming.join();
    ended = true;
  });
  const std::string content = "{}";
  ask_options o;
  o.timeout = span{2000};
  try {
    if (!ended && !session_.empty()) to_->once("POST", "/v1/sessions/" + session_ + ":drain", &content, o);
    for (int n = 0; n < 100 && !ended; ++n) std::this_thread::sleep_for(span{10});
  } catch (const error&) {
  }
  stopping_.set();
  watch.join();
}

void engine::leave() {
  if (!registered_) return;  // the session is not ours to end
  ask_options o;
  o.retry = policy(span{2000});
  try {
    to_->ask("DELETE", "/v1/sessions/" + session_, nullptr, o);
  } catch (const error& e) {
    options_.log("session-left session=" + session_ + ": " + e.what());
  }
}

}  // namespace detail

worker::worker(client& node, handler h, worker_options options)
    : engine_(std::make_shared<detail::engine>(node, std::move(h), std::move(options))) {}

worker::~worker() = default;

void worker::run(std::initializer_list<int> stop_on) {
  struct kept_signal {
    int number;
    struct sigaction before;
  };
  std::vector<kept_signal> kept;
  detail::signal_pipe = engine_->pipe_end();
  for (const int number : stop_on) {
    struct sigaction now = {};
    now.sa_handler = detail::belfry_stop_signal;
    now.sa_flags = SA_RESTART;
    sigemptyset(&now.sa_mask);
    kept_signal k{number, {}};
    if (sigaction(number, &now, &k.before) == 0) kept.push_back(k);
  }
  const auto restore = [&] {
    for (const auto& k : kept) sigaction(k.number, &k.before, nullptr);
  };
  try {
    engine_->run();
  } catch (...) {
    restore();
    throw;
  }
  restore();
}

void worker::stop() noexcept { engine_->wake('s'); }

}  // namespace belfry
