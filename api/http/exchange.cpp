#include "api/http/exchange.hpp"

#include <chrono>
#include <cstdio>

#include "api/http/door.hpp"
#include "api/http/problem.hpp"

namespace belfry::api {
namespace {

using platform::metric;

// RFC 9110 section 5.6.7, made once a second and thread.
const std::string& http_date(core::instant now) {
  thread_local std::int64_t second = -1;
  thread_local std::string text;
  const auto s = core::micros(now) / 1'000'000;
  if (s == second) return text;
  using namespace std::chrono;
  static constexpr std::string_view days_of_week[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto midnight = floor<days>(now);
  const year_month_day date{midnight};
  const hh_mm_ss time{floor<seconds>(now - midnight)};
  char b[40];
  std::snprintf(b, sizeof b, "%s, %02u %s %04d %02d:%02d:%02d GMT",
                days_of_week[weekday{midnight}.c_encoding()].data(), static_cast<unsigned>(date.day()),
                months[static_cast<unsigned>(date.month()) - 1].data(), static_cast<int>(date.year()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  text = b;
  second = s;
  return text;
}

std::string_view status_label(unsigned status) {
  static constexpr std::string_view labels[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  switch (status) {
    case 200: return "200";
    case 201: return "201";
    case 404: return "404";
    case 409: return "409";
    case 422: return "422";
    case 503: return "503";
    default: return labels[status / 100 - 1];
  }
}

}  // namespace

exchange::exchange(std::shared_ptr<door> d, std::shared_ptr<reply_line> line, std::uint64_t slot, request q)
    : in(std::move(q)),
      door_(std::move(d)),
      line_(std::move(line)),
      slot_(slot),
      body_size_(in.body.size()),
      began_(door_->time.steady()) {
  door_->requests.fetch_add(1, std::memory_order_relaxed);
  door_->body_bytes.fetch_add(body_size_, std::memory_order_relaxed);
}

exchange::~exchange() {
  door_->requests.fetch_sub(1, std::memory_order_relaxed);
  door_->body_bytes.fetch_sub(body_size_, std::memory_order_relaxed);
  if (answered_) return;
  // Dropped, perhaps on a thread of the node.
  const core::failure f{core::errc::aborted, "the node let go of the request", {}, {}};
  auto r = problem(f, status_of(f.code), request_id);
  auto head = head_of(r, in, request_id, http_date(door_->time.now()),
                      static_cast<std::int64_t>(r.body.size()), false);
  auto& line = *line_;
  line.post(
      make_task([keep = std::move(line_), slot = slot_, h = std::move(head),
                 b = std::move(r.body)]() mutable { keep->answer(slot, std::move(h), std::move(b), true); }));
}

void exchange::note(unsigned status) {
  auto& m = door_->meter;
  m.add(metric::http_requests_total, 1, status_label(status));
  const auto took = door_->time.steady() - began_;
  m.observe(metric::http_request_seconds, std::chrono::duration<double>(took).count(),
            at != nullptr ? at->operation : "none");
}

void exchange::answer(response r) {
  if (answered_) return;
  answered_ = true;
  note(r.status);
  const bool end = close || r.close || !in.keep_alive || !line_->keep_alive();
  const auto length = r.length >= 0 ? r.length : static_cast<std::int64_t>(r.body.size());
  auto head = head_of(r, in, request_id, http_date(door_->time.now()), length, !end);
  if (in.method == verb::head || r.status == 204) r.body.clear();
  line_->answer(slot_, std::move(head), std::move(r.body), end);
}

void exchange::refuse(const core::failure& f) { refuse(f, status_of(f.code)); }

void exchange::refuse(const core::failure& f, unsigned status,
                      std::vector<std::pair<std::string_view, std::string>> headers) {
  auto r = problem(f, status, request_id);
  for (auto& h : headers) r.headers.push_back(std::move(h));
  answer(std::move(r));
}

std::shared_ptr<stream> exchange::begin_stream(response head, std::function<void()> closed) {
  answered_ = true;
  note(head.status);
  const bool end = close || in.http_1_0 || !in.keep_alive || !line_->keep_alive();
  auto text =
      head_of(head, in, request_id, http_date(door_->time.now()), in.http_1_0 ? head.length : -1, !end);
  if (in.method == verb::head) {
    line_->answer(slot_, std::move(text), {}, true);
    return nullptr;
  }
  return line_->begin_stream(slot_, std::move(text), !in.http_1_0, head.unbroken, std::move(closed));
}

bool exchange::has_parameter(std::string_view name) const {
  for (const auto& [n, v] : parameters)
    if (n == name) return true;
  return false;
}

std::string_view exchange::parameter(std::string_view name) const {
  for (const auto& [n, v] : parameters)
    if (n == name) return v;
  return {};
}

}  // namespace belfry::api
