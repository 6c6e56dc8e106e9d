#include "app/commands/waiting.hpp"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "core/run/state.hpp"
#include "core/time/text.hpp"

namespace belfry::app {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

bool past(const deadline& until) { return until && steady::now() >= *until; }

// The first look comes soon, because most commands are short; a long wait does not hurry.
std::chrono::milliseconds pause_after(int looks) {
  constexpr auto least = 20ms, most = 500ms;
  return std::min<std::chrono::milliseconds>(most, least * (1 << std::min(looks, 5)));
}

// What is waited for, on a terminal only, and gone when the wait is over.
class waiting_line {
 public:
  explicit waiting_line(const context& ctx) : shown_(ctx.table() && stderr_is_tty()) {}
  ~waiting_line() {
    if (shown_ && written_) std::fputs("\r\x1b[K", stderr);
  }
  waiting_line(const waiting_line&) = delete;
  waiting_line& operator=(const waiting_line&) = delete;

  void say(const std::string& text) {
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - since_);
    if (!shown_ || passed < 1s) return;
    written_ = true;
    std::fprintf(stderr, "\r\x1b[K%s, %s", fitted(text, 60).c_str(), lasting(passed.count()).c_str());
    std::fflush(stderr);
  }

 private:
  bool shown_, written_ = false;
  steady::time_point since_ = steady::now();
};

// Answers false when the deadline has passed.
bool pause_before_look(int looks, const deadline& until) {
  if (past(until)) return false;
  auto pause = pause_after(looks);
  if (until)
    pause =
        std::min(pause, std::chrono::duration_cast<std::chrono::milliseconds>(*until - steady::now()) + 1ms);
  if (pause > 0ms) std::this_thread::sleep_for(pause);
  return true;
}

void print_line(const view& line, const log_options& o) {
  const std::string stream = line["stream"].text();
  std::string text;
  if (o.timestamps) text += line["at"].text() + " ";
  if (stream == "node") text += "belfry: ";
  if (line["level"].there()) text += line["level"].text() + ": ";
  text += line["text"].text() + "\n";
  write_now(o.split && stream != "stdout" ? stderr : stdout, text);
}

}  // namespace

bool is_terminal(std::string_view state) {
  const auto known = core::run_state_from(state);
  return known && core::terminal(*known);
}

deadline deadline_from(const std::optional<std::string>& given, const std::string& option) {
  if (!given) return std::nullopt;
  const auto length = core::parse_span(*given);
  if (!length) throw refusal(exit_code::usage, option + ": " + length.error().text);
  // Longer than a century is for ever.
  if (*length > std::chrono::hours{876'000}) return std::nullopt;
  return steady::now() + *length;
}

waited wait_for_runs(context& ctx, const std::vector<std::string>& ids, const deadline& until, bool any) {
  waited out;
  out.pending = ids;
  waiting_line line(ctx);
  std::string last;
  for (int looks = 0;; ++looks) {
    for (auto at = out.pending.begin(); at != out.pending.end();) {
      auto run = ctx.node().get("/v1/runs/" + percent_encoded(*at));
      if (!is_terminal(run["state"].text())) {
        *at = run["id"].text();  // a name may come to mean a newer run
        last = *at + " is " + run["state"].text();
        ++at;
        continue;
      }
      out.ended.push_back(std::move(run));
      at = out.pending.erase(at);
      if (any) return out;
    }
    if (out.pending.empty()) return out;
    line.say(ids.size() == 1 ? last
                             : std::to_string(out.pending.size()) + " of " + std::to_string(ids.size()) +
                                   " runs are open");
    if (!pause_before_look(looks, until)) return out;
  }
}

std::optional<json_text> wait_for_batch(context& ctx, const std::string& batch, const deadline& until) {
  waiting_line line(ctx);
  for (int looks = 0;; ++looks) {
    auto now = ctx.node().get("/v1/batches/" + percent_encoded(batch));
    if (now["complete"].truth()) return now;
    line.say(now["ended"].text() + " of " + now["total"].text() + " runs have ended");
    if (!pause_before_look(looks, until)) return std::nullopt;
  }
}

bool print_logs(context& ctx, const std::string& run, const log_options& o, const deadline& until) {
  query_text q;
  if (o.attempt) q.add("attempt", std::to_string(*o.attempt));
  if (o.tail) q.add("tail", std::to_string(*o.tail));
  if (o.level) q.add("level", *o.level);
  const std::string path = "/v1/runs/" + percent_encoded(run) + "/logs";
  const bool raw = !ctx.table();
  const auto print = [&](view line) {
    if (raw)
      ctx.put(compact(line.raw()) + "\n");
    else
      print_line(line, o);
  };
  if (o.follow) {
    q.add("follow", "true");
    return ctx.node().follow(
        path + q.text(),
        [&](const sse_event& e) {
          if (e.name == "end") return false;
          if (e.name == "reset") {
            const auto why = json_text::parse(e.data);
            throw refusal(exit_code::unexpected, why ? (*why)["detail"].text() : "the node ended the stream");
          }
          if (const auto line = json_text::parse(e.data)) print(line->root());
          return true;
        },
        until);
  }
  std::string all, after;
  do {
    auto page_query = q;
    page_query.add("after", after);
    const auto page = ctx.node().get(path + page_query.text());
    page["lines"].each([&](view line) {
      if (ctx.json())
        all += (all.empty() ? "" : ",") + compact(line.raw());
      else
        print(line);
    });
    if (after.empty() && page["dropped_lines"].number() > 0 && !o.tail && !ctx.json())
      ctx.tell("belfry: " + page["dropped_lines"].text() + " earlier lines are no longer kept");
    after = page["next_after"].text();
  } while (!after.empty());
  if (ctx.json()) ctx.put(indented("{\"lines\":[" + all + "]}") + "\n");
  return true;
}

int tell_outcome(context& ctx, const view& run) {
  const std::string state = run["state"].text();
  if (state == "succeeded") return number_of(exit_code::ok);
  std::string line = "belfry: " + run["id"].text() + " " + state;
  if (const std::string reason = run["reason"].text(); !reason.empty()) line += ": " + printable(reason);
  ctx.tell(line);
  ctx.tell("  help: belfry show " + run["id"].text());
  return number_of(exit_code::ended_badly);
}

}  // namespace belfry::app
