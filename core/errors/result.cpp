#include "core/errors/result.hpp"

#include <iterator>

namespace belfry::core {
namespace {

struct entry {
  errc code;
  bool retryable;
  std::string_view name;
  std::string_view title;
  std::string_view help;
};

// The catalogue: one row per code, in numeric order. Every surface (HTTP, CLI, MCP) maps codes by its own
// table, but words come from here alone.
constexpr entry catalogue[] = {
    {errc::internal, false, "internal", "Something went wrong inside the node",
     "The node met a state that it did not expect. Nothing was changed by this request. Look at the node's "
     "log for the "
     "time of the answer, run `belfry status`, and report what it says together with the log."},
    {errc::malformed, false, "malformed", "The request cannot be read",
     "The body is not valid JSON or not valid UTF-8, is nested too deeply, or the request line or a header "
     "is broken. "
     "Check the text that you send; the detail says at which place reading stopped."},
    {errc::invalid, false, "invalid", "A value is not allowed",
     "The request is well-formed, but at least one field has a value that is not allowed. `errors` lists "
     "every such "
     "field with what was given and what would do. Nothing was changed; correct the fields and send it "
     "again."},
    {errc::unknown_field, false, "unknown_field", "There is no such field",
     "The request has a key that belfry does not know, which is usually a typing mistake. Unknown keys are "
     "refused so "
     "that a wish is never silently ignored. `errors` names the key and the nearest known one."},
    {errc::too_large, false, "too_large", "The request is too large",
     "The body, the payload, the metadata or the number of items is above its limit; the detail names the "
     "limit. "
     "Keep large data elsewhere and pass a reference in the payload, or send the items in several requests."},
    {errc::not_found, false, "not_found", "There is no such thing",
     "Nothing with this id or name exists, or retention has removed it, or it belongs to a workspace that "
     "you may not "
     "see. List what there is, for example with `belfry run list` or `belfry job list`."},
    {errc::ambiguous, false, "ambiguous", "The name fits more than one",
     "A name or a prefix of an id fits several things; the detail lists them. Use the whole id, or more of "
     "it."},
    {errc::already_exists, false, "already_exists", "It exists already",
     "Another one has this name or id. Choose another name, or change the one that exists."},
    {errc::invalid_transition, false, "invalid_transition", "The state does not allow this",
     "The run, job or session is in a state in which this cannot be done; the detail names the state and "
     "what is "
     "possible. docs/life-cycle.md has the whole table. Look at it first: `belfry run show ID`."},
    {errc::stale_lease, false, "stale_lease", "The lease is no longer yours",
     "The token or the fencing number is an old one, or the lease has expired, so this write changed "
     "nothing. It was "
     "kept as evidence on the attempt. Stop the work: another worker may have it. Then claim again. If it "
     "happens "
     "often, send heartbeats more often or ask for a longer lease."},
    {errc::conflict, false, "conflict", "Something else was recorded meanwhile",
     "Another result was already recorded for this attempt, or the thing was changed since you read it. What "
     "is "
     "recorded stays. Read it again and decide whether there is still something to do."},
    {errc::idempotency_mismatch, false, "idempotency_mismatch",
     "The idempotency key was used for other content",
     "A request with this Idempotency-Key but different content was answered before. Use a new key for new "
     "content; "
     "use the same key only to repeat the very same request."},
    {errc::idempotency_in_progress, true, "idempotency_in_progress", "The first request is still under way",
     "A request with this Idempotency-Key is being worked on. Wait a moment and send the same request again: "
     "it will "
     "get the answer of the first one."},
    {errc::overloaded, true, "overloaded", "The node has too much to do",
     "A bounded queue is full. Nothing was changed, and it is safe to send the same request again after the "
     "time in "
     "Retry-After. If it goes on, look at `belfry scheduler status` for what is waiting."},
    {errc::unavailable, true, "unavailable", "The node cannot do this at present",
     "The node is starting or stopping, or its store refuses writes. Running work goes on. Nothing was "
     "changed; send "
     "the same request again later. `belfry status` says what is the matter."},
    {errc::storage_full, true, "storage_full", "There is no room on the disk",
     "The store cannot write because the disk or its quota is full. Nothing was changed. Make room, for "
     "example with "
     "`belfry retention run`; the node takes up its work again by itself."},
    {errc::storage_damaged, false, "storage_damaged", "The store is damaged",
     "The store failed an integrity check and nothing is written to it any more. Stop the node, keep a copy "
     "of the "
     "file, run `belfry store verify`, and restore the latest backup if it cannot be repaired."},
    {errc::schema_newer, false, "schema_newer", "The store was written by a newer belfry",
     "The schema version in the store is higher than this program knows, so it does not touch it. Use the "
     "newer "
     "program, or restore a backup that was made before the update."},
    {errc::store_held, true, "store_held", "Another process has the store open",
     "Only one node may use a store file. The detail says which process holds it. Stop that node, or give "
     "this one "
     "another store with --store."},
    {errc::unauthorised, false, "unauthorised", "Credentials are missing or wrong",
     "The request carries no token, or one that is unknown or has expired. `belfry access create` makes an "
     "access token, BELFRY_ACCESS_TOKEN shows it. A worker that the node has started shows BELFRY_TOKEN."},
    {errc::forbidden, false, "forbidden", "You may not do this",
     "The token is known but its role or workspace does not cover this operation. Roles are read, work, "
     "operate and "
     "admin, each including the one before. Ask whoever runs the node for a token with the role that the "
     "detail names."},
    {errc::method_not_allowed, false, "method_not_allowed", "The address does not know this method",
     "The address exists, but not with this HTTP method. The Allow header lists the methods that it has."},
    {errc::unsupported_media, false, "unsupported_media", "The content type is not supported",
     "Bodies must be JSON: send the header Content-Type: application/json."},
    {errc::timed_out, true, "timed_out", "It took too long",
     "The answer was not there in time. It is unknown whether the change was made: repeat the request with "
     "the same "
     "Idempotency-Key, or look first."},
    {errc::aborted, true, "aborted", "The request was cut off inside the node",
     "A part of the node ended while it had your request, and was started again. It is unknown whether the "
     "change was "
     "made: repeat the request with the same Idempotency-Key, or look first."},
    {errc::lease_held, true, "lease_held", "Somebody holds the lease",
     "A worker has this run at present, so it cannot be changed from outside. Wait until the attempt has "
     "ended, or "
     "ask the worker to stop with `belfry run cancel ID`."},
    {errc::unknown_handler, false, "unknown_handler", "There is no such handler",
     "The handler kind, or the function that it names, is not known to this node. `belfry handler list` "
     "shows what "
     "there is."},
    {errc::limit_exceeded, false, "limit_exceeded", "A limit is reached",
     "The request would go over a fixed limit; the detail names the limit and its value. Change the request, "
     "or have "
     "the limit raised in the configuration where it can be."},
    {errc::confirmation_required, false, "confirmation_required", "This needs to be confirmed",
     "The operation takes away many things at once and cannot be undone. Look at what it would do with "
     "--dry-run, "
     "then say it again with --yes (in HTTP: \"confirm\": true)."},
    {errc::precondition_failed, false, "precondition_failed", "It has changed since you looked",
     "The revision or state that you expected is not the present one, so nothing was changed. Read it again "
     "and "
     "repeat the change on what you find."},
    {errc::paused, true, "paused", "It is held by a pause",
     "A pause of the scheduler, the workspace, the job or the agent type holds it. Nothing was changed. "
     "`belfry "
     "scheduler pauses` shows who paused what, since when, and the command that lifts it."},
    {errc::rate_limited, true, "rate_limited", "Too often in too short a time",
     "An agent may use operator actions on one run only so often a minute, so that a program that goes in "
     "circles does no harm. Nothing was changed. Retry-After says when the next one is allowed; "
     "operator.agents_per_minute is the setting."},
};

const entry& entry_of(errc e) {
  for (const auto& row : catalogue)
    if (row.code == e) return row;
  return catalogue[0];  // a number from a newer node: at least it is known that something went wrong
}

}  // namespace

std::string_view code_of(errc e) { return entry_of(e).name; }
std::string_view title_of(errc e) { return entry_of(e).title; }
std::string_view help_of(errc e) { return entry_of(e).help; }
bool retryable(errc e) { return entry_of(e).retryable; }

std::optional<errc> errc_from(std::string_view code) {
  for (const auto& row : catalogue)
    if (row.name == code) return row.code;
  return std::nullopt;
}

const std::vector<errc>& all_errcs() {
  static const std::vector<errc> all = [] {
    std::vector<errc> codes;
    codes.reserve(std::size(catalogue));
    for (const auto& row : catalogue) codes.push_back(row.code);
    return codes;
  }();
  return all;
}

}  // namespace belfry::core
