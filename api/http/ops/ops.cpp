#include "api/http/ops/ops.hpp"

#include <array>
#include <charconv>

#include "core/text/utf8.hpp"
#include "platform/ports/clock.hpp"

namespace belfry::api {
namespace {

constexpr std::size_t most_rows = 500;
constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string base64url(std::string_view bytes) {
  std::string out;
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char c : bytes) {
    held = held << 8U | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out += digits[held >> (bits - 6) & 63U];
  }
  if (bits > 0) out += digits[held << (6 - bits) & 63U];
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string out;
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const auto v = digits.find(c);
    if (v == std::string_view::npos) return std::nullopt;
    held = held << 6U | static_cast<std::uint32_t>(v);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(static_cast<unsigned char>(held >> bits & 255U));
    }
  }
  return out;
}

}  // namespace

const std::vector<route>& routes() {
  static const auto all = [] {
    std::vector<route> r;
    add_document_routes(r);
    add_submit_routes(r);
    add_run_routes(r);
    add_explain_routes(r);
    add_control_routes(r);
    add_bulk_routes(r);
    add_log_routes(r);
    add_batch_routes(r);
    add_job_routes(r);
    add_job_control_routes(r);
    add_schedule_routes(r);
    add_timing_routes(r);
    add_calendar_routes(r);
    add_session_routes(r);
    add_wake_routes(r);
    add_lease_routes(r);
    add_event_routes(r);
    add_scheduler_routes(r);
    add_pause_routes(r);
    add_throttle_routes(r);
    add_cycle_routes(r);
    add_node_routes(r);
    add_cluster_routes(r);
    add_doctor_routes(r);
    add_transfer_routes(r);
    add_maintenance_routes(r);
    add_handler_routes(r);
    add_agent_type_routes(r);
    return r;
  }();
  return all;
}

header_list made_headers(std::string location, bool replayed) {
  header_list headers;
  if (!location.empty()) headers.emplace_back("Location", std::move(location));
  if (replayed) headers.emplace_back("Idempotency-Replayed", "true");
  return headers;
}

namespace {

// Old names in a query that are taken still, each with the one to use.
std::string old_names(const exchange& x) {
  std::string out;
  const auto add = [&out](std::string_view name, std::string_view word, std::string_view use) {
    if (word == use) return;
    out +=
        (out.empty() ? "" : ", ") + std::string{name} + "=" + std::string{word} + ": use " + std::string{use};
  };
  for (const auto& [name, value] : x.parameters) {
    if (name == "priority")
      if (const auto p = core::priority_from(value)) add(name, value, core::to_text(*p));
    if (name != "state") continue;
    for (std::string_view rest = value;;) {
      const auto comma = rest.find(',');
      const auto word = rest.substr(0, comma);
      if (const auto s = core::run_state_from(word)) add(name, word, core::to_text(*s));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return out;
}

}  // namespace

void answer_json(exchange& x, json::writer& w, unsigned status, header_list headers) {
  if (auto old = old_names(x); !old.empty()) headers.emplace_back("Belfry-Deprecated", std::move(old));
  response r;
  r.status = status;
  r.body = w.take();
  r.headers = std::move(headers);
  x.answer(std::move(r));
}

core::failure fail_with(core::errc e, std::string text, std::string command) {
  return {e, std::move(text), {}, std::move(command)};
}

core::failure bad_parameter(std::string_view name, std::string_view value, std::string allowed,
                            std::string detail) {
  json::problems found;
  found.add({"?" + std::string{name}, core::shown(value, 80), std::move(allowed), std::move(detail)});
  return found.refusal();
}

std::optional<core::failure> look_at(const exchange& x, core::run_spec& spec, const std::string& base) {
  if (spec.unchecked) {
    if (spec.unchecked.by == core::whoever_asks) spec.unchecked.by = x.actor;
    return std::nullopt;
  }
  auto* check = x.node().options.start_check;
  if (check == nullptr) return std::nullopt;
  static const core::session executor = [] {
    core::session s;
    s.agent_type = "process";
    s.handlers = {core::handler_kind::process};
    s.local = true;
    return s;
  }();
  std::vector<core::field_problem> found;
  if (core::may_take(executor, spec.needs, spec.handler))
    found = check->problems(spec.process, base + "/handler");
  if (core::given(spec.hook))
    for (auto& p : check->problems(spec.hook, base + "/on_end")) found.push_back(std::move(p));
  if (core::given(spec.condition) && spec.handler == core::handler_kind::process) {
    // In the directory of the process, with its environment.
    auto asked = spec.process;
    asked.argv = spec.condition.argv;
    asked.shell = spec.condition.shell;
    for (auto& p : check->problems(asked, base + "/condition"))
      if (!p.pointer.ends_with("/cwd")) found.push_back(std::move(p));
  }
  if (found.empty()) return std::nullopt;
  return core::failure{core::errc::invalid,
                       "this node could not start it; with \"skip_checks\": true it is taken as it is",
                       std::move(found), "belfry submit --skip-checks -- COMMAND…"};
}

std::optional<messages::once_key> once_of(const exchange& x, std::string_view suffix) {
  if (x.in.idempotency_key.empty()) return std::nullopt;
  std::string bound{to_text(x.in.method)};
  bound += ' ';
  bound += std::string_view{x.in.target}.substr(0, x.in.target.find('?'));
  bound += '\n';
  bound += x.in.body;
  return messages::once_key{x.in.idempotency_key + std::string{suffix}, platform::sha256(bound)};
}

std::optional<core::token_hash> shown_token(const exchange& x) {
  if (x.in.session_token.empty()) return std::nullopt;
  return platform::sha256(x.in.session_token);
}

bool flag_parameter(const exchange& x, std::string_view name, json::problems& found) {
  const auto text = x.parameter(name);
  if (text == "true" || (text.empty() && x.has_parameter(name))) return true;
  if (!text.empty() && text != "false")
    found.add({"?" + std::string{name}, core::shown(text, 80), "true or false", "it is neither"});
  return false;
}

std::int64_t whole_parameter(const exchange& x, std::string_view name, std::int64_t usual, std::int64_t least,
                             std::int64_t most, json::problems& found) {
  if (!x.has_parameter(name)) return usual;
  const auto text = x.parameter(name);
  std::int64_t v = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), v);
  if (r.ec == std::errc{} && r.ptr == text.data() + text.size() && v >= least && v <= most) return v;
  found.add({"?" + std::string{name}, core::shown(text, 80),
             std::to_string(least) + " to " + std::to_string(most),
             r.ec == std::errc::invalid_argument ? "it is not a whole number" : "it is out of range"});
  return usual;
}

const std::vector<parameter>& filter_parameters() {
  static const std::vector<parameter> all{
      {"state", parameter_type::texts,
       "runs in these states; repeated or separated by commas; pending (queued) and completed (succeeded) "
       "are old "
       "names, taken still and told in the header Belfry-Deprecated"},
      {"job", parameter_type::text, "id or name of a job"},
      {"batch", parameter_type::text, "id of a batch"},
      {"workspace", parameter_type::text, "of this workspace"},
      {"lane", parameter_type::text, "of this lane"},
      {"priority", parameter_type::text,
       "urgent, high, normal or low; critical (urgent) and medium (normal) are old names"},
      {"session", parameter_type::text, "held by this session"},
      {"tag", parameter_type::texts, "with all of these tags; repeated"},
      {"tag_any", parameter_type::texts, "with any of these tags; repeated"},
      {"q", parameter_type::text, "with this text in the name"},
      {"created_from", parameter_type::instant, "created at this time or later"},
      {"created_to", parameter_type::instant, "created before this time"},
      {"ended_from", parameter_type::instant, "ended at this time or later"},
      {"ended_to", parameter_type::instant, "ended before this time"},
      {"dead", parameter_type::boolean, "only dead letters: ended badly, neither redriven nor discarded"},
  };
  return all;
}

std::vector<parameter> list_parameters() {
  auto all = filter_parameters();
  all.push_back({"sort", parameter_type::text, "newest (default) or oldest first"});
  all.push_back({"limit", parameter_type::whole, "rows of a page, 1 to 500; default 50"});
  all.push_back({"cursor", parameter_type::text, "next_cursor of the page before"});
  return all;
}

std::uint32_t hash_of(std::string_view text) {
  std::uint32_t h = 2166136261U;  // FNV-1a
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 16777619U;
  return h;
}

std::string cursor_text(std::int64_t after, std::uint32_t bound_to) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes += static_cast<char>(
        static_cast<unsigned char>(static_cast<std::uint64_t>(after) >> static_cast<unsigned>(shift) & 255U));
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes += static_cast<char>(static_cast<unsigned char>(bound_to >> static_cast<unsigned>(shift) & 255U));
  return base64url(bytes);
}

void write_cursor(json::writer& w, std::int64_t after, std::uint32_t bound_to) {
  w.member_or_null("next_cursor", after == 0 ? std::string{} : cursor_text(after, bound_to));
}

std::int64_t read_cursor(const exchange& x, std::uint32_t bound_to, json::problems& found) {
  constexpr std::size_t length = 12;
  if (!x.has_parameter("cursor")) return 0;
  const auto text = x.parameter("cursor");
  const auto bytes = text.size() == 16 ? from_base64url(text) : std::nullopt;
  const auto refuse = [&](std::string why) {
    found.add({"?cursor", core::shown(text, 40), "next_cursor of the page before", std::move(why)});
    return std::int64_t{0};
  };
  if (!bytes || bytes->size() != length) return refuse("it is not a cursor");
  std::uint64_t after = 0;
  for (std::size_t i = 0; i < 8; ++i) after = after << 8U | static_cast<unsigned char>((*bytes)[i]);
  std::uint32_t bound = 0;
  for (std::size_t i = 8; i < length; ++i) bound = bound << 8U | static_cast<unsigned char>((*bytes)[i]);
  if (bound != bound_to || after == 0 || after > static_cast<std::uint64_t>(INT64_MAX))
    return refuse("it belongs to a list with other filters or another order");
  return static_cast<std::int64_t>(after);
}

core::result<list_request> read_list(const exchange& x) {
  list_request out;
  json::problems found;
  std::string bound{x.at->operation};
  for (const auto& argument : x.arguments) bound += '\n' + argument;
  for (const auto& [name, value] : x.parameters) {
    if (name == "limit" || name == "cursor") continue;
    bound += '\n' + name + '=' + value;
    if (name == "sort") {
      if (value == "oldest")
        out.page.sort = core::run_sort::oldest;
      else if (value != "newest")
        found.add({"?sort", core::shown(value, 40), "newest or oldest", "there is no such order"});
    } else {
      json::read_filter_text(name, value, out.filter, found);
    }
  }
  out.bound_to = hash_of(bound);
  out.page.limit = static_cast<std::size_t>(whole_parameter(x, "limit", 50, 1, most_rows, found));
  out.page.after = read_cursor(x, out.bound_to, found);
  if (!found.empty()) return found.refusal();
  return out;
}

}  // namespace belfry::api
