#include "storage/codec/events.hpp"

namespace belfry::storage::codec {
namespace {

constexpr std::uint64_t event_version = 1;

std::uint32_t count_of(in& i) { return static_cast<std::uint32_t>(i.number()); }

}  // namespace

std::string encode_event(const core::named_event& e) {
  if (e.name.empty()) return {};
  out o;
  o.number(event_version);
  o.text(e.name);
  o.number(e.fields.size());
  for (const auto& [key, value] : e.fields) {
    o.text(key);
    o.text(value);
  }
  return o.take();
}

core::named_event decode_event(std::string_view bytes) {
  core::named_event e;
  if (bytes.empty()) return e;
  in i{bytes};
  if (i.number() != event_version)
    throw damaged("a stored event is of a version that this belfry does not know");
  e.name = i.text();
  for (auto left = i.number(); left > 0; --left) {
    std::string key{i.text()};
    e.fields.emplace_back(std::move(key), i.text());
  }
  return e;
}

void put_emitted(out& o, const core::emitted& e) {
  o.number(static_cast<std::uint64_t>(e.seq));
  o.number(static_cast<std::uint64_t>(core::micros(e.at)));
  for (const auto n : {e.jobs, e.started, e.held, e.aside, e.too_deep}) o.number(n);
}

core::emitted take_emitted(in& i) {
  core::emitted e;
  e.seq = i.signed_number();
  e.at = core::from_micros(i.signed_number());
  e.jobs = count_of(i);
  e.started = count_of(i);
  e.held = count_of(i);
  e.aside = count_of(i);
  e.too_deep = count_of(i);
  return e;
}

}  // namespace belfry::storage::codec
