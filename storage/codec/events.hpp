// EVENTS in one column: name and fields, behind a version. Append only.
#pragma once

#include <string>
#include <string_view>

#include "core/events/named_event.hpp"
#include "storage/codec/bytes.hpp"

namespace belfry::storage::codec {

// Nothing for an event without a name.
std::string encode_event(const core::named_event& e);
core::named_event decode_event(std::string_view bytes);  // throws `damaged`
void put_emitted(out& o, const core::emitted& e);
core::emitted take_emitted(in& i);

}  // namespace belfry::storage::codec
