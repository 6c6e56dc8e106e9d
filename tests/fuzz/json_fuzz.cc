// FUZZ: every decoder of a body and the request line, on the same bytes. Build: see CMakeLists.txt beside it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "api/http/target.hpp"
#include "api/json/controls.hpp"
#include "api/json/filters.hpp"
#include "api/json/jobs.hpp"
#include "api/json/leases.hpp"
#include "api/json/sessions.hpp"
#include "api/json/submissions.hpp"
#include "core/text/utf8.hpp"

using namespace belfry;

namespace {

constexpr core::instant now = core::from_micros(1'795'255'200'000'000);

void must(bool good) {
  if (!good) std::abort();
}

// What is taken stays what it is: a definition that was read is written and read again as the same.
void job_there_and_back(std::string_view text) {
  const auto job = api::json::read_job(text, {});
  if (!job) return;
  api::json::writer w;
  api::json::write_definition(w, job->definition);
  const auto again = api::json::read_job(w.str(), {});
  must(again.ok() && again->definition == job->definition);
}

void compact_is_stable(std::string_view text) {
  const auto d = api::json::document::parse(text);
  if (!d) return;
  std::string once;
  api::json::append_compact(once, d->raw(0));
  must(api::json::document::parse(once).ok());
  std::string twice;
  api::json::append_compact(twice, once);
  must(once == twice);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  compact_is_stable(text);
  job_there_and_back(text);
  if (const auto run = api::json::read_submission(text, now)) must(core::valid_utf8(run->spec->payload));
  (void)api::json::read_batch(text, now);
  (void)api::json::read_job_patch(text, core::job_definition{});
  (void)api::json::read_import_line(text);
  (void)api::json::read_trigger(text);
  (void)api::json::read_session(text);
  (void)api::json::read_claim(text);
  (void)api::json::read_reissue(text);
  (void)api::json::read_log(text);
  (void)api::json::read_heartbeats(text);
  (void)api::json::read_progress(text);
  (void)api::json::read_settle(text, core::settle_kind::failed);
  (void)api::json::read_completions(text);
  (void)api::json::read_bulk(text, api::json::bulk_verb::cancel);
  (void)api::json::read_limits_body(text);
  (void)api::parse_target(text);
  return 0;
}
