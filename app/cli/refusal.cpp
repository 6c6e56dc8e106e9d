#include "app/cli/refusal.hpp"

namespace belfry::app {

exit_code exit_code_of(core::errc e) {
  using core::errc;
  switch (e) {
    case errc::internal:
    case errc::storage_damaged: return exit_code::unexpected;
    case errc::malformed:
    case errc::invalid:
    case errc::unknown_field:
    case errc::too_large:
    case errc::ambiguous:
    case errc::method_not_allowed:
    case errc::unsupported_media:
    case errc::unknown_handler:
    case errc::limit_exceeded:
    case errc::confirmation_required:
    case errc::schema_newer: return exit_code::usage;
    case errc::unauthorised:
    case errc::forbidden: return exit_code::permission;
    case errc::not_found: return exit_code::not_found;
    case errc::already_exists:
    case errc::invalid_transition:
    case errc::stale_lease:
    case errc::conflict:
    case errc::idempotency_mismatch:
    case errc::lease_held:
    case errc::precondition_failed: return exit_code::conflict;
    case errc::idempotency_in_progress:
    case errc::rate_limited:
    case errc::overloaded:
    case errc::unavailable:
    case errc::storage_full:
    case errc::store_held:
    case errc::timed_out:
    case errc::aborted:
    case errc::paused: return exit_code::try_later;
  }
  return exit_code::unexpected;  // a code of a newer node
}

std::string problem_line(const core::field_problem& p) {
  std::string line = p.pointer;
  if (!p.detail.empty()) line += (line.empty() ? "" : ": ") + p.detail;
  if (!p.value.empty()) line += " (given " + p.value + (p.allowed.empty() ? ")" : "");
  if (!p.allowed.empty()) line += (p.value.empty() ? " (" : "; ") + ("allowed: " + p.allowed) + ")";
  return line;
}

refusal::refusal(const core::failure& f)
    : std::runtime_error(f.text.empty() ? std::string(core::title_of(f.code)) : f.text),
      exit(exit_code_of(f.code)),
      todo(f.command),
      catalogue_code(core::code_of(f.code)) {
  for (const auto& p : f.problems) why.push_back(problem_line(p));
}

}  // namespace belfry::app
