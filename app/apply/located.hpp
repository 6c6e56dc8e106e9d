// LOCATED: what a file of declarations says, with the line and column of each value, whether it is TOML or
// JSON.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace belfry::app {

struct spot {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string text() const;  // "jobs.toml:12:3"
};

struct located_member;

struct located {
  enum class kind : std::uint8_t { plain, list, table };
  kind what = kind::plain;
  std::string json;  // of a plain value: JSON text
  std::vector<located_member> members;
  std::vector<located> elements;
  spot at;

  const located* find(const std::string& key) const;
  std::string unquoted() const;  // of a JSON text without escapes; else the JSON itself
};

struct located_member {
  std::string key;
  located value;
};

// By the ending of its name: .json, else TOML. Mistakes are added with their place; the value is then
// incomplete.
located read_located(const std::string& file, std::vector<std::string>& mistakes);

// JSON of the value; `places` gets the place of each JSON pointer below it.
std::string to_json(const located& value, std::map<std::string, spot>& places);
// The place of a pointer, or of what contains it.
spot place_of(const std::map<std::string, spot>& places, std::string pointer);

}  // namespace belfry::app
