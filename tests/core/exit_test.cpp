#include "core/run/exit.hpp"

#include <catch2/catch.hpp>
#include <cerrno>

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {
exit_verdict exited(int code, process_spec spec = {}) {
  process_end end;
  end.exit_code = code;
  return judge_exit(spec, end, 60s);
}
exit_verdict killed(int signal) {
  process_end end;
  end.signal = signal;
  return judge_exit({}, end, 60s);
}
exit_verdict not_spawned(int error) {
  process_end end;
  end.spawn_failed = true;
  end.spawn_errno = error;
  end.spawn_text = "program not found: foo";
  return judge_exit({}, end, 60s);
}
}  // namespace

TEST_CASE("exit: codes without lists", "[core][exit]") {
  CHECK(exited(0).success);
  CHECK(exited(0).klass == failure_class::none);
  for (const int code : {1, 2, 3, 75, 125, 128, 255}) {
    INFO(code);
    CHECK_FALSE(exited(code).success);
    CHECK(exited(code).klass == failure_class::error);
    CHECK(exited(code).message == "exit code " + std::to_string(code));
  }
  CHECK(exited(126).klass == failure_class::permanent);
  CHECK(exited(127).klass == failure_class::permanent);
}

TEST_CASE("exit: success codes replace zero", "[core][exit]") {
  process_spec spec;
  spec.success_codes = {2, 3};
  CHECK(exited(2, spec).success);
  CHECK(exited(3, spec).success);
  CHECK_FALSE(exited(0, spec).success);
  CHECK(exited(0, spec).klass == failure_class::error);
}

TEST_CASE("exit: with retryable codes all others are permanent", "[core][exit]") {
  process_spec spec;
  spec.retryable_codes = {75, 127};
  CHECK(exited(0, spec).success);
  CHECK(exited(75, spec).klass == failure_class::error);
  CHECK(exited(127, spec).klass == failure_class::error);
  CHECK(exited(1, spec).klass == failure_class::permanent);
  CHECK(exited(126, spec).klass == failure_class::permanent);
}

TEST_CASE("exit: signals", "[core][exit]") {
  CHECK(killed(9).klass == failure_class::resource);
  CHECK(killed(9).message == "killed by signal 9 (KILL)");
  CHECK(killed(24).klass == failure_class::resource);
  CHECK(killed(24).message == "killed by signal 24 (XCPU)");
  for (const int s : {1, 2, 6, 11, 15}) CHECK(killed(s).klass == failure_class::error);
  CHECK(killed(11).message == "killed by signal 11 (SEGV)");
  CHECK(killed(15).message == "killed by signal 15 (TERM)");
  CHECK(killed(31).message == "killed by signal 31 (SYS)");
  CHECK(killed(40).message == "killed by signal 40");
  CHECK(killed(-1).message == "killed by signal -1");
}

TEST_CASE("exit: a process that could not be started", "[core][exit]") {
  for (const int e : {EAGAIN, ENOMEM, EMFILE, ENFILE}) CHECK(not_spawned(e).klass == failure_class::resource);
  for (const int e : {ENOENT, EACCES, ENOEXEC, ENOTDIR, 0})
    CHECK(not_spawned(e).klass == failure_class::spawn);
  CHECK(not_spawned(ENOENT).message == "program not found: foo");
  process_end silent;
  silent.spawn_failed = true;
  silent.spawn_errno = 7;
  CHECK(judge_exit({}, silent, 0s).message.find('7') != std::string::npos);
}

TEST_CASE("exit: what belfry did itself comes before how the process took it", "[core][exit]") {
  process_end end;
  end.exit_code = 0;
  end.timed_out = true;
  CHECK(judge_exit({}, end, 60s).klass == failure_class::timeout);
  CHECK(judge_exit({}, end, 60s).message == "timed out after 1m");
  end.cancelled = true;
  CHECK(judge_exit({}, end, 60s).klass == failure_class::timeout);
  end.timed_out = false;
  CHECK(judge_exit({}, end, 60s).cancelled);
  CHECK(judge_exit({}, end, 60s).klass == failure_class::cancelled);
  CHECK_FALSE(judge_exit({}, end, 60s).success);
  end.spawn_failed = true;
  CHECK(judge_exit({}, end, 60s).klass == failure_class::spawn);
  CHECK(judge_exit({}, process_end{}, 60s).klass == failure_class::error);
}
