// From a read request to its handler: everything that all operations share.
#include <algorithm>

#include "api/http/door.hpp"
#include "api/http/engine.hpp"
#include "api/http/guard.hpp"
#include "api/http/ops/ops.hpp"
#include "api/http/problem.hpp"
#include "api/json/nearest.hpp"
#include "core/text/word.hpp"
#include "platform/ports/clock.hpp"

namespace belfry::api {
namespace {

using core::errc;

constexpr std::size_t longest_actor = 100;
constexpr std::size_t longest_request_id = 128;
constexpr std::size_t longest_key = 200;

std::string allow_list(const std::vector<verb>& allowed) {
  std::string out = "OPTIONS";
  for (const auto v : allowed) {
    ((out += ", ") += to_text(v));
    if (v == verb::get) out += ", HEAD";
  }
  return out;
}

bool refuse_route(exchange& x, std::string_view path, const match& m) {
  if (m.found != nullptr) return false;
  if (m.allowed.empty()) {
    auto f = fail_with(errc::not_found, "there is no " + std::string{path.substr(0, 200)} + " here");
    if (const auto near = x.node().paths.nearest(path); !near.empty())
      f.text += "; did you mean " + near + "?";
    f.command = "GET /v1/openapi.json lists every operation";
    x.refuse(f);
    return true;
  }
  if (x.in.method == verb::options) {
    response r;
    r.status = 204;
    r.headers.emplace_back("Allow", allow_list(m.allowed));
    x.answer(std::move(r));
    return true;
  }
  x.refuse(fail_with(errc::method_not_allowed,
                     std::string{path.substr(0, 200)} + " knows " + allow_list(m.allowed)),
           405, {{"Allow", allow_list(m.allowed)}});
  return true;
}

void check_parameters(const exchange& x, const route& r, std::vector<core::field_problem>& found) {
  std::vector<std::string_view> names;
  for (const auto& p : r.parameters) names.push_back(p.name);
  for (std::size_t i = 0; i < x.parameters.size(); ++i) {
    const auto& name = x.parameters[i].first;
    const auto known = std::find_if(r.parameters.begin(), r.parameters.end(),
                                    [&](const parameter& p) { return p.name == name; });
    const auto pointer = "?" + name.substr(0, 60);
    if (known == r.parameters.end()) {
      std::string detail = "there is no such query parameter";
      if (const auto near = json::nearest(name, names); !near.empty())
        detail += "; did you mean " + std::string{near} + "?";
      found.push_back({pointer, name.substr(0, 60),
                       names.empty() ? "no query parameters" : json::one_of(names), std::move(detail)});
    } else if (known->type != parameter_type::texts) {
      for (std::size_t k = 0; k < i; ++k)
        if (x.parameters[k].first == name)
          found.push_back({pointer, x.parameters[i].second.substr(0, 60), "once", "it is given twice"});
    }
  }
}

bool refuse_parameters(exchange& x, const route& r) {
  if (x.parameters.empty()) return false;
  core::failure f{errc::invalid, {}, {}, {}};
  check_parameters(x, r, f.problems);
  if (f.problems.empty()) return false;
  const bool unknown =
      std::all_of(f.problems.begin(), f.problems.end(), [](const auto& p) { return p.allowed != "once"; });
  if (unknown) f.code = errc::unknown_field;
  f.text = f.problems.front().pointer + ": " + f.problems.front().detail;
  x.refuse(f);
  return true;
}

bool unauthorised(exchange& x, std::string text) {
  x.refuse(fail_with(errc::unauthorised, std::move(text), "belfry access create NAME --role ROLE"), 401,
           {{"WWW-Authenticate", "Bearer realm=\"belfry\""}});
  return true;
}

// A worker proves itself by the token of its session or of its lease, which the node checks where it is used.
bool proves_itself(const exchange& x, const route& r) {
  return r.lease_token || (r.session_token && !x.in.session_token.empty());
}

bool refuse_visitor(exchange& x, const route& r) {
  if (r.needs == scope::open) return false;
  std::optional<core::token_hash> shown;
  if (!x.in.authorization.empty()) {
    constexpr std::string_view scheme = "bearer ";
    std::string_view given = x.in.authorization;
    std::string word{given.substr(0, scheme.size())};
    core::lower_ascii(word);
    if (word != scheme)
      return unauthorised(x, "the header Authorization must be \"Bearer\" and an access token");
    given.remove_prefix(scheme.size());
    shown = platform::sha256(given.substr(std::min(given.find_first_not_of(' '), given.size())));
  }
  const auto who = core::admit(x.node().options.access, x.in.unix_socket, shown ? &*shown : nullptr);
  if (!who) return unauthorised(x, "this access token is not known here");
  x.token = who->token;
  if (static_cast<std::uint8_t>(who->may) >= static_cast<std::uint8_t>(r.needs) || proves_itself(x, r))
    return false;
  const auto needed = std::string{r.operation} + " needs the role " + std::string{to_text(r.needs)};
  if (!who->token.empty()) {
    x.refuse(fail_with(errc::forbidden, needed + "; the access token \"" + std::string{who->token} +
                                            "\" has the role " + std::string{core::to_text(who->may)}));
    return true;
  }
  return unauthorised(
      x, needed + "; without an access token " +
             (who->may == core::role::none ? std::string{"nothing is allowed here"}
                                           : "the role here is " + std::string{core::to_text(who->may)}) +
             ", besides over the unix socket of the node");
}

// Who acts, for the journal. A session's id stays what it is: the rules for agents go by it.
std::string acting(const exchange& x) {
  if (x.in.actor.empty()) return x.token.empty() ? "http" : std::string{x.token};
  if (x.token.empty() || core::parse_id<core::session_id>(x.in.actor)) return x.in.actor;
  const auto both = std::string{x.token} + "/" + x.in.actor;
  return both.size() <= longest_actor ? both : std::string{x.token};
}

bool refuse_headers(exchange& x, const route& r) {
  const auto bad = [&x](std::string name, std::string allowed) {
    core::failure f{errc::invalid, "the header " + name + " cannot be taken", {}, {}};
    f.problems.push_back({"header:" + name, "", std::move(allowed),
                          "it is empty, too long, or has characters that are not allowed"});
    x.refuse(f);
    return true;
  };
  if (!x.in.actor.empty() && !plain_word(x.in.actor, longest_actor))
    return bad("X-Belfry-Actor", "1 to 100 printable ASCII characters without spaces");
  x.actor = acting(x);
  if (!x.in.idempotency_key.empty() && r.once && !plain_word(x.in.idempotency_key, longest_key))
    return bad("Idempotency-Key", "1 to 200 printable ASCII characters without spaces");
  return false;
}

bool refuse_body(exchange& x, const route& r) {
  if (x.in.body.empty()) return false;
  const auto type = media_type(x.in.content_type);
  const bool known = type == json_type ||
                     (x.in.method == verb::patch && type == "application/merge-patch+json") ||
                     (r.body == body_kind::lines && (type == lines_type || type == "application/jsonl"));
  if (r.body == body_kind::none || known) return false;
  x.refuse(fail_with(
      errc::unsupported_media,
      "the content type is " +
          (type.empty() ? std::string{"not given"} : "\"" + std::string{type.substr(0, 80)} + "\"") +
          "; it must be " + std::string{r.body == body_kind::lines ? lines_type : json_type}));
  return true;
}

bool refuse_load(exchange& x) {
  const auto& d = x.node();
  if (d.stopping.load(std::memory_order_relaxed)) {
    x.close = true;
    x.refuse(fail_with(errc::unavailable, "the node is stopping"));
    return true;
  }
  if (d.requests.load(std::memory_order_relaxed) <= d.options.limits.requests) return false;
  x.refuse(fail_with(errc::overloaded,
                     "more than " + std::to_string(d.options.limits.requests) + " requests are under way"));
  return true;
}

}  // namespace

std::string request_id_for(const exchange& x) {
  if (plain_word(x.in.request_id, longest_request_id)) return x.in.request_id;
  return core::id_text("req_", static_cast<std::int64_t>(x.node().chance->bits() >> 1U));
}

void dispatch(const std::shared_ptr<exchange>& x) {
  x->request_id = request_id_for(*x);
  try {
    if (refuse_load(*x)) return;
    if (const auto why = foreign(x->in, x->node().options.allowed_hosts); !why.empty())
      return x->refuse(
          fail_with(errc::forbidden, std::string{why} + "; this listener serves the machine it runs on"));
    auto target = parse_target(x->in.target);
    if (!target) return x->refuse(target.error());
    auto m = x->node().paths.find(x->in.method, target->path);
    const auto& elsewhere = x->node().elsewhere;
    const auto own = elsewhere && m.found != nullptr ? handler_of_member(*m.found) : nullptr;
    // Its coordinator may be of another version, and know other paths.
    if (elsewhere && own == nullptr && x->in.method != verb::other && x->in.method != verb::options)
      return elsewhere->take(x);
    x->parameters = std::move(target->parameters);
    if (refuse_route(*x, target->path, m)) return;
    x->at = m.found;
    x->arguments = std::move(m.arguments);
    if (refuse_visitor(*x, *m.found)) return;
    if (refuse_parameters(*x, *m.found) || refuse_headers(*x, *m.found) || refuse_body(*x, *m.found)) return;
    (own != nullptr ? own : m.found->handle)(x);
  } catch (const std::exception& e) {
    x->refuse(fail_with(errc::internal, e.what()));
  }
}

}  // namespace belfry::api
