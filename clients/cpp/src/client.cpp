#include "belfry/client.hpp"

#include <array>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <random>
#include <thread>

#include "spool.hpp"
#include "transport.hpp"

namespace belfry {
namespace {

// A random key of 128 bits, in the form of a UUID.
std::string fresh_key() {
  std::random_device source;
  std::array<unsigned, 4> words{};
  for (auto& w : words) w = source();
  char text[40];
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-%04x-%04x%08x", words[0], words[1] >> 16U,
                words[1] & 0xfffU, 0x8000U | (words[2] & 0x3fffU), words[2] >> 16U, words[3]);
  return text;
}

std::string escaped(std::string_view id) {
  std::string out;
  for (const char c : id) {
    const auto u = static_cast<unsigned char>(c);
    if ((u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || (u >= '0' && u <= '9') || u == '-' || u == '_' ||
        u == '.') {
      out += c;
    } else {
      char hex[4];
      std::snprintf(hex, sizeof hex, "%%%02X", u);
      out += hex;
    }
  }
  return out;
}

bool ended(const std::string& state) {
  for (const char* s : {"succeeded", "failed", "timed_out", "lost", "cancelled", "skipped"})
    if (state == s) return true;
  return false;
}

}  // namespace

std::string submission::id() const {
  if (spooled()) throw error("the submission waits in the spool and has no id yet");
  return answer.contains("id") ? answer["id"].get<std::string>() : answer["batch_id"].get<std::string>();
}

// Delivers the spool on a thread of its own.
class client::courier {
 public:
  courier(detail::spool& from, detail::transport& to) : thread_([this, &from, &to] { work(from, to); }) {}
  ~courier() {
    {
      const std::lock_guard lock{mutex_};
      closed_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  courier(const courier&) = delete;
  courier& operator=(const courier&) = delete;
  void wake() { changed_.notify_all(); }

 private:
  void work(detail::spool& from, detail::transport& to) {
    const retry_options pace{span{200}, span{30'000}, span{0}};
    int failures = 0;
    std::unique_lock lock{mutex_};
    while (!closed_) {
      if (from.pending() == 0) {
        changed_.wait(lock, [&] { return closed_ || from.pending() > 0; });
        continue;
      }
      lock.unlock();
      span wait{0};
      try {
        from.deliver(to);
        failures = 0;
      } catch (const refused& e) {
        wait = detail::pause_after(pace, ++failures, e.retry_after);
      } catch (const std::exception&) {
        wait = detail::pause_after(pace, ++failures, {});
      }
      lock.lock();
      if (wait.count() > 0) changed_.wait_for(lock, wait, [&] { return closed_; });
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  std::thread thread_;
};

client::client(client_options options)
    : options_(std::move(options)), transport_(std::make_shared<detail::transport>(options_)) {
  if (!options_.spool) return;
  spool_ = std::make_unique<detail::spool>(*options_.spool);
  courier_ = std::make_unique<courier>(*spool_, *transport_);
}

client::~client() = default;

submission client::submit(const json& run, std::string_view key) { return submit_to("/v1/runs", run, key); }

submission client::submit_many(const json& runs, std::string_view key) {
  return submit_to("/v1/runs:batch", {{"runs", runs}}, key);
}

submission client::submit_to(const char* path, const json& body, std::string_view key) {
  const auto content = detail::encode(body);
  bool maybe_sent = false;
  detail::ask_options o;
  o.key = key.empty() ? fresh_key() : std::string{key};
  o.failed = [&](bool sent) { maybe_sent = maybe_sent || sent; };
  if (spool_) {
    o.retry = options_.retry;
    o.retry->give_up_after = std::min(options_.spool_after, options_.retry.give_up_after);
  }
  if (!spool_ || spool_->pending() == 0) {  // else it would overtake what waits
    try {
      auto r = transport_->ask("POST", path, &content, o);
      const auto replayed = r.headers.find("idempotency-replayed");
      return {o.key, std::move(r.body), replayed != r.headers.end() && replayed->second == "true"};
    } catch (const unreachable&) {
      if (!spool_) throw;
    } catch (const refused& e) {
      if (!spool_ || !e.worth_a_retry()) throw;
    }
  }
  spool_->append(path, content, o.key, maybe_sent);
  courier_->wake();
  return {o.key, nullptr, false};
}

json client::get_run(std::string_view run_id) { return transport_->get("/v1/runs/" + escaped(run_id)).body; }

json client::cancel_run(std::string_view run_id, std::string_view reason) {
  json body = json::object();
  if (!reason.empty()) body["reason"] = std::string{reason};
  return transport_->ask("POST", "/v1/runs/" + escaped(run_id) + ":cancel", body).body;
}

json client::reissue_leases(std::string_view session_id, const std::vector<std::string>& runs) {
  json body = json::object();
  if (!runs.empty()) body["runs"] = runs;
  return transport_->ask("POST", "/v1/sessions/" + escaped(session_id) + "/leases:reissue", body).body;
}

std::vector<json> client::wait_for_wakes(std::string_view session, span wait, std::string_view after) {
  auto path = "/v1/sessions/" + escaped(session) + "/wakes?wait=" +
              std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(wait).count()) + "ms";
  if (!after.empty()) path += "&after=" + escaped(after);
  detail::ask_options options;
  options.timeout = wait + std::chrono::seconds{30};
  return transport_->get(path, options).body.at("wakes").get<std::vector<json>>();
}

std::vector<json> client::acknowledge_wakes(std::string_view session, const std::vector<std::string>& wakes) {
  const json body{{"wakes", wakes}};
  return transport_->ask("POST", "/v1/sessions/" + escaped(session) + "/wakes:ack", body)
      .body.at("items")
      .get<std::vector<json>>();
}

json client::wait_for(std::string_view run_id, span at_most) {
  const auto until = detail::steady::now() + at_most;
  for (span pause{50};; pause = std::min(pause * 3 / 2, span{2000})) {
    auto run = get_run(run_id);
    const auto state = run.at("state").get<std::string>();
    if (ended(state)) return run;
    if (detail::steady::now() + pause > until)
      throw error(std::string{run_id} + " is still " + state + " after " + std::to_string(at_most.count()) +
                  " ms");
    std::this_thread::sleep_for(pause);
  }
}

std::size_t client::spooled() const { return spool_ ? spool_->pending() : 0; }

std::vector<json> client::spool_refused() const { return spool_ ? spool_->set_aside() : std::vector<json>{}; }

bool client::flush(span at_most) {
  const auto until = detail::steady::now() + at_most;
  while (spooled() > 0) {
    if (detail::steady::now() > until) return false;
    std::this_thread::sleep_for(span{50});
  }
  return true;
}

}  // namespace belfry
