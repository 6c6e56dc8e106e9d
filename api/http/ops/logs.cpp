// LOGS: what a run wrote, as a page or followed live.
#include <charconv>

#include "api/http/feed.hpp"
#include "api/http/guard.hpp"
#include "api/http/ops/ops.hpp"
#include "api/json/runs.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api {
namespace {

using core::errc;

constexpr std::int64_t most_log_lines = 1000;

struct position {
  std::uint32_t attempt = 0;
  std::uint64_t number = 0;
};

std::string position_text(position p) { return std::to_string(p.attempt) + "." + std::to_string(p.number); }

std::optional<position> position_from(std::string_view text) {
  position p;
  const auto* end = text.data() + text.size();
  const auto a = std::from_chars(text.data(), end, p.attempt);
  if (a.ec != std::errc{} || a.ptr == end || *a.ptr != '.') return std::nullopt;
  const auto n = std::from_chars(a.ptr + 1, end, p.number);
  if (n.ec != std::errc{} || n.ptr != end) return std::nullopt;
  return p;
}

struct log_wish {
  std::uint32_t attempt = 0;
  position after;
  std::size_t limit = 0;
  std::size_t tail = 0;
  core::log_level least = core::log_level::none;
};

core::result<log_wish> read_log_wish(const exchange& x) {
  json::problems found;
  log_wish w;
  w.attempt = static_cast<std::uint32_t>(whole_parameter(x, "attempt", 0, 0, 1'000'000, found));
  w.limit = static_cast<std::size_t>(whole_parameter(x, "limit", most_log_lines, 1, most_log_lines, found));
  w.tail = static_cast<std::size_t>(whole_parameter(x, "tail", 0, 0, most_log_lines, found));
  const auto given = x.in.last_event_id.empty() ? x.parameter("after") : std::string_view{x.in.last_event_id};
  if (!given.empty()) {
    if (const auto p = position_from(given))
      w.after = *p;
    else
      found.add({"?after", core::shown(given, 40),
                 "ATTEMPT.NUMBER of the last line that you have, such as 1.200", "it is not a position"});
  }
  if (const auto level = x.parameter("level"); !level.empty()) {
    if (const auto least = core::log_level_from(level))
      w.least = *least;
    else
      found.add({"?level", core::shown(level, 40), "debug, info, warn or error", "it is not a level"});
  }
  if (!found.empty()) return found.refusal();
  return w;
}

messages::get_logs question(core::run_id id, const log_wish& w) {
  messages::get_logs q;
  q.id = id;
  q.attempt = w.attempt;
  q.after_attempt = w.after.attempt;
  q.after_number = w.after.number;
  q.limit = w.limit;
  q.tail = w.tail;
  q.least = w.least;
  return q;
}

class log_feed final : public feed {
 public:
  log_feed(std::shared_ptr<exchange> x, core::run_id id, log_wish w)
      : feed(std::move(x)), id_(id), wish_(w) {}

 private:
  void begin() override {
    const std::weak_ptr<feed> weak = weak_from_this();
    watch_ = x().node().node.watch_run(id_, [weak](messages::watched) {
      if (const auto self = weak.lock()) self->poke();
    });
  }
  void closed() override { watch_.reset(); }

  void look() override {
    x().node().node.ask(
        question(id_, wish_),
        shared_x()->whole<core::log_page>(
            [self = shared_from_this(), this](const exchange_ptr&, core::result<core::log_page> page) {
              if (over()) return;
              if (!page) return failed(page.error());
              if (page->lines.empty()) return nothing(page->last_attempt);
              wish_.tail = 0;
              ended_ = false;
              std::string text;
              for (const auto& l : page->lines) {
                json::writer w;
                json::write_log_line(w, l);
                append(text, position_text(position{l.attempt, l.number}), "line", w.str());
              }
              wish_.after = {page->lines.back().attempt, page->lines.back().number};
              say(std::move(text), true);
            }));
  }

  // No line: perhaps because the run has ended. Lines may have come between the two questions, so there is
  // one last look.
  void nothing(std::uint32_t last_attempt) {
    wish_.tail = 0;
    x().node().node.ask(
        messages::get_run{core::to_string(id_)},
        shared_x()->whole<core::run>(
            [self = shared_from_this(), this, last_attempt](const exchange_ptr&, core::result<core::run> r) {
              if (over()) return;
              if (!r) return failed(r.error());
              const bool other_attempt = wish_.attempt != 0 && last_attempt > wish_.attempt;
              if (!core::terminal(r->head.state) && !other_attempt) return rest();
              if (!ended_) {
                ended_ = true;
                return say({}, true);
              }
              json::writer w;
              w.begin_object().member("run_id", r->head.id).member("state", core::to_text(r->head.state));
              w.member_or_null("reason", r->head.reason).end_object();
              std::string text;
              append(text, {}, "end", w.str());
              finish(std::move(text));
            }));
  }

  void failed(const core::failure& f) {
    if (core::retryable(f.code)) return retry();
    json::writer w;
    w.begin_object().member("code", core::code_of(f.code)).member("detail", f.text).end_object();
    std::string text;
    append(text, {}, "reset", w.str());
    finish(std::move(text));
  }

  core::run_id id_;
  log_wish wish_;
  bool ended_ = false;
  std::unique_ptr<messages::watch> watch_;
};

void answer_log_page(const exchange_ptr& x, core::run_id id, const log_wish& wish) {
  x->node().node.ask(
      question(id, wish), x->then<core::log_page>([id, wish](const exchange_ptr& y, core::log_page p) {
        json::writer w{p.lines.size() * 120 + 128};
        w.begin_object().member("run_id", id).key("lines").begin_array();
        for (const auto& l : p.lines) json::write_log_line(w, l);
        w.end_array()
            .member("attempt_live", p.attempt_live)
            .member("last_attempt", p.last_attempt)
            .member("dropped_lines", p.dropped_lines);
        const bool full = p.lines.size() >= wish.limit && wish.tail == 0;
        w.member_or_null(
            "next_after",
            full ? position_text(position{p.lines.back().attempt, p.lines.back().number}) : std::string{});
        w.end_object();
        answer_json(*y, w);
      }));
}

void get_logs(const exchange_ptr& x) {
  auto wish = read_log_wish(*x);
  if (!wish) return x->refuse(wish.error());
  json::problems found;
  const bool follow = flag_parameter(*x, "follow", found) || accepts(x->in.accept, event_stream_type);
  if (!found.empty()) return x->refuse(found.refusal());
  with_run(x, [w = *wish, follow](const exchange_ptr& y, core::run r) mutable {
    if (!follow) return answer_log_page(y, r.head.id, w);
    w.limit = y->node().options.stream_page;
    std::make_shared<log_feed>(y, r.head.id, w)->open();
  });
}

}  // namespace

void add_log_routes(std::vector<route>& all) {
  all.push_back(
      {verb::get,
       "/v1/runs/{id}/logs",
       "get_logs",
       "runs",
       "What a run wrote; with follow as a stream until it has ended",
       scope::read,
       get_logs,
       body_kind::none,
       {},
       {{"attempt", parameter_type::whole, "only this attempt; 0 or absent: all"},
        {"after", parameter_type::text, "only lines behind ATTEMPT.NUMBER; Last-Event-ID does the same"},
        {"tail", parameter_type::whole, "only the last lines, at most 1000"},
        {"level", parameter_type::text,
         "only lines that say at least this: debug, info, warn or error; output of processes says nothing"},
        {"limit", parameter_type::whole, "lines of a page, 1 to 1000; default 1000"},
        {"follow", parameter_type::boolean,
         "a stream (also by Accept: text/event-stream): event line with id ATTEMPT.NUMBER, at last event "
         "end"}},
       {{200, "LogPage", "A page of lines, or a stream"}},
       {errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous, errc::overloaded},
       false,
       0});
}

}  // namespace belfry::api
