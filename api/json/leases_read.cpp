#include <algorithm>
#include <array>
#include <limits>

#include "api/json/decode.hpp"
#include "api/json/leases.hpp"
#include "api/json/submissions.hpp"
#include "core/pause/probe.hpp"
#include "core/run/validate.hpp"
#include "core/text/utf8.hpp"
#include "core/text/word.hpp"
#include "platform/ports/clock.hpp"

namespace belfry::api::json {
namespace {

using namespace std::chrono_literals;

constexpr core::span longest_wait = 60s;
constexpr core::span shortest_lease = 1s;
constexpr core::span longest_lease = 24h;
constexpr std::size_t longest_token = 200;
constexpr std::size_t longest_message = 4000;
constexpr std::size_t largest_result = 64 * 1024;
constexpr std::size_t largest_checkpoint = 64 * 1024;
constexpr std::size_t longest_line = 16 * 1024;
constexpr std::size_t most_lines = 10'000;
constexpr std::array<std::string_view, 6> failure_classes{"error",    "permanent",    "timeout",
                                                          "resource", "rate_limited", "spawn"};
constexpr std::array<std::string_view, 2> limit_names{"throttle", "quota"};
constexpr std::array<std::string_view, 6> outcomes{"succeeded", "failed", "cancelled",
                                                   "released",  "parked", "skipped"};

void read_within(const value& m, core::span& out, core::span least, core::span most) {
  core::span s{0};
  if (!m.read(s)) return;
  if (s < least || s > most)
    m.wrong(core::to_text(least) + " to " + core::to_text(most), "it is out of range");
  else
    out = s;
}

struct proof_draft {
  core::lease_proof proof;
  bool token = false;
  bool fencing = false;
};

// The token is hashed where it is read, and never shown.
void read_token(const value& m, proof_draft& p) {
  std::string store;
  const auto text = m.what() == kind::text ? m.doc().text(m.index(), store) : std::string_view{};
  if (text.empty() || text.size() > longest_token)
    m.found().add({m.pointer(), "", "the token of the claim", "it is not a token"});
  else
    p.proof.hash = platform::sha256(text);
  p.token = true;
}

void read_fencing(const value& m, proof_draft& p) {
  std::int64_t n = 0;
  if (m.read_whole(n, 1, std::numeric_limits<std::int64_t>::max()))
    p.proof.fencing = static_cast<std::uint64_t>(n);
  p.fencing = true;
}

constexpr field<proof_draft> proof_fields[] = {{"token", read_token}, {"fencing", read_fencing}};

void check_proof(const value& v, const proof_draft& p) {
  if (!p.token) missing(v, "token", "the token of the claim");
  if (!p.fencing) missing(v, "fencing", "the fencing number of the claim");
}

// Members of the proof and of T together.
template <class T, std::size_t N>
void read_proven(const value& v, T& out, const field<T> (&fields)[N]) {
  static const auto names = [&] {
    auto all = names_of(std::span<const field<proof_draft>>{proof_fields});
    for (const auto& f : fields) all.push_back(f.name);
    return all;
  }();
  proof_draft p;
  v.each_member(
      [&](std::string_view key, const value& m) {
        return read_field<proof_draft>(proof_fields, key, m, p) || read_field<T>(fields, key, m, out);
      },
      names);
  check_proof(v, p);
  out.proof = p.proof;
}

void read_class(const value& m, core::cmd_settle& s) {
  const auto from = [](std::string_view t) -> std::optional<core::failure_class> {
    for (const auto name : failure_classes)
      if (t == name) return core::failure_class_from(t);
    return std::nullopt;
  };
  m.read_name(s.klass, from, failure_classes);
}

void read_message(const value& m, core::cmd_settle& s) {
  if (!m.read(s.message)) return;
  if (s.message.size() > longest_message)
    m.wrong("at most " + std::to_string(longest_message) + " bytes",
            "it is too long; write details into the log or the result");
}

void read_later(const value& m, core::cmd_settle& s) {
  core::span d{0};
  if (m.read(d)) s.retry_after = d;
}

void read_usage(const value& v, core::cmd_settle& s) {
  static constexpr field<core::usage> fields[] = {
      {"user_cpu", [](const value& m, core::usage& u) { m.read(u.user_cpu); }},
      {"system_cpu", [](const value& m, core::usage& u) { m.read(u.system_cpu); }},
      {"peak_memory", [](const value& m, core::usage& u) { m.read_bytes(u.peak_memory); }},
  };
  read_object(v, s.used, fields);
}

constexpr field<core::cmd_settle> settle_fields[] = {
    {"result",
     [](const value& m, core::cmd_settle& s) {
       m.read_raw(s.result);
       if (s.result.size() > largest_result) {
         m.wrong("at most " + std::to_string(largest_result) + " bytes", "it is too large");
         s.result.clear();
       }
     }},
    {"message", read_message},
    {"class", read_class},
    {"retry_after", read_later},
    {"delay", read_later},
    {"for", read_later},
    {"until",
     [](const value& m, core::cmd_settle& s) {
       core::instant at = core::never;
       if (m.read(at)) s.until = at;
     }},
    {"resource",
     [](const value& m, core::cmd_settle& s) {
       if (!m.read(s.resource)) return;
       core::trim(s.resource);
       check_text(m, s.resource, core::spec_limits{}.word);
     }},
    {"limit",
     [](const value& m, core::cmd_settle& s) {
       auto kind = core::limit_kind::none;
       if (m.read_name(kind, core::limit_kind_from, limit_names))
         s.limits_type = static_cast<std::uint8_t>(kind);
     }},
    {"exit_code",
     [](const value& m, core::cmd_settle& s) {
       int n = 0;
       if (m.read<int>(n, 0, 255)) s.exit_code = n;
     }},
    {"signal",
     [](const value& m, core::cmd_settle& s) {
       int n = 0;
       if (m.read<int>(n, 1, 64)) s.signal = n;
     }},
    {"usage", read_usage},
};

// Which of the members above belong to which end; the others are refused, because they would change nothing.
bool belongs(std::string_view key, core::settle_kind kind) {
  using enum core::settle_kind;
  if (key == "message") return true;
  if (key == "class" || key == "retry_after") return kind == failed;
  if (key == "limit") return kind == failed || kind == parked;
  if (key == "delay") return kind == released;
  if (key == "for" || key == "until" || key == "resource") return kind == parked;
  if (key == "usage") return kind == succeeded || kind == failed || kind == cancelled;
  return kind == succeeded || kind == failed;  // result, exit_code, signal
}

const std::vector<std::string_view>& settle_names(core::settle_kind kind) {
  static const auto lists = [] {
    std::array<std::vector<std::string_view>, outcomes.size()> all;
    for (std::size_t k = 0; k < all.size(); ++k) {
      all[k] = {"token", "fencing"};
      for (const auto& f : settle_fields)
        if (belongs(f.name, static_cast<core::settle_kind>(k))) all[k].push_back(f.name);
    }
    return all;
  }();
  return lists[static_cast<std::size_t>(kind)];
}

void finish_settle(const value& v, core::cmd_settle& s) {
  using enum core::settle_kind;
  if (s.kind == failed && s.klass == core::failure_class::none) s.klass = core::failure_class::error;
  if (s.kind == failed && s.limits_type != 0 && s.klass != core::failure_class::rate_limited)
    v.found().add({v.pointer() + "/limit", "", "with \"class\": \"rate_limited\"",
                   "a failure of another class is no limit of the provider"});
  if (s.kind == parked && !s.retry_after && !s.until)
    missing(v, "for", "for how long, such as \"10m\", or until when: \"until\"");
  if (s.retry_after && s.until)
    v.found().add({v.pointer() + "/until", "", "for or until", "there are two times; give one of them"});
}

template <class Other>
void read_settle_members(const value& v, core::cmd_settle& s, Other other,
                         const std::vector<std::string_view>& names) {
  proof_draft p;
  v.each_member(
      [&](std::string_view key, const value& m) {
        if (other(key, m) || read_field<proof_draft>(proof_fields, key, m, p)) return true;
        return belongs(key, s.kind) && read_field<core::cmd_settle>(settle_fields, key, m, s);
      },
      names);
  check_proof(v, p);
  s.proof = p.proof;
  finish_settle(v, s);
}

std::optional<core::settle_kind> outcome_from(std::string_view t) {
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    if (outcomes[i] == t) return static_cast<core::settle_kind>(i);
  return std::nullopt;
}

// The outcome decides which members are allowed, so it is looked for first.
void read_completion(const value& v, completion& c) {
  bool outcome = false;
  bool run = false;
  if (!v.expect(kind::object)) return;
  v.each_member(
      [&](std::string_view key, const value& m) {
        if (key == "outcome") outcome = m.read_name(c.how.kind, outcome_from, outcomes) || true;
        return true;
      },
      {});
  std::vector<std::string_view> names = settle_names(c.how.kind);
  names.insert(names.begin(), {"run_id", "outcome"});
  read_settle_members(
      v, c.how,
      [&](std::string_view key, const value& m) {
        if (key == "run_id") {
          run = true;
          m.read(c.run);
        }
        return key == "run_id" || key == "outcome";
      },
      names);
  if (!run) missing(v, "run_id", "the id of the run");
  if (!outcome) missing(v, "outcome", "succeeded, failed, cancelled, released, parked or skipped");
}

// Each element of a list of 1 to most_items with problems of its own, so that a bad one fails alone.
template <class F>
bool each_item(const value& m, F f) {
  const bool many = m.what() == kind::array && m.n().count > most_items;
  if (m.what() != kind::array || m.n().count < 1 || many) {
    m.wrong("a list of 1 to " + std::to_string(most_items) + " items", "it has the wrong length",
            many ? core::errc::too_large : core::errc::invalid);
    return true;
  }
  m.each_element([&](const value& e) {
    problems own;
    f(value{e.doc(), e.index(), e.where(), own}, own);
  });
  return true;
}

void read_heartbeat_item(const value& v, heartbeat& h) {
  static constexpr std::string_view names[] = {"run_id", "token", "fencing"};
  bool run = false;
  proof_draft p;
  v.each_member(
      [&](std::string_view key, const value& m) {
        if (key == "run_id") {
          run = true;
          m.read(h.run);
          return true;
        }
        return read_field<proof_draft>(proof_fields, key, m, p);
      },
      names);
  if (v.what() == kind::object) check_proof(v, p);
  if (!run) missing(v, "run_id", "the id of the run");
  h.how.proof = p.proof;
}

// A text becomes as many lines as it has line ends, and one that is too long is cut between characters.
void add_lines(std::string_view text, core::log_line as, std::vector<core::log_line>& out) {
  do {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    do {
      as.text = core::cut_utf8(line, longest_line);
      line.remove_prefix(as.text.size());
      out.push_back(as);
    } while (!line.empty());
  } while (!text.empty());
}

void read_line(const value& v, std::vector<core::log_line>& out) {
  struct draft {
    std::string text;
    bool given = false;
    core::log_line as;
  };
  static constexpr field<draft> fields[] = {
      {"text",
       [](const value& m, draft& d) {
         d.given = true;
         m.read(d.text);
       }},
      {"stream",
       [](const value& m, draft& d) {
         static constexpr std::array<std::string_view, 2> streams{"stdout", "stderr"};
         const auto from = [](std::string_view t) -> std::optional<core::log_stream> {
           if (t == streams[0]) return core::log_stream::out;
           if (t == streams[1]) return core::log_stream::err;
           return std::nullopt;
         };
         m.read_name(d.as.stream, from, streams);
       }},
      {"level",
       [](const value& m, draft& d) {
         static constexpr std::array<std::string_view, 4> levels{"debug", "info", "warn", "error"};
         m.read_name(d.as.level, core::log_level_from, levels);
       }},
      {"at", [](const value& m, draft& d) { m.read(d.as.at); }},
  };
  draft d;
  read_object(v, d, fields);
  if (!d.given) missing(v, "text", "what the line says");
  add_lines(d.text, d.as, out);
}

}  // namespace

core::result<messages::claim_runs> read_claim(std::string_view body) {
  static constexpr field<messages::claim_runs> fields[] = {
      {"session", [](const value& m, messages::claim_runs& c) { m.read(c.who); }},
      {"max", [](const value& m, messages::claim_runs& c) { m.read<std::uint32_t>(c.max, 1, most_items); }},
      {"wait",
       [](const value& m, messages::claim_runs& c) { read_within(m, c.wait, core::span{0}, longest_wait); }},
      {"lease", [](const value& m,
                   messages::claim_runs& c) { read_within(m, c.lease, shortest_lease, longest_lease); }},
      {"at_least",
       [](const value& m, messages::claim_runs& c) {
         m.read_name(c.at_least, core::priority_from, priority_names());
       }},
      {"start", [](const value& m, messages::claim_runs& c) { m.read(c.start); }},
  };
  return decode<messages::claim_runs>(body, [](const value& v, messages::claim_runs& c) {
    read_object(v, c, fields);
    if (!c.who) missing(v, "session", "the id of a registered session");
  });
}

core::result<core::cmd_start> read_start(std::string_view body) {
  static constexpr std::array<field<core::cmd_start>, 0> none{};
  return decode<core::cmd_start>(body, [](const value& v, core::cmd_start& c) {
    static const auto names = names_of(std::span<const field<proof_draft>>{proof_fields});
    proof_draft p;
    v.each_member(
        [&](std::string_view key, const value& m) {
          return read_field<proof_draft>(proof_fields, key, m, p) ||
                 read_field<core::cmd_start>(none, key, m, c);
        },
        names);
    check_proof(v, p);
    c.proof = p.proof;
  });
}

core::result<core::cmd_renew> read_heartbeat(std::string_view body) {
  static constexpr field<core::cmd_renew> fields[] = {
      {"lease",
       [](const value& m, core::cmd_renew& c) { read_within(m, c.lease, shortest_lease, longest_lease); }}};
  return decode<core::cmd_renew>(body, [](const value& v, core::cmd_renew& c) { read_proven(v, c, fields); });
}

core::result<core::cmd_progress> read_progress(std::string_view body) {
  static constexpr field<core::cmd_progress> fields[] = {
      {"value", [](const value& m, core::cmd_progress& c) { m.read(c.value, 0, 1); }},
      {"text", [](const value& m, core::cmd_progress& c) { read_reason(m, c.text); }}};
  return decode<core::cmd_progress>(body,
                                    [](const value& v, core::cmd_progress& c) { read_proven(v, c, fields); });
}

core::result<core::cmd_checkpoint> read_checkpoint(std::string_view body) {
  static constexpr field<core::cmd_checkpoint> fields[] = {
      {"checkpoint", [](const value& m, core::cmd_checkpoint& c) {
         m.read_raw(c.value);
         if (c.value.size() > largest_checkpoint) {
           m.wrong("at most " + std::to_string(largest_checkpoint) + " bytes", "it is too large");
           c.value.clear();
         }
       }}};
  return decode<core::cmd_checkpoint>(body, [](const value& v, core::cmd_checkpoint& c) {
    read_proven(v, c, fields);
    if (c.value.empty()) missing(v, "checkpoint", "any JSON value");
  });
}

core::result<core::cmd_log> read_log(std::string_view body) {
  static constexpr field<core::cmd_log> fields[] = {
      {"lines",
       [](const value& m, core::cmd_log& c) {
         const bool many = m.what() == kind::array && m.n().count > most_items;
         if (m.what() != kind::array || m.n().count < 1 || many) {
           m.wrong("a list of 1 to " + std::to_string(most_items) + " lines", "it has the wrong length",
                   many ? core::errc::too_large : core::errc::invalid);
           return;
         }
         m.each_element([&](const value& e) { read_line(e, c.lines); });
         if (c.lines.size() > most_lines)
           m.wrong("at most " + std::to_string(most_lines) + " lines, line ends within a text counted",
                   "there are too many", core::errc::too_large);
       }},
      {"first", [](const value& m, core::cmd_log& c) {
         std::int64_t n = 0;
         if (m.read_whole(n, 1, std::numeric_limits<std::int64_t>::max()))
           c.first = static_cast<std::uint64_t>(n);
       }}};
  return decode<core::cmd_log>(body, [](const value& v, core::cmd_log& c) {
    read_proven(v, c, fields);
    if (c.lines.empty()) missing(v, "lines", "a list of lines, such as [{\"text\":\"hello\"}]");
  });
}

core::result<reissue_wish> read_reissue(std::string_view body) {
  static constexpr field<reissue_wish> fields[] = {
      {"runs",
       [](const value& m, reissue_wish& w) {
         if (m.what() != kind::array || m.n().count < 1 || m.n().count > most_items) {
           m.wrong("a list of 1 to " + std::to_string(most_items) + " ids of runs; absent: all that it holds",
                   "it has the wrong length");
           return;
         }
         m.each_element([&](const value& e) {
           core::run_id id;
           if (e.read(id)) w.runs.push_back(id);
         });
       }},
      {"lease",
       [](const value& m, reissue_wish& w) { read_within(m, w.lease, shortest_lease, longest_lease); }}};
  return decode<reissue_wish>(body, [](const value& v, reissue_wish& w) { read_object(v, w, fields); });
}

core::result<heartbeats> read_heartbeats(std::string_view body) {
  static constexpr std::string_view names[] = {"items", "lease"};
  return decode<heartbeats>(body, [](const value& v, heartbeats& out) {
    core::span lease = core::cmd_renew{}.lease;
    bool given = false;
    v.each_member(
        [&](std::string_view key, const value& m) {
          if (key == "lease") read_within(m, lease, shortest_lease, longest_lease);
          if (key != "items") return key == "lease";
          given = true;
          return each_item(m, [&](const value& e, problems& own) {
            heartbeat h;
            read_heartbeat_item(e, h);
            if (own.empty())
              out.emplace_back(std::move(h));
            else
              out.emplace_back(own.refusal());
          });
        },
        names);
    if (!given) missing(v, "items", "a list of 1 to " + std::to_string(most_items) + " items");
    for (auto& one : out)
      if (one) one->how.lease = lease;
  });
}

core::result<core::cmd_settle> read_settle(std::string_view body, core::settle_kind kind) {
  core::cmd_settle start;
  start.kind = kind;
  return decode<core::cmd_settle>(
      body,
      [kind](const value& v, core::cmd_settle& s) {
        read_settle_members(
            v, s, [](std::string_view, const value&) { return false; }, settle_names(kind));
      },
      std::move(start));
}

core::result<std::vector<core::result<completion>>> read_completions(std::string_view body) {
  static constexpr std::string_view names[] = {"items"};
  using list = std::vector<core::result<completion>>;
  return decode<list>(body, [](const value& v, list& out) {
    bool given = false;
    v.each_member(
        [&](std::string_view key, const value& m) {
          if (key != "items") return false;
          given = true;
          if (m.what() == kind::array) out.reserve(std::min<std::size_t>(m.n().count, most_items));
          return each_item(m, [&](const value& e, problems& own) {
            completion c;
            read_completion(e, c);
            if (own.empty())
              out.emplace_back(std::move(c));
            else
              out.emplace_back(own.refusal());
          });
        },
        names);
    if (!given) missing(v, "items", "a list of 1 to " + std::to_string(most_items) + " items");
  });
}

}  // namespace belfry::api::json
