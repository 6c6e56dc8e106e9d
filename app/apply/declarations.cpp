#include "app/apply/declarations.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "api/json/jobs.hpp"
#include "api/json/submissions.hpp"
#include "app/cli/command.hpp"
#include "app/cli/refusal.hpp"
#include "app/client/json_view.hpp"
#include "app/output/words.hpp"

namespace belfry::app {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 9> handler_keys{
    "kind", "argv", "shell", "cwd", "env", "stdin", "limits", "success_codes", "retryable_codes"};

bool belongs_to_handler(const std::string& key) {
  return std::find(handler_keys.begin(), handler_keys.end(), key) != handler_keys.end();
}

located& member_table(located& of, const std::string& key, const spot& at) {
  for (auto& [name, value] : of.members)
    if (name == key) return value;
  located made;
  made.what = located::kind::table;
  made.at = at;
  of.members.push_back({key, std::move(made)});
  return of.members.back().value;
}

// Moves what stands flat to where the API has it.
located nested(const located& table, std::vector<std::string>& mistakes) {
  located out;
  out.what = located::kind::table;
  out.at = table.at;
  for (const auto& [key, value] : table.members)
    if (!belongs_to_handler(key) && key != "retries") out.members.push_back({key, value});
  for (const auto& [key, value] : table.members) {
    const bool retries = key == "retries";
    if (!retries && !belongs_to_handler(key)) continue;
    auto& inner = member_table(out, retries ? "retry" : "handler", value.at);
    if (inner.what != located::kind::table) continue;  // wrong itself, and told so
    if (inner.find(key) != nullptr)
      mistakes.push_back(value.at.text() + ": " + key + " is given twice, here and in the table " +
                         (retries ? "retry" : "handler"));
    else
      inner.members.push_back({key, value});
  }
  return out;
}

void make_absolute(located& table, const std::string& file) {
  for (auto& [key, value] : table.members) {
    if (key == "cwd" && value.what == located::kind::plain && !value.json.empty() &&
        value.json.front() == '"') {
      const fs::path given(value.unquoted());
      if (!given.empty() && given.is_relative()) {
        const auto base = fs::absolute(fs::path(file)).parent_path();
        auto whole = (base / given).lexically_normal().string();
        if (whole.size() > 1 && whole.back() == '/') whole.pop_back();
        value.json = json_quoted(whole);
      }
    } else if (key == "handler" || key == "on_end") {
      make_absolute(value, file);
    }
  }
}

void tell(std::vector<std::string>& mistakes, const core::failure& f, const std::string& what,
          const std::map<std::string, spot>& places, const spot& at) {
  if (f.problems.empty()) mistakes.push_back(at.text() + ": " + what + ": " + f.text);
  for (const auto& p : f.problems) {
    const auto where = place_of(places, p.pointer);
    mistakes.push_back((where.line == 0 ? at : where).text() + ": " + what + ": " + problem_line(p));
  }
}

std::string name_in(const located& table) {
  const auto* name = table.find("name");
  return name != nullptr && name->what == located::kind::plain ? name->unquoted() : std::string{};
}

void take(located& table, const std::string& key) {
  table.members.erase(
      std::remove_if(table.members.begin(), table.members.end(), [&](const auto& m) { return m.key == key; }),
      table.members.end());
}

void add_job(declarations& out, const located& given) {
  const std::string what = "job " + (name_in(given).empty() ? std::string("without a name") : name_in(given));
  auto table = nested(given, out.mistakes);
  make_absolute(table, given.at.file);
  if (table.find("source") == nullptr) {
    located source;
    source.json = "\"file\"";
    source.at = given.at;
    table.members.push_back({"source", source});
  }
  std::map<std::string, spot> places;
  declared_job job{name_in(given), to_json(table, places), {}, given.at};
  const auto read = api::json::read_job(job.body, {});
  if (!read) return tell(out.mistakes, read.error(), what, places, given.at);
  api::json::writer w;
  api::json::write_definition(w, read->definition);
  job.definition = w.take();
  for (const auto& other : out.jobs)
    if (other.name == job.name)
      out.mistakes.push_back(given.at.text() + ": " + what + " is declared twice; the first time at " +
                             other.at.text());
  out.jobs.push_back(std::move(job));
}

void add_run(declarations& out, const located& given) {
  const std::string what = "run " + name_in(given);
  auto table = nested(given, out.mistakes);
  make_absolute(table, given.at.file);
  declared_run run{name_in(given), {}, 1, {}, given.at};
  if (const auto* times = table.find("times")) {
    const auto parsed = json_text::parse(times->json.empty() ? "null" : times->json);
    run.times = parsed ? parsed->root().number() : 0;
    if (run.times < 1 || run.times > 1000)
      out.mistakes.push_back(times->at.text() + ": " + what + ": times: allowed: 1 to 1000");
  }
  if (const auto* once = table.find("once")) {
    run.once = once->unquoted();
    if (run.once.empty() || run.once.size() > 150)
      out.mistakes.push_back(once->at.text() + ": " + what +
                             ": once: allowed: a text of 1 to 150 characters");
  }
  take(table, "times");
  take(table, "once");
  std::map<std::string, spot> places;
  run.body = to_json(table, places);
  const auto read = api::json::read_submission(run.body, now());
  if (!read) return tell(out.mistakes, read.error(), what, places, given.at);
  run.name = read->spec->name;
  out.runs.push_back(std::move(run));
}

void add_all(declarations& out, const located& list, const std::string& kind) {
  if (list.what == located::kind::table) {  // one [job] table
    kind == "job" ? add_job(out, list) : add_run(out, list);
    return;
  }
  if (list.what != located::kind::list) {
    out.mistakes.push_back(list.at.text() + ": write [[" + kind + "]] for each " + kind);
    return;
  }
  for (const auto& each : list.elements) {
    if (each.what != located::kind::table)
      out.mistakes.push_back(each.at.text() + ": a " + kind + " is a table");
    else if (kind == "job")
      add_job(out, each);
    else
      add_run(out, each);
  }
}

void add_file(declarations& out, const std::string& file, bool single) {
  const auto before = out.mistakes.size();
  const auto root = read_located(file, out.mistakes);
  if (out.mistakes.size() > before && root.members.empty()) return;
  if (root.what == located::kind::list) return add_all(out, root, "job");
  if (root.what != located::kind::table) {
    out.mistakes.push_back(root.at.text() + ": this is no table of jobs");
    return;
  }
  if (single && root.find("job") == nullptr && root.find("run") == nullptr) return add_job(out, root);
  for (const auto& [key, value] : root.members) {
    if (key == "job" || key == "run") {
      add_all(out, value, key);
      continue;
    }
    const auto near = nearest(key, {"job", "run"});
    out.mistakes.push_back(
        value.at.text() + ": there is no key " + key + " here" +
        (near ? "; did you mean [[" + *near + "]]?" : "; a file has [[job]] and [[run]] tables"));
  }
}

}  // namespace

declarations read_declarations(const std::string& path, bool single) {
  declarations out;
  std::error_code error;
  if (!fs::exists(path, error)) throw refusal(exit_code::usage, "there is no file or folder " + path);
  if (!fs::is_directory(path, error)) {
    add_file(out, path, single);
    return out;
  }
  std::set<std::string> files;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const auto ending = entry.path().extension();
    if (entry.is_regular_file() && (ending == ".toml" || ending == ".json"))
      files.insert(entry.path().string());
  }
  if (error) throw refusal(exit_code::usage, "the folder " + path + " cannot be read: " + error.message());
  if (files.empty())
    throw refusal(exit_code::usage, "the folder " + path + " has no .toml and no .json file");
  for (const auto& file : files) add_file(out, file, false);
  return out;
}

void refuse_mistakes(const declarations& d, const std::string& path) {
  const auto n = d.mistakes.size();
  if (n == 0) return;
  throw refusal(
      exit_code::usage,
      path + " has " + std::to_string(n) + " mistake" + (n == 1 ? "" : "s") + ", nothing was changed",
      d.mistakes, "docs/cli.md describes the file; examples/jobs.toml is one");
}

}  // namespace belfry::app
