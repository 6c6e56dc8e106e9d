#include "app/client/node_client.hpp"

#include "core/ids/id.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "core/errors/result.hpp"
#include "platform/ports/files.hpp"

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

refusal unreachable(const address& where, const lost_contact& lost) {
  return refusal{exit_code::try_later,
                 lost.connected ? "the node at " + where.shown() + " broke off before it answered"
                                : "there is no node at " + where.shown(),
                 {lost.text},
                 lost.connected
                     ? "look whether it is there with `belfry health`, then run the command again"
                     : "start one with `belfry serve`, or say where it is with --server or BELFRY_URL"};
}

// Sent again without harm: it changes nothing, or the node knows it by its key.
bool repeatable(const http_request& request) {
  if (request.method == "GET" || request.method == "PUT" || request.method == "DELETE") return true;
  for (const auto& [name, _] : request.headers)
    if (name == "Idempotency-Key") return true;
  return false;
}

}  // namespace

query_text& query_text::add(const std::string& name, const std::string& value) {
  if (!value.empty()) text_ += (text_.empty() ? "?" : "&") + name + "=" + percent_encoded(value);
  return *this;
}

query_text& query_text::each(const std::string& name, const std::vector<std::string>& values) {
  for (const auto& value : values) add(name, value);
  return *this;
}

node_client::node_client(const std::string& server, bool debug)
    : actor_("cli:" + platform::user_name()), debug_(debug) {
  // In the hands of a worker that the node started, it is the worker who acts.
  if (const char* session = std::getenv("BELFRY_SESSION"))
    if (core::parse_id<core::session_id>(session)) actor_ = session;
  if (const char* token = std::getenv("BELFRY_ACCESS_TOKEN")) access_ = token;
  std::string named = server;
  if (named.empty())
    if (const char* url = std::getenv("BELFRY_URL")) named = url;
  if (named.empty()) {
    candidates_ = local_addresses();
    return;
  }
  auto given = parse_address(named);
  if (!given) throw refusal(given.error());
  candidates_.push_back(*given);
}

std::string node_client::where() { return line_ ? line_->where().shown() : candidates_.front().shown(); }

contact node_client::exchange_once(const http_request& request,
                                   const std::function<bool(std::string_view)>& take) {
  const auto ask = [&](transport& line) { return take ? line.stream(request, take) : line.send(request); };
  if (line_) return ask(*line_);
  contact last = lost_contact{"no address", false};
  for (const auto& where : candidates_) {
    auto line = std::make_unique<transport>(where);
    last = ask(*line);
    const auto* lost = std::get_if<lost_contact>(&last);
    if (lost != nullptr && !lost->connected && candidates_.size() > 1) continue;  // the next one, then
    line_ = std::move(line);
    return last;
  }
  return last;
}

contact node_client::exchange(const http_request& request,
                              const std::function<bool(std::string_view)>& take) {
  if (debug_) std::fprintf(stderr, "> %s %s\n", request.method.c_str(), request.target.c_str());
  contact got = exchange_once(request, take);
  if (debug_) {
    if (const auto* answer = std::get_if<http_answer>(&got))
      std::fprintf(stderr, "< %ld, %zu bytes\n", answer->status, answer->body.size());
    else
      std::fprintf(stderr, "< %s\n", std::get<lost_contact>(got).text.c_str());
  }
  return got;
}

void node_client::show_access(http_request& request) const {
  if (!access_.empty()) request.headers.emplace_back("Authorization", "Bearer " + access_);
}

http_answer node_client::raw(const std::string& method, const std::string& target, const std::string& body,
                             const call_options& o) {
  http_request request{method, target, body, o.headers, o.timeout};
  request.headers.emplace_back("X-Belfry-Actor", actor_);
  show_access(request);
  if (!o.idempotency_key.empty()) request.headers.emplace_back("Idempotency-Key", o.idempotency_key);
  constexpr int tries = 3;
  for (int i = 1;; ++i) {
    auto got = exchange(request, {});
    if (auto* answer = std::get_if<http_answer>(&got)) return std::move(*answer);
    const auto& lost = std::get<lost_contact>(got);
    if (!lost.connected || !repeatable(request) || i == tries)
      throw unreachable(line_ ? line_->where() : candidates_.back(), lost);
    std::this_thread::sleep_for(100ms * i);
  }
}

json_text node_client::call(const std::string& method, const std::string& target, const std::string& body,
                            const call_options& o) {
  auto answer = raw(method, target, body, o);
  if (answer.status >= 400 || answer.status < 200) throw refusal_of(answer);
  if (answer.body.empty()) answer.body = "{}";
  auto parsed = json_text::parse(std::move(answer.body));
  if (!parsed)
    throw refusal(exit_code::unexpected, "the answer of " + where() + " is not what a belfry node says",
                  {parsed.error().text}, "check the address with `belfry health`");
  return std::move(*parsed);
}

bool node_client::follow(const std::string& target, const std::function<bool(const sse_event&)>& on,
                         std::optional<std::chrono::steady_clock::time_point> until,
                         std::chrono::seconds patience) {
  using steady = std::chrono::steady_clock;
  bool enough = false;
  std::string last_id;
  auto since = steady::now();
  for (bool first = true;; first = false) {
    http_request request{"GET", target, {}, {{"Accept", "text/event-stream"}}, 0ms};
    show_access(request);
    if (!last_id.empty()) request.headers.emplace_back("Last-Event-ID", last_id);
    if (until)
      request.timeout =
          std::max(1ms, std::chrono::duration_cast<std::chrono::milliseconds>(*until - steady::now()));
    sse_reader reader([&](const sse_event& e) {
      since = steady::now();
      enough = !on(e);
      return !enough;
    });
    const auto got = exchange(request, [&](std::string_view bytes) {
      const bool more = reader.feed(bytes);
      if (!reader.last_id().empty()) last_id = reader.last_id();
      return more && !(until && steady::now() >= *until);
    });
    if (enough) return true;
    if (until && steady::now() >= *until) return false;
    lost_contact lost{"it ends every stream at once", true};
    if (const auto* answer = std::get_if<http_answer>(&got)) {
      if (answer->status < 400)
        since = steady::now();  // ended in good order by a node that stops
      else if (first || (answer->status != 503 && answer->status != 429))
        throw refusal_of(*answer);
    } else {
      lost = std::get<lost_contact>(got);
      if (first && !lost.connected) throw unreachable(line_ ? line_->where() : candidates_.back(), lost);
    }
    if (steady::now() - since > patience)
      throw unreachable(line_ ? line_->where() : candidates_.back(), lost);
    std::this_thread::sleep_for(200ms);
  }
}

refusal refusal_of(const http_answer& answer) {
  const auto parsed = json_text::parse(answer.body);
  const view root = parsed ? parsed->root() : view{};
  const std::string code = root["code"].text();
  const auto known = core::errc_from(code);
  exit_code exit = exit_code::unexpected;
  if (known)
    exit = exit_code_of(*known);
  else if (answer.status == 401 || answer.status == 403)
    exit = exit_code::permission;
  else if (answer.status == 404)
    exit = exit_code::not_found;
  else if (answer.status == 409 || answer.status == 412)
    exit = exit_code::conflict;
  else if (answer.status == 429 || answer.status >= 502)
    exit = exit_code::try_later;
  else if (answer.status < 500)
    exit = exit_code::usage;
  std::string what = root["detail"].text();
  if (what.empty()) what = root["title"].text();
  if (what.empty()) what = "the node answered with status " + std::to_string(answer.status);
  refusal out(exit, what);
  root["errors"].each([&](view e) {
    out.why.push_back(problem_line(
        {e["pointer"].text(), compact(e["value"].raw()), e["allowed"].text(), e["detail"].text()}));
  });
  out.todo = root["command"].text();
  if (const std::string after = answer.header("retry-after"); !after.empty() && out.todo.empty())
    out.todo = "try again in " + after + " s";
  out.catalogue_code = code;
  out.document = answer.body;
  return out;
}

std::string random_key() {
  std::random_device device;
  std::string key;
  constexpr std::string_view hex = "0123456789abcdef";
  for (int i = 0; i < 4; ++i) {
    auto bits = device();
    for (int k = 0; k < 8; ++k, bits >>= 4U) key += hex[bits & 15U];
  }
  return key;
}

}  // namespace belfry::app
