#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>

#include "platform/ports/files.hpp"
#include "platform/process/memory.hpp"
#include "tests/platform/live_processes.hpp"

using namespace belfry;
using namespace belfry::tests;

TEST_CASE("process: exit codes and signals are reported as they were", "[platform][process]") {
  live_processes node;
  const auto zero = node.run(shell("exit 0")).report;
  CHECK(zero.end.exit_code == 0);
  CHECK_FALSE(zero.end.signal);
  CHECK(zero.group_gone);
  CHECK(zero.stopped_with.empty());
  CHECK_FALSE(zero.end.timed_out);
  CHECK(node.run(shell("exit 255")).report.end.exit_code == 255);
  for (const int s : {SIGKILL, SIGTERM, SIGSEGV, SIGUSR1}) {
    const auto r = node.run(shell("kill -" + std::to_string(s) + " $$")).report;
    CHECK(r.end.signal == s);
    CHECK_FALSE(r.end.exit_code);
    CHECK(r.stopped_with.empty());
  }
  CHECK(node.port().running() == 0);
}

TEST_CASE("process: arguments arrive as they are, no shell in between", "[platform][process]") {
  live_processes node;
  const auto done = node.run(program({"printf", "[%s]\\n", "a b", "$HOME", "", "ü\"'*"}));
  CHECK(done.text() == "[a b]\n[$HOME]\n[]\n[ü\"'*]\n");
}

TEST_CASE("process: the environment is exact", "[platform][process]") {
  ::setenv("LEAK", "from the node", 1);
  live_processes node;
  ::unsetenv("LEAK");
  auto order = program({"/usr/bin/env"});
  order.what.env = {{"A", "1"}, {"HOME", "/srv"}};
  order.env = {{"BELFRY_RUN_ID", "run_x"}, {"BELFRY_FENCING", "2"}};
  order.mark = "mark-1";
  const auto done = node.run(order);
  std::vector<std::string> names;
  for (const auto& line : done.lines) names.push_back(line.text.substr(0, line.text.find('=')));
  std::sort(names.begin(), names.end());
  for (const char* allowed : {"PATH", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"})
    names.erase(std::remove(names.begin(), names.end(), allowed), names.end());
  CHECK(names == std::vector<std::string>{"A", "BELFRY_FENCING", "BELFRY_NODE", "BELFRY_RUN_ID", "HOME"});
  CHECK(done.text().find("HOME=/srv\n") != std::string::npos);
  CHECK(done.text().find("BELFRY_NODE=mark-1\n") != std::string::npos);
}

TEST_CASE("process: no descriptor of the node leaks, and stdin is empty", "[platform][process]") {
  const int leaky = ::open("/dev/null", O_RDONLY);  // not close-on-exec, as asio's sockets
  REQUIRE(leaky >= 0);
  const int high = ::fcntl(leaky, F_DUPFD, 500);
  live_processes node;
  const auto done = node.run(shell("ls /proc/self/fd; readlink /proc/self/fd/0; cat"));
  CHECK(done.text() == "0\n1\n2\n3\n/dev/null\n");  // 3 is the folder that ls reads
  ::close(leaky);
  ::close(high);
}

TEST_CASE("process: signals are at their default and unblocked", "[platform][process]") {
  live_processes node;
  const auto done = node.run(program({"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"}));
  REQUIRE(done.lines.size() == 2);
  CHECK(done.lines[0].text == "SigBlk:\t0000000000000000");
  // 32 and 33 belong to glibc, which ignores them between spawn and the new program's own use of them.
  CHECK((std::stoull(done.lines[1].text.substr(8), nullptr, 16) & ~0x180000000ULL) == 0);
}

TEST_CASE("process: leads a group of its own", "[platform][process]") {
  live_processes node;
  const auto done = node.run(program({"sh", "-c", "cut -d' ' -f1,5 /proc/$$/stat; echo"}));
  const std::string line = done.lines.at(0).text;
  CHECK(line.substr(0, line.find(' ')) == line.substr(line.find(' ') + 1));
}

TEST_CASE("process: runs where it is told to", "[platform][process]") {
  const temporary_folder folder;
  platform::process_options options;
  options.default_cwd = folder.path();
  live_processes node(options);
  CHECK(node.run(shell("pwd")).text() == folder.path() + "\n");
  auto order = shell("pwd");
  order.what.cwd = "/usr";
  CHECK(node.run(order).text() == "/usr\n");
}

TEST_CASE("process: a relative program is meant from its own directory", "[platform][process]") {
  const temporary_folder folder;
  folder.write("tool", "#!/bin/sh\necho here\n", 0755);
  live_processes node;
  auto order = program({"./tool"});
  order.what.cwd = folder.path();
  CHECK(node.run(order).text() == "here\n");
}

TEST_CASE("process: a start that fails names the field at fault", "[platform][process]") {
  const temporary_folder folder;
  folder.write("plain", "#!/bin/sh\n", 0644);
  folder.write("junk", "\x01\x02", 0755);
  folder.write("lost", "#!/no/such/interpreter -x\n", 0755);
  live_processes node;
  const auto failure = [&](platform::process_order order) {
    const auto r = node.run(std::move(order)).report;
    CHECK(r.end.spawn_failed);
    CHECK(r.end.spawn_errno != 0);
    CHECK_FALSE(r.end.exit_code);
    CHECK(r.group_gone);
    return r.end.spawn_text;
  };
  const auto in = [](std::string cwd) {
    auto order = program({"true"});
    order.what.cwd = std::move(cwd);
    return order;
  };
  CHECK(failure(in(folder / "nowhere")) == "cwd: does not exist: " + (folder / "nowhere"));
  CHECK(failure(in(folder / "plain")) == "cwd: not a directory: " + (folder / "plain"));
  CHECK(failure(in(folder / "plain/below")) == "cwd: not a directory: " + (folder / "plain/below"));
  CHECK(failure(in("relative")) == "cwd: not an absolute path: relative");
  CHECK(failure(program({"no-such-program"})).substr(0, 43) == "argv[0]: program not found: no-such-program");
  CHECK(failure(program({"/no/such"})) == "argv[0]: program not found: /no/such");
  CHECK(failure(program({folder / "plain"})) == "argv[0]: not executable: " + (folder / "plain"));
  CHECK(failure(program({"/etc"})) == "argv[0]: not a program but a directory or device: /etc");
  CHECK(failure(program({folder / "junk"})).find("is no program") != std::string::npos);
  CHECK(failure(program({folder / "lost"})).find("interpreter is not found: /no/such/interpreter") !=
        std::string::npos);
  CHECK(failure(program({})) == "argv: neither argv nor shell says what to run");
  CHECK(failure(program({"true", std::string("a\0b", 3)})) == "argv[1]: contains a NUL byte");
  CHECK(failure(program({"true", std::string(3'000'000, 'x')})).substr(0, 5) == "argv:");
  auto env = program({"true"});
  env.what.env = {{"A=B", "1"}};
  CHECK(failure(env).substr(0, 4) == "env:");
  if (::geteuid() != 0) {
    REQUIRE(std::system(("mkdir -m 0 " + (folder / "closed")).c_str()) == 0);
    CHECK(failure(in(folder / "closed")) == "cwd: no permission to enter: " + (folder / "closed"));
  }
  CHECK(node.run(shell("exit 0")).report.end.exit_code == 0);  // and the next one works
}

TEST_CASE("process: a program that moves along PATH is found again", "[platform][process]") {
  const temporary_folder folder;
  REQUIRE(std::system(("mkdir " + (folder / "one") + " " + (folder / "two")).c_str()) == 0);
  folder.write("one/tool", "#!/bin/sh\necho one\n", 0755);
  live_processes node;
  auto order = program({"tool"});
  order.what.env = {{"PATH", (folder / "one") + ":" + (folder / "two") + ":/usr/bin:/bin"}};
  CHECK(node.run(order).text() == "one\n");
  REQUIRE(::rename((folder / "one/tool").c_str(), (folder / "two/tool").c_str()) == 0);
  CHECK(node.run(order).text() == "one\n");  // from two/ now
}

TEST_CASE("process: too little headroom is a failure to start, of the resource kind", "[platform][process]") {
  live_processes node({}, [](const platform::process_options&) {
    return std::vector<platform::process_numbers>{{80, 100, "ulimit -u of belfry"}};
  });
  const auto r = node.run(shell("true")).report;
  CHECK(r.end.spawn_failed);
  CHECK(r.end.spawn_errno == EAGAIN);
  CHECK(r.end.spawn_text.find("80 of 100 in use (ulimit -u of belfry)") != std::string::npos);
}

TEST_CASE("process: a key is one process at a time", "[platform][process]") {
  live_processes node;
  node.start("a", shell("cat; sleep 30"));
  node.start("b", shell("true"));
  node.wait("b");
  bool refused = false;
  std::mutex mutex;
  node.port().start("a", shell("true"), {nullptr, [&](platform::process_report r) {
                                           const std::lock_guard hold(mutex);
                                           refused = r.end.spawn_failed;
                                         }});
  CHECK(eventually([&] {
    const std::lock_guard hold(mutex);
    return refused;
  }));
  CHECK(node.port().running() == 1);
  node.stop("a");
  node.wait("a");
  CHECK(node.port().running() == 0);
}

TEST_CASE("process: limits are effective", "[platform][process]") {
  live_processes node;
  auto files = shell("ulimit -n; ulimit -Hn");
  files.what.file_limit = 99;
  CHECK(node.run(files).text() == "99\n99\n");
  auto memory = shell("ulimit -v");
  memory.what.memory_limit = 512 * 1024 * 1024;
  CHECK(node.run(memory).text() == "524288\n");
  auto cpu = shell("while :; do :; done");
  cpu.what.cpu_limit = 1s;
  const auto r = node.run(cpu, 60s).report;
  CHECK(r.end.signal == SIGXCPU);
  CHECK(r.used.user_cpu + r.used.system_cpu > 800ms);
  CHECK(r.stopped_with.empty());
  auto all = program({"sh", "-c", "echo $0 $1; ulimit -n", "zero", "one"});
  all.what.cpu_limit = 100s;
  all.what.memory_limit = 1ULL << 40U;
  all.what.file_limit = 4'000'000'000;  // more than there is: the node's own hard limit
  const auto done = node.run(all);
  CHECK(done.report.end.exit_code == 0);
  CHECK(done.text().substr(0, 9) == "zero one\n");
  auto missing = program({"no-such-program"});
  missing.what.file_limit = 99;
  CHECK(node.run(missing).report.end.spawn_failed);
}

TEST_CASE("process: usage is measured, of what the leader waited for too", "[platform][process]") {
  live_processes node;
  const auto idle = node.run(shell("exit 0")).report;
  const auto busy = node.run(shell("sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'"), 60s).report;
  CHECK(busy.used.user_cpu + busy.used.system_cpu > idle.used.user_cpu + idle.used.system_cpu);
  CHECK(busy.used.user_cpu + busy.used.system_cpu > 20ms);
}

TEST_CASE("process: peak memory is the child's, not the node's", "[platform][process]") {
  const std::vector<char> ballast(150'000'000, 1);  // the node is larger than its children
  REQUIRE(platform::resident_memory() > 150'000'000);
  live_processes node;
  CHECK(node.run(shell("exit 0")).report.used.peak_memory < 30'000'000);
  // tail writes when it has read everything; it is a grandchild, and sampled once a second at the latest.
  node.start(
      "a",
      shell("head -c 60000000 /dev/zero | tail -c 50000000 | (head -c 1 >/dev/null; echo filled; sleep 60)"));
  REQUIRE(eventually([&] { return node.line_count("a") > 0; }));
  const auto begin = std::chrono::steady_clock::now();
  eventually([&] { return std::chrono::steady_clock::now() - begin > 1500ms; });
  node.stop("a");
  const auto sampled = node.wait("a").report.used.peak_memory;
  CHECK(sampled > 40'000'000);
  CHECK(sampled < 100'000'000);
  const std::uint64_t more = platform::inherited_peak_memory() + 50'000'000;
  if (more < 500'000'000) {  // sanitizers make the node too large for this
    const std::string size = std::to_string(more);
    const auto big = node.run(shell("head -c " + size + " /dev/zero | tail -c " + size + " >/dev/null"), 60s);
    CHECK(big.report.used.peak_memory > more - 10'000'000);  // larger than the node: exact
    CHECK(big.report.used.peak_memory < more + 100'000'000);
  }
  CHECK(ballast.back() == 1);
}

TEST_CASE("process: stdin is delivered whole and then closed", "[platform][process]") {
  live_processes node;
  auto small = program({"cat"});
  small.input = "line one\nline two";
  CHECK(node.run(small).text() == "line one\nline two\n");
  auto large = program({"sha256sum"});
  for (int i = 0; i < 1024 * 1024; ++i) large.input += static_cast<char>(i * 31);
  std::string hash;
  for (const auto byte : platform::sha256(large.input)) {
    hash += "0123456789abcdef"[byte >> 4U];
    hash += "0123456789abcdef"[byte & 15U];
  }
  CHECK(node.run(large).text() == hash + "  -\n");
}

TEST_CASE("process: a child that does not read its stdin is not harmed and harms nobody",
          "[platform][process]") {
  live_processes node;
  auto deaf = shell("exec 0<&-; exit 7");
  deaf.input.assign(1024 * 1024, 'x');
  CHECK(node.run(deaf).report.end.exit_code == 7);
  auto lazy = shell("sleep 0.1; exit 8");
  lazy.input.assign(1024 * 1024, 'x');
  CHECK(node.run(lazy).report.end.exit_code == 8);
}
