// COPYING: a store into a new file, which has another name until it is whole, checked and synced.
#pragma once

#include <string>

#include "core/errors/result.hpp"
#include "core/run/views.hpp"
#include "storage/contract/open.hpp"

namespace belfry::storage::sqlite {

/// With SQLite's online backup on a connection of its own: one committed state, while writers go on.
core::result<core::store_copy> copy_store(const sqlite_options& from, const std::string& to);

}  // namespace belfry::storage::sqlite
