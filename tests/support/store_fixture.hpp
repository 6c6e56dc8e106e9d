// STORE FIXTURE of the conformance suite: a store of some kind, a clock that is told, and short words for
// what tests do.
#pragma once

#include <catch2/catch.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/contract/store.hpp"
#include "tests/support/store_kinds.hpp"

// Tests name the fields that they are about; g++ 12 warns of the others even with designated initialisers.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace belfry::tests::stores {

using namespace std::chrono_literals;
namespace st = belfry::storage;

inline constexpr core::instant start = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 10h;

inline core::run_spec a_spec(const std::string& name = "work") {
  core::run_spec s;
  s.name = name;
  s.handler = core::handler_kind::none;
  s.payload = "{\"n\":1}";
  return s;
}

inline core::submission a_submission(core::run_spec spec = a_spec()) {
  core::submission s;
  s.spec = std::make_shared<const core::run_spec>(std::move(spec));
  return s;
}

inline core::token_hash hash_of(std::uint8_t seed) {
  core::token_hash h;
  h.fill(seed);
  return h;
}

inline core::job_definition a_job(const std::string& name = "nightly") {
  core::job_definition d;
  d.name = name;
  d.spec = a_spec(name);
  d.source = "api";
  return d;
}

template <class Kind>
class fixture {
 public:
  fixture() { reopen(); }

  // What a restart sees: everything committed, nothing else.
  void reopen() {
    reader_.reset();
    store_.reset();
    auto opened = kind_.open(now);
    REQUIRE(opened.ok());
    store_ = std::move(*opened);
    reader_ = store_->open_reader();
  }

  st::store& store() { return *store_; }
  st::reader& read() { return *reader_; }

  st::change_set set(std::vector<st::change> changes) {
    st::change_set s;
    s.now = now;
    s.actor = "tester";
    s.changes = std::move(changes);
    return s;
  }
  core::result<st::receipt> apply(st::change c) { return store_->apply(set({std::move(c)})); }
  void commit() {
    const auto done = store_->commit();
    INFO((done.ok() ? std::string{} : done.error().text));
    REQUIRE(done.ok());
  }

  // Applied, allowed and committed.
  st::receipt does(std::vector<st::change> changes) {
    auto answer = store_->apply(set(std::move(changes)));
    INFO((answer.ok() ? std::string{} : answer.error().text));
    REQUIRE(answer.ok());
    commit();
    return std::move(*answer);
  }
  st::receipt does(st::change c) { return does(std::vector<st::change>{std::move(c)}); }
  core::failure refuses(st::change c) {
    auto answer = apply(std::move(c));
    REQUIRE(!answer.ok());
    commit();
    return answer.error();
  }

  core::run submit(core::run_spec spec = a_spec()) {
    auto made = does(st::insert_runs{{a_submission(std::move(spec))}});
    REQUIRE(made.runs.size() == 1);
    return made.runs.front();
  }
  core::run_head step(core::run_id id, core::run_command c) {
    return does(st::step_run{id, std::move(c)}).runs.at(0).head;
  }
  core::run_head claim(core::run_id id, core::session_id by = core::session_id{77}) {
    return step(id, core::cmd_claim{by, hash_of(7), 5min, true});
  }
  static core::lease_proof proof_of(const core::run_head& h) { return {h.fencing, h.held.hash}; }
  static core::cmd_settle settle(const core::run_head& h,
                                 core::settle_kind kind = core::settle_kind::succeeded) {
    core::cmd_settle c;
    c.proof = proof_of(h);
    c.kind = kind;
    c.result = "{\"ok\":true}";
    return c;
  }
  core::run_head finish(core::run_id id, core::settle_kind kind = core::settle_kind::succeeded,
                        core::failure_class klass = core::failure_class::none) {
    auto how = settle(claim(id), kind);
    how.klass = klass;
    return step(id, how);
  }
  core::run_head fail_for_good(core::run_id id) {
    return finish(id, core::settle_kind::failed, core::failure_class::permanent);
  }

  core::run_head head(core::run_id id) {
    auto found = reader_->find_run(id);
    REQUIRE(found.ok());
    return found->head;
  }
  std::vector<core::event> events() {
    auto page = reader_->events_after(0, 100'000, {});
    REQUIRE(page.ok());
    return std::move(page->events);
  }
  std::vector<core::event_kind> kinds_after(std::int64_t seq) {
    std::vector<core::event_kind> kinds;
    for (const auto& e : events())
      if (e.seq > seq) kinds.push_back(e.kind);
    return kinds;
  }
  std::vector<core::run_id> listed(const core::run_filter& filter,
                                   core::run_sort sort = core::run_sort::oldest) {
    auto page = reader_->list_runs(filter, {500, 0, sort});
    REQUIRE(page.ok());
    std::vector<core::run_id> ids;
    for (const auto& r : page->runs) ids.push_back(r.head.id);
    return ids;
  }

  core::instant now = start;

 private:
  Kind kind_;
  std::unique_ptr<st::store> store_;
  std::unique_ptr<st::reader> reader_;
};

}  // namespace belfry::tests::stores
