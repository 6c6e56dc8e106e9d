// SOURCE: what the file of another scheduler says, as jobs of belfry, and everything of it that could not be
// said.
//
// Every entry that was found is either a job or a refusal with its reason: jobs + refused == entries. What is
// a job but means something else here is told in its notes. Reading is pure: no file, no clock, no
// environment.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/job/job.hpp"
#include "core/schedule/schedule.hpp"

namespace belfry::app {

struct imported_job {
  core::job_definition definition;
  std::string from;                // "line 12", "backup.timer"
  std::string says;                // when, in the words of the file
  std::vector<std::string> notes;  // what is different here
  bool paused = false;             // it did not run where it comes from
};

struct refused_entry {
  std::string from;
  std::string text;  // of the entry, one line
  std::string why;
};

struct import_source {
  std::string kind;    // "crontab": the tag of its jobs is import:crontab
  std::string origin;  // which one: what tells the jobs of two crontabs apart
  std::vector<imported_job> jobs;
  std::vector<refused_entry> refused;
  std::vector<std::string> notes;  // about no single entry
  std::size_t entries = 0;
};

inline constexpr std::size_t most_import_bytes = 1U << 20U;
inline constexpr std::size_t most_import_lines = 10'000;
inline constexpr std::size_t longest_import_line = 16'000;

std::string tag_of(const import_source& s);

// Names that stay the same from one import to the next: of what is run, not of when. Two entries that run the
// same are told apart by their order.
class import_names {
 public:
  explicit import_names(std::string prefix) : prefix_(std::move(prefix)) {}
  // `word`: what people call it. `whole`: what the name stands for.
  std::string next(std::string_view word, std::string_view whole);
  // The word itself, where the source has names of its own.
  std::string named(std::string_view word);

 private:
  std::string unique(std::string name);
  std::string prefix_;
  std::map<std::string, int> given_;
};

// The name of the program that a shell line runs: "backup" of "cd /srv && FOO=1 ./backup.sh --all".
std::string program_word(std::string_view command);
// Letters, digits, '-', '_' and '.'; at most 60 of them; never empty.
std::string name_word(std::string_view text);

// Tags, metadata and schedule are put in, and the definition is checked as the node will check it; then it is
// a job or a refusal. `text`: the entry as the file has it. Counts it.
void add_entry(import_source& to, imported_job job, const core::schedule* when, const std::string& text);
void refuse_entry(import_source& to, std::string from, std::string_view text, std::string why);
// "0 9 32 * *: 32 is out of range ... (allowed: 1 to 31)".
std::string told(const core::text_problem& p);
std::string told(const std::vector<core::field_problem>& problems);

// Lines of a file, without CR and LF.
std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace belfry::app
