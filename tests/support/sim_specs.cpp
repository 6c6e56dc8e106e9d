#include "tests/support/sim_specs.hpp"

#include <cerrno>
#include <csignal>
#include <utility>

namespace belfry::tests {

using namespace std::chrono_literals;

core::run_spec a_spec(dice& luck, const std::string& name, bool outside_work) {
  core::run_spec s;
  s.name = name;
  s.handler = outside_work ? core::handler_kind::none : core::handler_kind::process;
  if (!outside_work) s.process.argv = {"work", name};
  s.payload = luck.chance(0.3) ? "{\"for\":\"" + name + "\"}" : "";
  s.prio = static_cast<core::priority>(luck.below(core::priority_count));
  if (luck.chance(0.4)) s.lane = luck.chance(0.5) ? "a" : "b";
  if (luck.chance(0.3)) s.needs.workspace = "w1";
  if (outside_work) {
    if (luck.chance(0.3)) s.needs.capabilities = {"gpu"};
    if (luck.chance(0.2)) s.needs.agent_types = {"agent"};
  }
  s.timeout = luck.between(3s, 40s);
  s.grace = luck.between(1s, 3s);
  s.retry.max_attempts = static_cast<std::uint16_t>(luck.between(1, 4));
  s.retry.max_losses = static_cast<std::uint16_t>(luck.between(1, 4));
  s.retry.kind = static_cast<core::backoff_kind>(luck.below(3));
  s.retry.base = luck.between(0s, 4s);
  s.retry.cap = 10s;
  if (luck.chance(0.2)) {
    s.concurrency_key = luck.chance(0.5) ? "k1" : "k2";
    s.concurrency_limit = static_cast<std::uint32_t>(luck.between(1, 2));
  }
  if (luck.chance(0.3)) s.tags = {"blue"};
  if (luck.chance(0.2))
    s.process.retryable_codes = outside_work ? std::vector<std::uint8_t>{} : std::vector<std::uint8_t>{3};
  if (luck.chance(0.12)) s.hook.argv = {"hook", name};
  return s;
}

core::job_definition a_job(dice& luck, const std::string& name) {
  core::job_definition d;
  d.name = name;
  d.description = "made by the simulator";
  d.spec = a_spec(luck, name, luck.chance(0.25));
  d.on_overlap = static_cast<core::overlap>(luck.below(5));
  d.max_concurrent =
      d.on_overlap == core::overlap::allow ? static_cast<std::uint32_t>(luck.between(1, 3)) : 1;
  d.source = "api";
  return d;
}

core::limit_options some_limits(dice& luck) {
  core::limit_options l;
  l.global = luck.chance(0.5) ? 0 : static_cast<std::uint32_t>(luck.between(1, 5));
  l.per_lane = static_cast<std::uint32_t>(luck.below(4));
  l.per_batch = static_cast<std::uint32_t>(luck.below(4));
  l.per_agent_type = static_cast<std::uint32_t>(luck.below(4));
  return l;
}

child_plan a_plan(dice& luck, const platform::process_order& order, bool tame) {
  child_plan p;
  p.after = luck.chance(0.1) ? core::span{0} : luck.between(10ms, 8s);
  p.when_stopped = luck.chance(0.3) ? stop_answer::ignores_term : stop_answer::obeys;
  const auto lines = luck.chance(0.4) ? luck.between(1, 4) : 0;
  for (std::uint64_t i = 0; i < lines; ++i)
    p.output.push_back("line " + std::to_string(i + 1) + " of " + order.what.argv.back());
  if (tame) {
    p.report = exited(luck.chance(0.1) ? 1 : 0);
    return p;
  }
  switch (luck.weighted({60, 12, 6, 4, 4, 3, 8})) {
    case 0: p.report = exited(0); break;
    case 1: p.report = exited(static_cast<int>(luck.between(1, 3))); break;
    case 2: p.report = exited(127); break;
    case 3: p.report = killed_by(SIGSEGV); break;
    case 4: p.report = killed_by(SIGKILL); break;
    case 5:
      p.report = luck.chance(0.5) ? not_spawned(ENOENT, "program not found: work")
                                  : not_spawned(EAGAIN, "no more processes");
      p.after = core::span{0};
      p.output.clear();
      break;
    default: p.after.reset(); break;  // hangs until it is stopped
  }
  return p;
}

}  // namespace belfry::tests
