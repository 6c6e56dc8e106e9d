// SCHEMA: the component schemas of the API document, as tables that tests compare with what is decoded and
// encoded.
#pragma once

#include <string_view>
#include <vector>

#include "api/json/writer.hpp"

namespace belfry::api {

// `type` in short: text, int, number, bool, time, any, object, map (of whole numbers), @Name (another
// schema),
// []x (a list of x), a|b|c (one of these words); a ? behind it: or null.
struct property {
  std::string_view name;
  std::string_view type;
  std::string_view description;
  bool required = false;
};

struct schema {
  std::string_view name;
  std::string_view description;
  std::vector<property> properties;
  bool request = false;      // unknown members are refused
  std::string_view extends;  // has the members of this schema too
};

const std::vector<schema>& schemas();
const schema* find_schema(std::string_view name);
// With those of the schema that it extends.
std::vector<property> all_properties(const schema& s);
void write_type(json::writer& w, std::string_view type, std::string_view description);

void add_request_schemas(std::vector<schema>& all);
void add_run_schemas(std::vector<schema>& all);
void add_other_schemas(std::vector<schema>& all);
void add_session_schemas(std::vector<schema>& all);
void add_schedule_schemas(std::vector<schema>& all);
void add_timing_schemas(std::vector<schema>& all);
void add_cycle_schemas(std::vector<schema>& all);
void add_cluster_schemas(std::vector<schema>& all);

// The whole document, made once.
const std::string& openapi_document();

}  // namespace belfry::api
