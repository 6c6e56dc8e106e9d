// HANDLERS: which kinds of work a submission can name.
#include "core/run/handlers.hpp"
#include "api/http/ops/ops.hpp"
#include "core/run/spec.hpp"

namespace belfry::api {
namespace {

using core::errc;

// The defaults are those of the spec itself.
void write_handler(json::writer& w, const core::handler_facts& h) {
  const core::run_spec usual;
  w.begin_object().member("kind", h.name).member("description", h.description);
  w.member("performed_by", h.performed_by).member("default", h.usual);
  w.key("defaults").begin_object();
  w.milliseconds("timeout_ms", usual.timeout).milliseconds("grace_ms", usual.grace);
  w.member("max_attempts", usual.retry.max_attempts).member("max_losses", usual.retry.max_losses);
  w.end_object().end_object();
}

void list_handlers(const exchange_ptr& x) {
  json::writer w{512};
  w.begin_object().key("handlers").begin_array();
  for (const auto& h : core::all_handlers()) write_handler(w, h);
  w.end_array().end_object();
  answer_json(*x, w);
}

void get_handler(const exchange_ptr& x) {
  const auto* h = core::find_handler(x->arguments.front());
  if (h == nullptr)
    return x->refuse(
        fail_with(errc::unknown_handler,
                  "there is no handler of the kind \"" + x->arguments.front().substr(0, 100) + "\"",
                  "belfry handler list"));
  json::writer w{512};
  write_handler(w, *h);
  answer_json(*x, w);
}

}  // namespace

void add_handler_routes(std::vector<route>& all) {
  all.push_back({verb::get,
                 "/v1/handlers",
                 "list_handlers",
                 "handlers",
                 "The kinds of work that a submission can name",
                 scope::read,
                 list_handlers,
                 body_kind::none,
                 {},
                 {},
                 {{200, "HandlerList", "All of them"}},
                 {},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/handlers/{kind}",
                 "get_handler",
                 "handlers",
                 "One kind of work, with its defaults",
                 scope::read,
                 get_handler,
                 body_kind::none,
                 {},
                 {},
                 {{200, "HandlerFacts", "The kind"}},
                 {errc::unknown_handler},
                 false,
                 0});
}

}  // namespace belfry::api
