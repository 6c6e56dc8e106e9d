#include "app/apply/located.hpp"

#include <toml++/toml.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "api/json/document.hpp"
#include "api/json/reader.hpp"
#include "app/client/json_view.hpp"
#include "core/text/utf8.hpp"

namespace belfry::app {
namespace {

using api::json::kind;

class toml_reader {
 public:
  toml_reader(std::string file, std::vector<std::string>& mistakes)
      : file_(std::move(file)), mistakes_(mistakes) {}

  located read(const toml::node& n) {
    located out;
    out.at = {file_, n.source().begin.line, n.source().begin.column};
    if (const auto* table = n.as_table()) {
      out.what = located::kind::table;
      for (const auto& [key, value] : *table) {
        out.members.push_back({std::string(key.str()), read(value)});
        if (out.at.line == 0) out.at = out.members.back().value.at;
        if (!value.is_array_of_tables()) {
          auto& at = out.members.back().value.at;
          if (key.source().begin.line > 0) at = {file_, key.source().begin.line, key.source().begin.column};
        }
      }
    } else if (const auto* list = n.as_array()) {
      out.what = located::kind::list;
      for (const auto& each : *list) out.elements.push_back(read(each));
    } else {
      out.json = plain(n, out.at);
    }
    return out;
  }

 private:
  std::string plain(const toml::node& n, const spot& at) {
    if (const auto* s = n.as_string()) return json_quoted(s->get());
    if (const auto* i = n.as_integer()) return std::to_string(i->get());
    if (const auto* b = n.as_boolean()) return b->get() ? "true" : "false";
    std::ostringstream out;
    if (const auto* d = n.as_floating_point(); d != nullptr && std::isfinite(d->get())) {
      out.precision(17);
      out << d->get();
      return out.str();
    }
    if (const auto* t = n.as_date_time(); t != nullptr && t->get().offset) {
      out << t->get();
      return json_quoted(out.str());
    }
    mistakes_.push_back(at.text() +
                        ": this value has no meaning here; instants need an offset, numbers must be finite");
    return "null";
  }

  std::string file_;
  std::vector<std::string>& mistakes_;
};

class json_reader {
 public:
  json_reader(std::string file, const api::json::document& doc) : file_(std::move(file)), doc_(doc) {
    for (std::size_t i = 0; i < doc.source().size(); ++i)
      if (doc.source()[i] == '\n') lines_.push_back(i + 1);
  }

  located read(std::uint32_t i) {
    located out;
    const auto& n = doc_.at(i);
    out.at = at(n.begin);
    std::string store;
    if (n.what == kind::object) {
      out.what = located::kind::table;
      for (auto m = i + 1; m < n.next; m = doc_.at(m + 1).next)
        out.members.push_back({std::string(doc_.text(m, store)), read(m + 1)});
    } else if (n.what == kind::array) {
      out.what = located::kind::list;
      for (auto e = i + 1; e < n.next; e = doc_.at(e).next) out.elements.push_back(read(e));
    } else {
      out.json = doc_.raw(i);
    }
    return out;
  }

 private:
  spot at(std::size_t offset) const {
    const auto after = std::upper_bound(lines_.begin(), lines_.end(), offset);
    const std::size_t start = *(after - 1);
    return {file_, static_cast<std::uint32_t>(after - lines_.begin()),
            static_cast<std::uint32_t>(offset - start + 1)};
  }

  std::string file_;
  const api::json::document& doc_;
  std::vector<std::size_t> lines_{0};
};

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void write(const located& value, const std::string& pointer, std::string& out,
           std::map<std::string, spot>& places) {
  places[pointer] = value.at;
  switch (value.what) {
    case located::kind::plain: out += value.json; break;
    case located::kind::list: {
      out += '[';
      for (std::size_t i = 0; i < value.elements.size(); ++i) {
        if (i > 0) out += ',';
        write(value.elements[i], pointer + "/" + std::to_string(i), out, places);
      }
      out += ']';
      break;
    }
    case located::kind::table: {
      out += '{';
      bool first = true;
      for (const auto& [key, member] : value.members) {
        if (!first) out += ',';
        first = false;
        out += json_quoted(key) + ":";
        write(member, pointer + api::json::pointer_token(key), out, places);
      }
      out += '}';
      break;
    }
  }
}

}  // namespace

std::string spot::text() const { return file + ":" + std::to_string(line) + ":" + std::to_string(column); }

const located* located::find(const std::string& key) const {
  for (const auto& [name, value] : members)
    if (name == key) return &value;
  return nullptr;
}

std::string located::unquoted() const {
  const auto parsed = json_text::parse(json);
  return parsed ? parsed->root().text() : json;
}

located read_located(const std::string& file, std::vector<std::string>& mistakes) {
  located nothing;
  nothing.what = located::kind::table;
  nothing.at = {file, 1, 1};
  std::ifstream in(file, std::ios::binary);
  std::ostringstream bytes;
  if (!in || !(bytes << in.rdbuf() || in.eof())) {
    mistakes.push_back(file + ": cannot be read");
    return nothing;
  }
  const std::string text = bytes.str();
  if (!core::valid_utf8(text)) {
    mistakes.push_back(file + ": is not UTF-8 text");
    return nothing;
  }
  if (ends_with(file, ".json")) {
    const auto doc = api::json::document::parse(text);
    if (doc) return json_reader(file, *doc).read(0);
    mistakes.push_back(file + ": " + doc.error().text);
    return nothing;
  }
  try {
    const toml::table root = toml::parse(text, file);
    auto out = toml_reader(file, mistakes).read(root);
    out.at = nothing.at;
    return out;
  } catch (const toml::parse_error& e) {
    mistakes.push_back(spot{file, e.source().begin.line, e.source().begin.column}.text() + ": " +
                       std::string(e.description()));
    return nothing;
  }
}

std::string to_json(const located& value, std::map<std::string, spot>& places) {
  std::string out;
  write(value, "", out, places);
  return out;
}

spot place_of(const std::map<std::string, spot>& places, std::string pointer) {
  while (true) {
    if (const auto found = places.find(pointer); found != places.end()) return found->second;
    const auto slash = pointer.rfind('/');
    if (slash == std::string::npos) return {};
    pointer.erase(slash);
  }
}

}  // namespace belfry::app
