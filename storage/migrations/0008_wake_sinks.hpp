// How a session is woken: its sink, as storage/codec/sink writes it. Null: by long poll, the usual way.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0008_wake_sinks = R"sql(
alter table sessions add column wake text;
)sql";

}  // namespace belfry::storage::migrations
