// Nodes of the cluster.
#include "storage/sqlite/reader_parts.hpp"
#include "storage/sqlite/row_mapping.hpp"
#include "storage/sqlite/writer.hpp"

namespace belfry::storage::sqlite {

std::optional<core::cluster_node> writer::find_node(const std::string& name) {
  auto& q = s_.find_node;
  const using_query use{q};
  q.bind(1, name);
  if (!q.step()) return std::nullopt;
  return read_node(q);
}

void writer::put_node(const core::cluster_node& n) { sqlite::put_node(s_.put_node, n); }

core::result<std::vector<core::cluster_node>> sqlite_reader::list_nodes() {
  using answer = std::vector<core::cluster_node>;
  return reading<answer>("list nodes", [&]() -> core::result<answer> {
    query q{*db_, "select " + std::string{node_columns} + " from nodes order by name"};
    answer all;
    while (q.step()) all.push_back(read_node(q));
    return all;
  });
}

}  // namespace belfry::storage::sqlite
