#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::event_kind;

namespace {

core::session a_session() {
  core::session s;
  s.name = "worker-1";
  s.agent_type = "python";
  s.workspace = "team";
  s.channel = "c";
  s.capabilities = {"gpu", "linux", "with:colon 3:x"};
  s.handlers = {core::handler_kind::process, core::handler_kind::none};
  s.slots = 4;
  s.prompting = true;
  s.local = true;
  s.wake = {core::wake_via::webhook, "https://example.org/w", "whsec_s", {}, {}, 3s, true};
  return s;
}

bool same(const core::session& a, const core::session& b) {
  return a.id == b.id && a.name == b.name && a.agent_type == b.agent_type && a.workspace == b.workspace &&
         a.channel == b.channel && a.capabilities == b.capabilities && a.handlers == b.handlers &&
         a.slots == b.slots && a.state == b.state && a.prompting == b.prompting && a.local == b.local &&
         a.created_at == b.created_at && a.last_seen == b.last_seen && a.wake == b.wake;
}

}  // namespace

TEMPLATE_TEST_CASE("sessions: registered, replaced, ended, and back again", "[sessions]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  auto who = f.does(st::put_session{a_session()}).sessions.at(0);
  CHECK(who.id);
  CHECK(who.created_at == f.now);
  CHECK(who.last_seen == f.now);
  CHECK(same(*f.read().find_session(who.id), who));
  const auto seq = f.store().last_event();
  f.now += 30s;
  who.last_seen = f.now;
  who.state = core::session_state::draining;
  CHECK(f.does(st::put_session{who}).first_event == 0);  // a sign of life is no event
  f.reopen();
  CHECK(same(*f.read().find_session(who.id), who));
  const auto gone = f.does(st::end_session{who.id, "said goodbye"}).sessions.at(0);
  CHECK(gone.state == core::session_state::gone);
  CHECK(gone.wake.secret.empty());  // nobody needs it any more
  CHECK(f.does(st::end_session{who.id, "again"}).replayed);
  CHECK(f.read().list_sessions(false)->empty());
  CHECK(f.read().list_sessions(true)->size() == 1);
  who.state = core::session_state::active;
  f.does(st::put_session{who});
  CHECK(f.read().list_sessions(false)->size() == 1);
  CHECK(f.kinds_after(seq) == std::vector{event_kind::session_gone, event_kind::session_registered});
  auto unknown = a_session();
  unknown.id = core::session_id{5};
  CHECK(f.refuses(st::put_session{unknown}).code == errc::not_found);
  CHECK(f.refuses(st::end_session{core::session_id{5}, ""}).code == errc::not_found);
  CHECK(f.read().find_session(core::session_id{5}).refused_with(errc::not_found));
}
