// METER: counters, gauges and histograms as atomics, found without a lock, written out as Prometheus text
// 0.0.4.
//
// The series of a label value is looked up in a small table of pointers that only ever grows; making one
// takes a lock, counting does not. A metric keeps at most 128 label values; the rest share the value "other".
#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "platform/ports/metrics.hpp"

namespace belfry::platform {
namespace {

enum class type : std::uint8_t { counter, gauge, histogram };
enum class scale : std::uint8_t { seconds, count };

struct description {
  metric which;
  std::string_view name;
  type kind;
  std::string_view label;  // name of the label; empty: none
  std::string_view help;
  scale buckets = scale::seconds;
};

constexpr std::array table{
    description{metric::runs_submitted_total, "runs_submitted_total", type::counter, "",
                "Runs that were stored"},
    description{metric::runs_completed_total, "runs_completed_total", type::counter, "outcome",
                "Runs that ended"},
    description{metric::run_wait_seconds, "run_wait_seconds", type::histogram, "",
                "From eligible to claimed"},
    description{metric::run_seconds, "run_seconds", type::histogram, "", "From started to ended"},
    description{metric::queue_depth, "queue_depth", type::gauge, "state", "Runs by state"},
    description{metric::queue_oldest_age_seconds, "queue_oldest_age_seconds", type::gauge, "",
                "Age of the longest waiting run"},
    description{metric::claims_total, "claims_total", type::counter, "outcome", "Claims answered"},
    description{metric::leases_expired_total, "leases_expired_total", type::counter, "",
                "Leases that ran out"},
    description{metric::fence_rejections_total, "fence_rejections_total", type::counter, "",
                "Writes refused because of an old lease"},
    description{metric::retries_total, "retries_total", type::counter, "class",
                "Attempts that are tried again"},
    description{metric::store_commit_seconds, "store_commit_seconds", type::histogram, "",
                "Commit and sync of a transaction"},
    description{metric::store_batch_size, "store_batch_size", type::histogram, "",
                "Change sets in a transaction", scale::count},
    description{metric::store_bytes, "store_bytes", type::gauge, "", "Size of the store, journal included"},
    description{metric::store_errors_total, "store_errors_total", type::counter, "code",
                "Failures of the store"},
    description{metric::http_requests_total, "http_requests_total", type::counter, "code",
                "Answers by status"},
    description{metric::http_request_seconds, "http_request_seconds", type::histogram, "route",
                "From the whole request to its answer"},
    description{metric::http_connections, "http_connections", type::gauge, "", "Open connections"},
    description{metric::sse_clients, "sse_clients", type::gauge, "", "Open event and log streams"},
    description{metric::processes_running, "processes_running", type::gauge, "",
                "Child processes of executors"},
    description{metric::spawn_failures_total, "spawn_failures_total", type::counter, "",
                "Processes that could not be started"},
    description{metric::executor_restarts_total, "executor_restarts_total", type::counter, "",
                "Executors started again"},
    description{metric::workers_started_total, "workers_started_total", type::counter, "",
                "Workers of agent types that got a process"},
    description{metric::workers_ended_total, "workers_ended_total", type::counter, "end",
                "Workers of agent types that ended"},
    description{metric::log_bytes_total, "log_bytes_total", type::counter, "", "Output captured"},
    description{metric::events_total, "events_total", type::counter, "", "Events written to the journal"},
    description{metric::wakes_total, "wakes_total", type::counter, "outcome",
                "Wakes: sent, acknowledged, claimed, failed, refused"},
    description{metric::process_resident_memory_bytes, "process_resident_memory_bytes", type::gauge, "",
                "Memory of the node"},
    description{metric::process_cpu_seconds_total, "process_cpu_seconds_total", type::counter, "",
                "CPU time of the node"},
    description{metric::process_start_time_seconds, "process_start_time_seconds", type::gauge, "",
                "Start of the node, since 1970"},
    description{metric::dead_letters, "dead_letters", type::gauge, "",
                "Runs that ended badly and were neither redriven nor discarded"},
    description{metric::dead_letter_oldest_age_seconds, "dead_letter_oldest_age_seconds", type::gauge, "",
                "Age of the oldest dead letter"},
    description{metric::cycle_seconds, "cycle_seconds", type::histogram, "",
                "One pass of the scheduler, wakes included"},
    description{metric::starved_runs, "starved_runs", type::gauge, "rung",
                "Runs that nobody takes, by the highest rung of the ladder that fired"},
    description{metric::build_info, "build_info", type::gauge, "version", "1, with the version as label"},
    description{metric::paused, "paused", type::gauge, "scope",
                "Things that are paused: the scheduler (0 or 1), workspaces, jobs, agent types"},
    description{metric::backpressure, "backpressure", type::gauge, "",
                "1 while an episode of backpressure lasts, else 0"},
    description{metric::backpressure_wait_seconds, "backpressure_wait_seconds", type::gauge, "",
                "While it lasts: how long a new run waits, estimated; 0 when that is not known"},
    description{metric::backpressure_refusals_total, "backpressure_refusals_total", type::counter, "",
                "Submissions refused because of backpressure"},
    description{metric::provider_delay_seconds, "provider_delay_seconds", type::gauge, "agent_type",
                "How far apart the limits of a provider have taught to call it"},
    description{metric::claim_hook_questions_total, "claim_hook_questions_total", type::counter, "outcome",
                "Questions to the claim hook: allowed, narrowed, refused, failed"},
    description{metric::claim_hook_seconds, "claim_hook_seconds", type::histogram, "",
                "From a question to the claim hook to its answer, or its failure"},
    description{metric::cluster_nodes, "cluster_nodes", type::gauge, "state",
                "Nodes of the cluster, this one too: up, suspect, lost, left"},
    description{metric::cluster_link_seconds, "cluster_link_seconds", type::histogram, "",
                "From a beat to a member to its answer"},
    description{metric::cluster_questions_total, "cluster_questions_total", type::counter, "outcome",
                "Questions of members: answered, refused, unanswered (the link was gone)"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].which) != i) return false;
  return table.size() == static_cast<std::size_t>(metric::cluster_questions_total) + 1;
}
static_assert(in_order());

constexpr std::array<double, 19> second_bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                               0.025,  0.05,    0.1,    0.25,  0.5,    1,     2.5,
                                               10,     60,      300,    1800,  7200};
constexpr std::array<double, 19> count_bounds{1,   2,   3,   5,   8,    12,   20,   32,    50,   80,
                                              128, 200, 320, 500, 1000, 2000, 5000, 10000, 20000};
constexpr std::size_t most_labels = 128;
constexpr std::size_t slots = 256;  // of the table of a metric; a power of two, at most half full
constexpr std::string_view others = "other";

void add(std::atomic<double>& a, double n) {
  double old = a.load(std::memory_order_relaxed);
  while (!a.compare_exchange_weak(old, old + n, std::memory_order_relaxed)) {
  }
}

struct series {
  explicit series(std::string l) : label(std::move(l)) {}
  std::string label;
  std::atomic<double> value{0};  // of a histogram: the sum
  std::array<std::atomic<std::uint64_t>, second_bounds.size() + 1> buckets{};
};

struct family {
  std::array<std::atomic<series*>, slots> found{};
  std::vector<std::unique_ptr<series>> owned;  // under the lock
};

void append(std::string& out, double v) {
  if (std::isnan(v)) {
    out += "NaN";
    return;
  }
  if (std::isinf(v)) {
    out += v > 0 ? "+Inf" : "-Inf";
    return;
  }
  std::array<char, 32> b{};
  out.append(b.data(), std::to_chars(b.data(), b.data() + b.size(), v).ptr);
}

void append_label(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
}

class atomic_meter final : public meter {
 public:
  void add(metric m, double n, std::string_view label) override {
    if (auto* s = find(m, label)) platform::add(s->value, n);
  }
  void set(metric m, double value, std::string_view label) override {
    if (auto* s = find(m, label)) s->value.store(value, std::memory_order_relaxed);
  }
  void observe(metric m, double value, std::string_view label) override {
    auto* s = find(m, label);
    if (s == nullptr || std::isnan(value)) return;
    const auto& bounds = bounds_of(table[static_cast<std::size_t>(m)]);
    const auto at =
        static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin());
    s->buckets[at].fetch_add(1, std::memory_order_relaxed);
    platform::add(s->value, value);
  }
  std::string exposition() const override;

 private:
  static const std::array<double, second_bounds.size()>& bounds_of(const description& d) {
    return d.buckets == scale::count ? count_bounds : second_bounds;
  }

  series* find(metric m, std::string_view label) {
    const auto i = static_cast<std::size_t>(m);
    if (i >= table.size()) return nullptr;
    if (table[i].label.empty()) label = {};  // a label where none belongs is no reason to lose the count
    auto& f = families_[i];
    for (std::size_t at = std::hash<std::string_view>{}(label), tried = 0; tried < slots; ++at, ++tried) {
      auto* s = f.found[at % slots].load(std::memory_order_acquire);
      if (s == nullptr) return make(f, label);
      if (s->label == label) return s;
    }
    return nullptr;
  }

  series* make(family& f, std::string_view label) {
    const std::lock_guard lock{mutex_};
    if (f.owned.size() >= most_labels && label != others) return place(f, others);
    return place(f, label);
  }

  // Under the lock: the series of the label, made where it is not there.
  series* place(family& f, std::string_view label) {
    for (std::size_t at = std::hash<std::string_view>{}(label);; ++at) {
      auto& slot = f.found[at % slots];
      auto* s = slot.load(std::memory_order_relaxed);
      if (s != nullptr && s->label == label) return s;
      if (s != nullptr) continue;
      f.owned.push_back(std::make_unique<series>(std::string{label}));
      slot.store(f.owned.back().get(), std::memory_order_release);
      return f.owned.back().get();
    }
  }

  mutable std::mutex mutex_;
  std::array<family, table.size()> families_;
};

class page {
 public:
  void begin(const description& d) {
    static constexpr std::array<std::string_view, 3> types{"counter", "gauge", "histogram"};
    ((((out_ += "# HELP belfry_") += d.name) += ' ') += d.help) += '\n';
    ((((out_ += "# TYPE belfry_") += d.name) += ' ') += types[static_cast<std::size_t>(d.kind)]) += '\n';
  }
  void sample(const description& d, std::string_view suffix, const series& s, std::string_view le,
              double value) {
    ((out_ += "belfry_") += d.name) += suffix;
    if (!d.label.empty() || !le.empty()) {
      out_ += '{';
      if (!d.label.empty()) {
        (out_ += d.label) += "=\"";
        append_label(out_, s.label);
        out_ += '"';
      }
      if (!le.empty()) (((out_ += d.label.empty() ? "" : ",") += "le=\"") += le) += '"';
      out_ += '}';
    }
    out_ += ' ';
    append(out_, value);
    out_ += '\n';
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

void write_histogram(page& p, const description& d, const series& s,
                     const std::array<double, second_bounds.size()>& bounds) {
  std::uint64_t total = 0;
  std::string le;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    total += s.buckets[i].load(std::memory_order_relaxed);
    le.clear();
    append(le, bounds[i]);
    p.sample(d, "_bucket", s, le, static_cast<double>(total));
  }
  total += s.buckets[bounds.size()].load(std::memory_order_relaxed);
  p.sample(d, "_bucket", s, "+Inf", static_cast<double>(total));
  p.sample(d, "_sum", s, {}, s.value.load(std::memory_order_relaxed));
  p.sample(d, "_count", s, {}, static_cast<double>(total));
}

std::string atomic_meter::exposition() const {
  page p;
  const series none{""};
  const std::lock_guard lock{mutex_};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto& d = table[i];
    p.begin(d);
    std::vector<const series*> all;
    for (const auto& s : families_[i].owned) all.push_back(s.get());
    std::sort(all.begin(), all.end(), [](const series* a, const series* b) { return a->label < b->label; });
    if (all.empty() && d.label.empty())
      all.push_back(&none);  // a counter that nobody has touched is 0, not missing
    for (const auto* s : all) {
      if (d.kind == type::histogram)
        write_histogram(p, d, *s, bounds_of(d));
      else
        p.sample(d, {}, *s, {}, s->value.load(std::memory_order_relaxed));
    }
  }
  return p.take();
}

}  // namespace

std::unique_ptr<meter> make_meter() { return std::make_unique<atomic_meter>(); }

}  // namespace belfry::platform
