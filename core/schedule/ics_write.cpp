#include "core/schedule/ics.hpp"

#include "core/schedule/zone.hpp"

namespace belfry::core {
namespace {

// "20261225T083000": RFC 5545 section 3.3.5.
std::string stamp(local_seconds l) {
  const auto text = local_text(l);  // "2026-12-25 08:30:00"
  std::string out;
  for (const char c : text)
    if (c == ' ')
      out += 'T';
    else if (c != '-' && c != ':')
      out += c;
  return out;
}

std::string stamp(instant t) {
  return stamp(local_seconds{std::chrono::floor<std::chrono::seconds>(t.time_since_epoch())}) + "Z";
}

template <class Period>
void put(std::string& out, const Period& p, std::size_t number) {
  out += "BEGIN:VEVENT\r\nUID:" + std::to_string(number) + "@belfry\r\nDTSTART:" + stamp(p.begin) +
         "\r\nDTEND:" + stamp(p.end) + "\r\nEND:VEVENT\r\n";
}

}  // namespace

std::string to_ics(const calendar& c) {
  std::string out = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//belfry//EN\r\n";
  std::size_t number = 0;
  for (const auto& p : c.local) put(out, p, ++number);
  for (const auto& p : c.fixed) put(out, p, ++number);
  return out + "END:VCALENDAR\r\n";
}

}  // namespace belfry::core
