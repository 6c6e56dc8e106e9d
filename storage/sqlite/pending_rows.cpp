#include "storage/sqlite/pending_rows.hpp"

namespace belfry::storage::sqlite {

std::string insert_of(std::string_view table, std::string_view names, int columns, int rows) {
  std::string text = "insert into ";
  text += table;
  text += " (";
  text += names;
  text += ") values ";
  for (int row = 0, parameter = 1; row < rows; ++row) {
    for (int column = 0; column < columns; ++column, ++parameter) {
      text += column == 0 ? (row == 0 ? "(?" : "), (?") : ", ?";
      text += std::to_string(parameter);
    }
  }
  text += ")";
  return text;
}

}  // namespace belfry::storage::sqlite
