// The C++ client behind the line protocol of clients/conformance/README.md.
#include <belfry/worker.hpp>
#include <chrono>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

namespace {

using belfry::json;
using belfry::span;

std::unique_ptr<belfry::client> client;
std::unique_ptr<belfry::worker> worker;
std::thread working;

void say(const json& message) {
  static std::mutex mutex;
  const std::lock_guard lock{mutex};
  std::cout << message.dump() << std::endl;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

span ms(const json& from, const char* name) { return span{from.at(name).get<std::int64_t>()}; }

json describe(const std::exception& e) {
  json told{{"kind", "other"}, {"text", e.what()}};
  if (const auto* no = dynamic_cast<const belfry::refused*>(&e)) {
    told["kind"] = dynamic_cast<const belfry::stale_lease*>(&e) != nullptr ? "stale_lease" : "refused";
    told["status"] = no->status;
    told["code"] = no->code;
    told["detail"] = no->detail;
    told["command"] = no->command;
    told["errors"] = json::array();
    for (const auto& f : no->errors)
      told["errors"].push_back(
          {{"pointer", f.pointer}, {"value", f.value}, {"allowed", f.allowed}, {"detail", f.detail}});
  }
  if (dynamic_cast<const belfry::unreachable*>(&e) != nullptr) told["kind"] = "unreachable";
  if (dynamic_cast<const belfry::spool_full*>(&e) != nullptr) told["kind"] = "spool_full";
  if (dynamic_cast<const belfry::spool_busy*>(&e) != nullptr) told["kind"] = "spool_busy";
  return told;
}

void take_step(belfry::attempt& a, const json& step) {
  if (step.contains("sleep_ms")) {
    std::this_thread::sleep_for(ms(step, "sleep_ms"));
  } else if (step.contains("wait_cancel_ms")) {
    if (a.wait_cancelled(ms(step, "wait_cancel_ms")))
      say({{"event", "cancelled"}, {"run", a.run_id()}, {"reason", a.cancel_reason()}});
  } else if (step.contains("progress")) {
    a.progress(step["progress"].get<double>(), step["text"].get<std::string>());
  } else if (step.contains("log")) {
    a.log(step["log"].get<std::string>(), step["stream"].get<std::string>());
  } else if (step.contains("checkpoint")) {
    a.save_checkpoint(step["checkpoint"]);
  }
}

std::optional<span> maybe_ms(const json& from, const char* name) {
  return from.contains(name) ? std::optional{ms(from, name)} : std::nullopt;
}

json finish(const json& end) {
  if (end.contains("fail"))
    throw belfry::failed(end["fail"]["message"].get<std::string>(), end["fail"]["class"].get<std::string>(),
                         maybe_ms(end["fail"], "retry_after_ms"));
  if (end.contains("release"))
    throw belfry::released(end["release"]["message"].get<std::string>(),
                           maybe_ms(end["release"], "delay_ms"));
  if (end.contains("park"))
    throw belfry::parked(ms(end["park"], "for_ms"), end["park"]["message"].get<std::string>(),
                         end["park"].value("resource", std::string{}));
  if (end.contains("cancelled")) throw belfry::cancelled("stopped");
  if (end.contains("throw")) throw std::runtime_error(end["throw"].get<std::string>());
  if (end.contains("complete_bytes")) return std::string(end["complete_bytes"].get<std::size_t>(), 'x');
  return end.at("complete");
}

json perform(belfry::attempt& a) {
  json previous = json::array();
  for (const auto& p : a.previous()) previous.push_back(p.at("outcome"));
  say({{"event", "began"},
       {"run", a.run_id()},
       {"attempt", a.number()},
       {"fencing", a.fencing()},
       {"payload", a.payload()},
       {"checkpoint", a.checkpoint()},
       {"previous", previous},
       {"token_shown", a.claim().contains("token")},
       {"at", now()}});
  struct at_end {
    belfry::attempt& of;
    ~at_end() { say({{"event", "ended"}, {"run", of.run_id()}, {"attempt", of.number()}, {"at", now()}}); }
  } const told{a};
  for (const auto& step : a.payload().value("steps", json::array())) take_step(a, step);
  return finish(a.payload().value("end", json{{"complete", nullptr}}));
}

json open_client(const json& c) {
  belfry::client_options o;
  o.url = c["url"].get<std::string>();
  o.timeout = ms(c, "timeout_ms");
  o.retry = {ms(c, "base_ms"), ms(c, "cap_ms"), ms(c, "give_up_after_ms")};
  o.spool_after = ms(c, "spool_after_ms");
  if (c.contains("spool")) {
    const auto& s = c["spool"];
    belfry::spool_options spool;
    spool.directory = s["directory"].get<std::string>();
    spool.max_entries = s["max_entries"].get<std::size_t>();
    spool.max_bytes = s["max_bytes"].get<std::size_t>();
    if (s.contains("resend_within_ms")) spool.resend_within = ms(s, "resend_within_ms");
    o.spool = spool;
  }
  client = std::make_unique<belfry::client>(o);
  return json::object();
}

json submitted(const belfry::submission& s) {
  return {{"key", s.key}, {"spooled", s.spooled()}, {"replayed", s.replayed}, {"answer", s.answer}};
}

json spool_state(const json&) {
  json codes = json::array();
  for (const auto& e : client->spool_refused()) codes.push_back(e["problem"]["code"]);
  return {{"pending", client->spooled()}, {"refused", codes}};
}

json work(const json& c) {
  belfry::worker_options o;
  o.name = c["name"].get<std::string>();
  o.agent_type = c.value("agent_type", std::string{});
  o.capabilities = c.value("capabilities", std::vector<std::string>{});
  o.slots = c.value("slots", 0U);
  o.lease = ms(c, "lease_ms");
  o.heartbeat = ms(c, "heartbeat_ms");
  o.wait = ms(c, "wait_ms");
  o.drain_timeout = ms(c, "drain_timeout_ms");
  o.reported = [](const belfry::report& r) {
    say({{"event", "reported"},
         {"run", r.run_id},
         {"attempt", r.attempt},
         {"said", r.said},
         {"accepted", r.accepted},
         {"state", r.state},
         {"code", r.code}});
  };
  worker = std::make_unique<belfry::worker>(*client, perform, o);
  working = std::thread([] {
    json error;
    try {
      worker->run();
    } catch (const std::exception& e) {
      error = describe(e);
    }
    say({{"event", "stopped"}, {"error", error}});
  });
  return json::object();
}

const std::map<std::string, json (*)(const json&)> commands{
    {"client", open_client},
    {"submit",
     [](const json& c) { return submitted(client->submit(c["run"], c.value("key", std::string{}))); }},
    {"submit_many", [](const json& c) { return submitted(client->submit_many(c["runs"])); }},
    {"get", [](const json& c) { return client->get_run(c["run"].get<std::string>()); }},
    {"reissue", [](const json& c) { return client->reissue_leases(c["session"].get<std::string>()); }},
    {"wakes",
     [](const json& c) {
       return json(client->wait_for_wakes(c["session"].get<std::string>(),
                                          belfry::span{c["wait_ms"].get<int>()},
                                          c.value("after", std::string{})));
     }},
    {"acknowledge",
     [](const json& c) {
       return json(client->acknowledge_wakes(c["session"].get<std::string>(),
                                             c["wakes"].get<std::vector<std::string>>()));
     }},
    {"spool", spool_state},
    {"work", work},
    {"stop", [](const json&) { return worker->stop(), json::object(); }},
    {"close", [](const json&) { return client.reset(), json::object(); }},
};

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto command = json::parse(line);
    try {
      say({{"id", command["id"]}, {"ok", commands.at(command["do"].get<std::string>())(command)}});
    } catch (const std::exception& e) {
      say({{"id", command["id"]}, {"error", describe(e)}});
    }
  }
  std::_Exit(0);  // a worker that still runs ends with us, as it would by kill
}
