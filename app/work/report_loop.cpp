#include <algorithm>
#include <array>

#include "app/work/loops.hpp"

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

constexpr core::span answer_within = 30s;

// The node could not write it down now; it may be able to later.
bool passing(const std::string& code) {
  static constexpr std::array<std::string_view, 5> all{"unavailable", "overloaded", "aborted", "storage_full",
                                                       "internal"};
  return std::find(all.begin(), all.end(), code) != all.end();
}

class reporter {
 public:
  explicit reporter(work_parts& parts) : parts_(parts), node_(parts) {}

  void run() {
    for (;;) {
      const auto due = parts_.desk.await_reports();
      if (due.outputs.empty() && due.ends.empty()) return;
      for (const auto& each : due.outputs)
        if (!tell(each)) return;
      if (!due.ends.empty() && !tell(due.ends)) return;
    }
  }

 private:
  // False: patience is over.
  bool tell(const due_output& output) {
    const auto word = node_.post("/v1/runs/" + core::to_string(output.lease.run) + ":log",
                                 log_lines(output.lease, output.first, output.lines), answer_within);
    if (word.what == node_word::kind::not_now) return node_.wait(word, false);
    // Refused for good: what the lease has lost nobody reads, and the end must not wait for it.
    if (word.no() && word.code != "stale_lease")
      parts_.notes.warn("output-not-kept run=" + core::to_string(output.lease.run) + " " + word.text);
    parts_.desk.told(output);
    return true;
  }

  bool tell(const std::vector<due_end>& ends) {
    api::json::writer w{ends.size() * 300 + 64};
    w.begin_object().key("items").begin_array();
    for (const auto& each : ends) write_completion(w, each.lease, each.how);
    w.end_array().end_object();
    auto word = node_.post("/v1/completions", w.str(), answer_within);
    if (word.what == node_word::kind::not_now) return node_.wait(word, false);
    if (word.no()) {
      for (const auto& each : ends) refused(each, word.text);
      return true;
    }
    bool later = false;
    auto each = ends.begin();
    word.answer["items"].each([&](view item) {
      if (each != ends.end()) later = heard(*each++, item) || later;
    });
    if (!later) return true;
    word.text = "the node cannot write at the moment";
    return node_.wait(word, false);
  }

  // Whether it has to be told again.
  bool heard(const due_end& end, view item) {
    if (item["status"].text() == "ok") {
      parts_.notes.say("run-ended run=" + core::to_string(end.lease.run) + " outcome=" +
                       std::string(core::to_text(end.how.kind)) + " state=" + item["state"].text() +
                       (end.how.message.empty() ? "" : " " + end.how.message));
      parts_.desk.settled(end.lease);
      return false;
    }
    if (passing(item["code"].text())) return true;
    refused(end, item["code"].text() + " " + item["detail"].text());
    return false;
  }

  void refused(const due_end& end, const std::string& why) {
    parts_.notes.warn("end-refused run=" + core::to_string(end.lease.run) +
                      " fencing=" + std::to_string(end.lease.fencing) +
                      " outcome=" + std::string(core::to_text(end.how.kind)) + " " + why);
    parts_.desk.settled(end.lease);
  }

  work_parts& parts_;
  caller node_;
};

}  // namespace

void report_loop(work_parts parts) { reporter{parts}.run(); }

}  // namespace belfry::app
