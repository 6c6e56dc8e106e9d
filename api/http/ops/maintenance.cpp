// MAINTENANCE: copy the store, check it, remove what is old.
#include "api/http/ops/ops.hpp"
#include "api/json/controls.hpp"

namespace belfry::api {
namespace {

using core::errc;

template <class T>
void write_figures(json::writer& w, const T& of) {
  w.member("bytes", of.bytes)
      .member("schema", of.schema)
      .member("runs", of.runs)
      .member("last_event", of.last_event);
}

void create_backup(const exchange_ptr& x) {
  auto to = json::read_backup_body(x->in.body);
  if (!to) return x->refuse(to.error());
  x->node().node.ask(messages::copy_store{std::move(*to)},
                     x->then<core::store_copy>([](const exchange_ptr& y, core::store_copy made) {
                       json::writer w{256};
                       w.begin_object().member("path", made.path);
                       write_figures(w, made);
                       w.end_object();
                       answer_json(*y, w, 201);
                     }));
}

void verify_store(const exchange_ptr& x) {
  if (const auto none = json::read_nothing(x->in.body); !none) return x->refuse(none.error());
  x->node().node.ask(
      messages::check_store{}, x->then<core::store_check>([](const exchange_ptr& y, core::store_check found) {
        json::writer w{512};
        w.begin_object().member("sound", found.problems.empty()).texts("problems", found.problems);
        write_figures(w, found);
        w.end_object();
        answer_json(*y, w);
      }));
}

void run_retention(const exchange_ptr& x) {
  const auto draft = json::read_prune_body(x->in.body);
  if (!draft) return x->refuse(draft.error());
  messages::prune_runs m{draft->keep, draft->keep_dead, draft->keep_per_job, draft->dry_run, x->actor};
  x->node().node.call(
      std::move(m),
      x->then<messages::runs_pruned>([dry = draft->dry_run](const exchange_ptr& y, messages::runs_pruned p) {
        json::writer w{p.ids.size() * 24 + 128};
        w.begin_object().member("dry_run", dry).member("runs", p.runs).member("more", p.more);
        w.key("ids").begin_array();
        for (const auto id : p.ids) w.id_value(core::run_tag::prefix, id.value);
        w.end_array().end_object();
        answer_json(*y, w);
      }));
}

}  // namespace

void add_maintenance_routes(std::vector<route>& all) {
  all.push_back({verb::post,
                 "/v1/backups",
                 "create_backup",
                 "operations",
                 "Copy the store into a new file on the machine of the node; work goes on",
                 scope::admin,
                 create_backup,
                 body_kind::json,
                 "BackupRequest",
                 {},
                 {{201, "Backup", "The copy, checked and synced"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::already_exists,
                  errc::storage_full, errc::storage_damaged},
                 false,
                 0});
  all.push_back({verb::post,
                 "/v1/store:verify",
                 "verify_store",
                 "operations",
                 "Read the whole store and check its pages and its counters",
                 scope::admin,
                 verify_store,
                 body_kind::optional_json,
                 "Nothing",
                 {},
                 {{200, "StoreCheck", "What was found"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::storage_damaged},
                 false,
                 0});
  all.push_back(
      {verb::post,
       "/v1/retention:run",
       "run_retention",
       "operations",
       "Remove up to 1,000 finished runs that are old by the policy, or by what the body says instead",
       scope::admin,
       run_retention,
       body_kind::optional_json,
       "RetentionRequest",
       {},
       {{200, "RetentionAnswer", "How many went; with dry_run which would"}},
       {errc::malformed, errc::invalid, errc::unknown_field, errc::storage_full},
       false,
       0});
}

}  // namespace belfry::api
