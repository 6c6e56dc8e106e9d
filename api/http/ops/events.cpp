// EVENTS: the journal, as pages or as a stream.
#include <algorithm>
#include <charconv>

#include "api/http/feed.hpp"
#include "api/http/guard.hpp"
#include "api/http/ops/ops.hpp"
#include "api/json/events.hpp"
#include "api/json/nearest.hpp"
#include "api/json/runs.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api {
namespace {

using core::errc;

constexpr std::int64_t most_events = 500;

class event_feed final : public feed {
 public:
  // `after` absent: from now on.
  event_feed(std::shared_ptr<exchange> x, core::event_filter filter, std::optional<std::int64_t> after)
      : feed(std::move(x)), filter_(std::move(filter)), after_(after) {}

 private:
  void begin() override {
    const std::weak_ptr<feed> weak = weak_from_this();
    const auto told = [weak](messages::watched) {
      if (const auto self = weak.lock()) self->poke();
    };
    watch_ = filter_.run ? x().node().node.watch_run(*filter_.run, told) : x().node().node.watch_events(told);
  }
  void closed() override { watch_.reset(); }

  void look() override {
    if (!sure_) return find_position();
    x().node().node.ask(
        messages::get_events{*after_, x().node().options.stream_page, filter_},
        shared_x()->whole<core::event_page>(
            [self = shared_from_this(), this](const exchange_ptr&, core::result<core::event_page> page) {
              if (over()) return;
              if (page)
                take(*page);
              else
                retry();
            }));
  }

  // Where the journal ends is asked of the store; the watch only says when to look.
  void find_position() {
    // The journal of one run is short: without a position it is told from its beginning.
    if (filter_.run && !after_) after_ = 0;
    x().node().node.ask(
        messages::get_facts{},
        shared_x()->whole<core::store_facts>(
            [self = shared_from_this(), this](const exchange_ptr&, core::result<core::store_facts> f) {
              if (over()) return;
              if (!f) return retry();
              sure_ = true;
              std::string text;
              // A position from the future: it was of another store.
              if (after_ && *after_ > f->last_event) append_reset(text, 1, f->last_event);
              if (!after_ || *after_ > f->last_event) after_ = f->last_event;
              say(std::move(text), true);
            }));
  }

  void take(const core::event_page& page) {
    std::string text;
    if (page.oldest_kept > *after_ + 1) {
      append_reset(text, page.oldest_kept, std::max(page.last_scanned, page.oldest_kept));
      after_ = page.oldest_kept - 1;
    }
    for (const auto& e : page.events) {
      json::writer w;
      json::write_event(w, e);
      append(text, std::to_string(e.seq), core::to_text(e.kind), w.str());
    }
    const auto before = *after_;
    after_ = std::max({before, page.last_scanned, page.events.empty() ? 0 : page.events.back().seq});
    if (text.empty() && *after_ == before) return rest();
    say(std::move(text), true);
  }

  static void append_reset(std::string& out, std::int64_t oldest, std::int64_t newest) {
    json::writer w;
    w.begin_object().member("oldest_kept", oldest).member("last_event", newest).end_object();
    append(out, {}, "reset", w.str());
  }

  core::event_filter filter_;
  std::optional<std::int64_t> after_;
  bool sure_ = false;  // after_ is a position of this journal
  std::unique_ptr<messages::watch> watch_;
};

struct event_wish {
  core::event_filter filter;
  std::optional<std::int64_t> after;
  std::size_t limit = 0;
  std::string run, job;  // names to look up
};

void read_kinds(std::string_view text, event_wish& w, json::problems& found) {
  while (true) {
    const auto comma = text.find(',');
    const auto word = text.substr(0, comma);
    if (const auto k = core::event_kind_from(word)) {
      w.filter.kinds.push_back(*k);
    } else {
      std::vector<std::string_view> names;
      for (const auto k2 : core::all_event_kinds()) names.push_back(core::to_text(k2));
      const auto near = json::nearest(word, names);
      found.add({"?kind", core::shown(word, 40), json::one_of(names),
                 near.empty() ? "there is no such event"
                              : "there is no such event; did you mean " + std::string{near} + "?"});
    }
    if (comma == std::string_view::npos) return;
    text.remove_prefix(comma + 1);
  }
}

core::result<event_wish> read_event_wish(const exchange& x) {
  json::problems found;
  event_wish w;
  w.limit = static_cast<std::size_t>(whole_parameter(x, "limit", most_events, 1, most_events, found));
  const bool by_header = !x.in.last_event_id.empty();
  const std::string_view after = by_header ? std::string_view{x.in.last_event_id} : x.parameter("after");
  if (by_header || x.has_parameter("after")) {
    std::int64_t n = 0;
    const auto r = std::from_chars(after.data(), after.data() + after.size(), n);
    if (r.ec == std::errc{} && r.ptr == after.data() + after.size() && n >= 0)
      w.after = n;
    else
      found.add({"?after", core::shown(after, 40), "the number of the last event that you have",
                 "it is not a position"});
  }
  for (const auto& [name, value] : x.parameters) {
    if (name == "kind")
      read_kinds(value, w, found);
    else if (name == "run")
      w.run = value;
    else if (name == "job")
      w.job = value;
  }
  if (!found.empty()) return found.refusal();
  return w;
}

void answer_event_page(const exchange_ptr& x, event_wish w) {
  messages::get_events q{w.after.value_or(0), w.limit, std::move(w.filter)};
  x->node().node.ask(std::move(q), x->then<core::event_page>([](const exchange_ptr& y, core::event_page p) {
    json::writer w2{p.events.size() * 240 + 128};
    w2.begin_object().key("events").begin_array();
    for (const auto& e : p.events) json::write_event(w2, e);
    w2.end_array().member("next_after", p.last_scanned).member("oldest_kept", p.oldest_kept).end_object();
    answer_json(*y, w2);
  }));
}

void page_or_stream(const exchange_ptr& x, event_wish w) {
  if (!accepts(x->in.accept, event_stream_type)) return answer_event_page(x, std::move(w));
  std::make_shared<event_feed>(x, std::move(w.filter), w.after)->open();
}

void with_job_of(const exchange_ptr& x, event_wish w) {
  if (w.job.empty()) return page_or_stream(x, std::move(w));
  const auto name = w.job;
  x->node().node.ask(messages::get_job{name},
                     x->then<core::job>([w = std::move(w)](const exchange_ptr& y, core::job j) mutable {
                       w.filter.job = j.id;
                       page_or_stream(y, std::move(w));
                     }));
}

void list_events(const exchange_ptr& x) {
  auto wish = read_event_wish(*x);
  if (!wish) return x->refuse(wish.error());
  if (!x->arguments.empty()) wish->run = x->arguments.front();
  if (wish->run.empty()) return with_job_of(x, std::move(*wish));
  const auto name = wish->run;
  x->node().node.ask(messages::get_run{name},
                     x->then<core::run>([w = std::move(*wish)](const exchange_ptr& y, core::run r) mutable {
                       w.filter.run = r.head.id;
                       with_job_of(y, std::move(w));
                     }));
}

void emit_as(const exchange_ptr& x, core::named_event what, core::run_id by) {
  messages::emit_event m;
  m.what = std::move(what);
  m.by = by;
  m.once = once_of(*x);
  m.actor = x->actor;
  x->node().node.call(std::move(m),
                      x->then<messages::event_emitted>([](const exchange_ptr& y, messages::event_emitted e) {
                        json::writer w{256 + e.runs.size() * 24};
                        json::write_emitted(w, e);
                        answer_json(*y, w, 201, made_headers({}, e.replayed));
                      }));
}

void emit_event(const exchange_ptr& x) {
  auto draft = json::read_emission(x->in.body);
  if (!draft) return x->refuse(draft.error());
  if (draft->run.empty()) return emit_as(x, std::move(draft->what), {});
  x->node().node.ask(
      messages::get_run{draft->run},
      x->then<core::run>([what = std::move(draft->what)](const exchange_ptr& y, core::run r) mutable {
        emit_as(y, std::move(what), r.head.id);
      }));
}

void list_event_triggers(const exchange_ptr& x) {
  json::problems found;
  const auto limit = static_cast<std::size_t>(whole_parameter(*x, "limit", 50, 1, 500, found));
  const auto bound = hash_of("event triggers");
  const auto after = read_cursor(*x, bound, found);
  if (!found.empty()) return x->refuse(found.refusal());
  using waiters = std::vector<core::event_waiter>;
  x->node().node.ask(messages::list_event_waiters{core::job_id{after}, limit},
                     x->then<waiters>([limit, bound](const exchange_ptr& y, const waiters& all) {
                       json::writer w{all.size() * 320 + 64};
                       w.begin_object().key("triggers").begin_array();
                       for (const auto& one : all) json::write_waiter(w, one);
                       w.end_array();
                       write_cursor(w, all.size() < limit ? 0 : all.back().job.value, bound);
                       w.end_object();
                       answer_json(*y, w);
                     }));
}

std::vector<parameter> parameters_of_events(bool of_all) {
  std::vector<parameter> all{
      {"after", parameter_type::whole,
       "only events behind this number; Last-Event-ID does the same. A stream without it begins now"},
      {"kind", parameter_type::texts, "only these kinds; repeated or separated by commas"},
      {"limit", parameter_type::whole, "events of a page, 1 to 500; default 500"}};
  if (of_all) {
    all.push_back({"run", parameter_type::text, "only of this run"});
    all.push_back({"job", parameter_type::text, "only of this job and its runs"});
  }
  return all;
}

}  // namespace

void add_event_routes(std::vector<route>& all) {
  all.push_back(
      {verb::post,
       "/v1/events",
       "emit_event",
       "events",
       "Emit an event: jobs that wait for it are started in the same commit",
       scope::operate,
       emit_event,
       body_kind::json,
       "Emission",
       {},
       {{201, "Emitted", "The event is in the journal; what it has brought about"}},
       {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous,
        errc::idempotency_mismatch, errc::idempotency_in_progress, errc::storage_full, errc::overloaded},
       true,
       0});
  all.push_back({verb::get,
                 "/v1/events/triggers",
                 "list_event_triggers",
                 "events",
                 "Jobs that wait for events, and what they keep of them",
                 scope::read,
                 list_event_triggers,
                 body_kind::none,
                 {},
                 {{"limit", parameter_type::whole, "rows of a page, 1 to 500; default 50"},
                  {"cursor", parameter_type::text, "next_cursor of the page before"}},
                 {{200, "EventTriggerPage", "A page"}},
                 {errc::invalid, errc::unknown_field},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/events",
                 "list_events",
                 "events",
                 "The journal: a page, or with Accept: text/event-stream a stream",
                 scope::read,
                 list_events,
                 body_kind::none,
                 {},
                 parameters_of_events(true),
                 {{200, "EventPage", "A page of events, or a stream: id is the number, event the kind"}},
                 {errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous, errc::overloaded},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/runs/{id}/events",
                 "list_events_of_run",
                 "runs",
                 "The journal of one run",
                 scope::read,
                 list_events,
                 body_kind::none,
                 {},
                 parameters_of_events(false),
                 {{200, "EventPage", "A page of events, or a stream"}},
                 {errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous, errc::overloaded},
                 false,
                 0});
}

}  // namespace belfry::api
