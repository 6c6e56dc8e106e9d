// CALENDARS: excluded time under a name. WINDOWS: maintenance windows that come back.
#include "api/json/calendars.hpp"
#include "api/http/ops/calendars.hpp"
#include "api/http/ops/ops.hpp"
#include "core/schedule/canonical.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api {
namespace {

using core::errc;

constexpr std::size_t longest_calendar_body = std::size_t{9} << 20U;  // 4 MiB of text, and its escapes

core::failure no_such_calendar(const std::string& name) {
  return fail_with(errc::not_found, "there is no calendar " + core::shown(name, 80), "belfry calendar ls");
}

void list_calendars(const exchange_ptr& x) {
  x->node().node.ask(messages::list_calendars{},
                     x->then<std::vector<core::calendar_facts>>(
                         [](const exchange_ptr& y, std::vector<core::calendar_facts> all) {
                           json::writer w{all.size() * 400 + 64};
                           w.begin_object().key("calendars").begin_array();
                           for (const auto& c : all) json::write_calendar(w, c, y->node().time.now());
                           w.end_array().end_object();
                           answer_json(*y, w);
                         }));
}

void get_calendar(const exchange_ptr& x) {
  x->node().node.ask(messages::list_calendars{{x->arguments.front()}, true},
                     x->then<std::vector<core::calendar_facts>>(
                         [](const exchange_ptr& y, std::vector<core::calendar_facts> all) {
                           if (all.empty()) return y->refuse(no_such_calendar(y->arguments.front()));
                           json::writer w{2048};
                           json::write_calendar(w, all.front(), y->node().time.now());
                           answer_json(*y, w);
                         }));
}

void put_calendar(const exchange_ptr& x) {
  auto read = json::read_calendar(x->in.body, x->arguments.front());
  if (!read) return x->refuse(read.error());
  x->node().node.call(
      messages::put_calendar{std::move(*read), x->actor},
      x->then<messages::calendar_stored>([](const exchange_ptr& y, messages::calendar_stored s) {
        json::writer w{512};
        const bool made = s.changed && s.calendar.revision == 1;
        json::write_calendar_stored(w, s, made ? "created" : s.changed ? "replaced" : "unchanged");
        answer_json(*y, w, made ? 201 : 200);
      }));
}

void remove_calendar(const exchange_ptr& x) {
  x->node().node.call(
      messages::remove_calendar{x->arguments.front(), x->actor},
      x->then<messages::calendar_stored>([](const exchange_ptr& y, messages::calendar_stored s) {
        json::writer w{512};
        json::write_calendar_stored(w, s, "removed");
        answer_json(*y, w);
      }));
}

void answer_window(exchange& x, const core::window& one, std::string_view result, unsigned status) {
  json::writer w{1024};
  w.begin_object();
  if (!result.empty()) w.member("result", result);
  json::write_window_members(w, one, x.node().time.now());
  w.end_object();
  answer_json(x, w, status);
}

void list_windows(const exchange_ptr& x) {
  x->node().node.ask(
      messages::list_windows{},
      x->then<std::vector<core::window>>([](const exchange_ptr& y, std::vector<core::window> all) {
        json::writer w{all.size() * 500 + 64};
        w.begin_object().key("windows").begin_array();
        for (const auto& one : all) {
          w.begin_object();
          json::write_window_members(w, one, y->node().time.now());
          w.end_object();
        }
        w.end_array().end_object();
        answer_json(*y, w);
      }));
}

void get_window(const exchange_ptr& x) {
  x->node().node.ask(
      messages::list_windows{},
      x->then<std::vector<core::window>>([](const exchange_ptr& y, std::vector<core::window> all) {
        const auto& name = y->arguments.front();
        for (const auto& one : all)
          if (one.name == name) return answer_window(*y, one, {}, 200);
        y->refuse(fail_with(errc::not_found, "there is no window " + core::shown(name, 80),
                            "belfry scheduler window ls"));
      }));
}

void put_window(const exchange_ptr& x) {
  auto read = json::read_window(x->in.body, x->arguments.front(), x->node().time.now());
  if (!read) return x->refuse(read.error());
  x->node().node.call(messages::put_window{std::move(*read), x->actor},
                      x->then<messages::window_stored>([](const exchange_ptr& y, messages::window_stored s) {
                        const bool made = s.changed && s.window.revision == 1;
                        answer_window(*y, s.window,
                                      made        ? "created"
                                      : s.changed ? "replaced"
                                                  : "unchanged",
                                      made ? 201 : 200);
                      }));
}

void remove_window(const exchange_ptr& x) {
  x->node().node.call(messages::remove_window{x->arguments.front(), x->actor},
                      x->then<messages::window_stored>([](const exchange_ptr& y, messages::window_stored s) {
                        answer_window(*y, s.window, "removed", 200);
                      }));
}

}  // namespace

void with_calendars(const exchange_ptr& x, const std::vector<std::string>& names,
                    std::function<void(const exchange_ptr&, json::calendar_finder)> f) {
  if (names.empty()) return f(x, core::any_calendar);
  x->node().node.ask(messages::list_calendars{names, true},
                     x->then<std::vector<core::calendar_facts>>(
                         [f = std::move(f)](const exchange_ptr& y, std::vector<core::calendar_facts> all) {
                           f(y, [known = std::move(all)](std::string_view name) {
                             for (const auto& c : known)
                               if (c.calendar.name == name) return c.calendar.content;
                             return std::shared_ptr<const core::calendar>{};
                           });
                         }));
}

void add_calendar_routes(std::vector<route>& all) {
  all.push_back({verb::get,
                 "/v1/calendars",
                 "list_calendars",
                 "calendars",
                 "The calendars that schedules may name, and the jobs and windows that do",
                 scope::read,
                 list_calendars,
                 body_kind::none,
                 {},
                 {},
                 {{200, "CalendarList", "All of them, by name"}},
                 {},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/calendars/{name}",
                 "get_calendar",
                 "calendars",
                 "One calendar, with its next excluded times",
                 scope::read,
                 get_calendar,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Calendar", "The calendar"}},
                 {errc::not_found},
                 false,
                 0});
  all.push_back({verb::put,
                 "/v1/calendars/{name}",
                 "put_calendar",
                 "calendars",
                 "Make a calendar of dates or of an iCalendar file, or replace it; the jobs that name it are "
                 "planned anew",
                 scope::operate,
                 put_calendar,
                 body_kind::json,
                 "CalendarContent",
                 {},
                 {{200, "CalendarStored", "result is replaced or unchanged"},
                  {201, "CalendarStored", "result is created"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::conflict, errc::limit_exceeded},
                 false,
                 longest_calendar_body});
  all.push_back({verb::remove,
                 "/v1/calendars/{name}",
                 "remove_calendar",
                 "calendars",
                 "Remove a calendar that no job and no window names",
                 scope::operate,
                 remove_calendar,
                 body_kind::none,
                 {},
                 {},
                 {{200, "CalendarStored", "result is removed"}},
                 {errc::not_found, errc::conflict},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/windows",
                 "list_windows",
                 "windows",
                 "Maintenance windows, with the opening that each is in, or its next one",
                 scope::read,
                 list_windows,
                 body_kind::none,
                 {},
                 {},
                 {{200, "WindowList", "All of them, by name"}},
                 {},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/windows/{name}",
                 "get_window",
                 "windows",
                 "One maintenance window",
                 scope::read,
                 get_window,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Window", "The window"}},
                 {errc::not_found},
                 false,
                 0});
  all.push_back(
      {verb::put,
       "/v1/windows/{name}",
       "put_window",
       "windows",
       "Make a maintenance window, or replace it; while it is open nothing new is claimed",
       scope::operate,
       put_window,
       body_kind::json,
       "WindowDefinition",
       {},
       {{200, "WindowStored", "result is replaced or unchanged"}, {201, "WindowStored", "result is created"}},
       {errc::malformed, errc::invalid, errc::unknown_field, errc::limit_exceeded, errc::conflict},
       false,
       0});
  all.push_back({verb::remove,
                 "/v1/windows/{name}",
                 "remove_window",
                 "windows",
                 "Remove a maintenance window; an open one closes at once",
                 scope::operate,
                 remove_window,
                 body_kind::none,
                 {},
                 {},
                 {{200, "WindowStored", "result is removed"}},
                 {errc::not_found},
                 false,
                 0});
}

}  // namespace belfry::api
