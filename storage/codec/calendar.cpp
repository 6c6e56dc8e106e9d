#include "storage/codec/calendar.hpp"

#include "storage/codec/bytes.hpp"

namespace belfry::storage::codec {
namespace {

constexpr std::uint64_t version = 1;

std::uint64_t whole(std::int64_t v) { return static_cast<std::uint64_t>(v); }

template <class Period>
void put(out& o, const std::vector<Period>& all) {
  o.number(all.size());
  std::int64_t at = 0;
  for (const auto& p : all) {
    const auto begin = std::int64_t{p.begin.time_since_epoch().count()};
    const auto end = std::int64_t{p.end.time_since_epoch().count()};
    o.number(whole(begin - at));  // only the first can be negative
    o.number(whole(end - begin));
    at = end;
  }
}

template <class Period>
std::vector<Period> take(in& i) {
  using point = decltype(Period::begin);
  std::vector<Period> all;
  std::int64_t at = 0;
  for (auto left = i.number(); left > 0; --left) {
    const auto begin = at + i.signed_number();
    at = begin + i.signed_number();
    all.push_back({point{typename point::duration{begin}}, point{typename point::duration{at}}});
  }
  return all;
}

}  // namespace

std::string encode_calendar(const core::calendar& c) {
  out o;
  o.number(version);
  put(o, c.local);
  put(o, c.fixed);
  return o.take();
}

core::calendar decode_calendar(std::string_view bytes) {
  in i{bytes};
  if (i.number() != version)
    throw damaged("a stored calendar is of a version that this belfry does not know");
  core::calendar c;
  c.local = take<core::local_period>(i);
  c.fixed = take<core::fixed_period>(i);
  return c;
}

}  // namespace belfry::storage::codec
