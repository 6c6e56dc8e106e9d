// REAL NODE: the belfry binary as a child process of the test, with a data folder of its own, started, killed
// and looked at as an operator would. What these tests wait for is a condition with a deadline, never a
// length of time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/http_client.hpp"

namespace belfry::test {

using namespace std::chrono_literals;

// Looks again and again, first often, then less so, until it holds or the time is over. Answers whether it
// held.
bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds deadline = 10s);
// The only pause there is: for polling, and for the random moment of a kill.
void short_pause(std::chrono::microseconds length);

// $BELFRY_BINARY, else the program `belfry` beside the program of this test.
std::string belfry_binary();
// A new folder below the system's one for temporary files.
std::string make_scratch_folder();

class scratch_folder {
 public:
  scratch_folder() : path_(make_scratch_folder()) {}
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string read_text(const std::string& path);  // empty when there is no such file
void write_text(const std::string& path, const std::string& text);

// ---- processes of the machine

struct process_seen {
  pid_t pid = 0;
  std::uint64_t started = 0;  // clock ticks since boot: tells a reused pid apart
  friend auto operator<=>(const process_seen&, const process_seen&) = default;
};
// Whether it is there and no zombie.
bool process_alive(pid_t pid);
bool still_there(const process_seen& p);
// Living processes whose environment has NAME=VALUE.
std::vector<process_seen> processes_with(const std::string& name, const std::string& value);

// Runs a program of this machine to its end and gives what it said.
struct program_end {
  int exit_code = -1;  // 128 + signal when one ended it; -1 when the time was over and it was killed
  std::string out, err;
};
program_end run_program(const std::vector<std::string>& argv, std::chrono::milliseconds deadline = 20s,
                        const std::vector<std::pair<std::string, std::string>>& environment = {});

// A program that goes on in the background, in a process group of its own; KILL when this object goes.
class background {
 public:
  background(const std::vector<std::string>& argv,
             const std::vector<std::pair<std::string, std::string>>& environment = {});
  ~background();
  background(const background&) = delete;
  background& operator=(const background&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  std::optional<int> ended();                          // its exit code (128 + signal), if it has ended
  int wait(std::chrono::milliseconds deadline = 20s);  // -1: not in time
  std::string said() const;                            // stdout and stderr so far

 private:
  scratch_folder folder_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

// ---- the node

struct node_setup {
  // Empty: a new folder, removed at the end.
  std::string data = {};
  // 0: none, outside sessions do all the work.
  int executors = 2;
  // Further flags of `belfry serve`.
  std::vector<std::string> flags = {};
  // Added to the environment of the test, from which nothing of BELFRY_ is handed on.
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::string listen = "127.0.0.1:0";  // "none": its socket is its only door
  // The network namespace that it lives in, as `ip netns` has it; empty: that of the test. Its address is
  // then nobody's but its own, and `http` goes through its socket.
  std::string network = {};
};

class real_node {
 public:
  explicit real_node(node_setup setup = {}, bool begin = true);
  ~real_node();  // KILL, also for what its runs left behind
  real_node(const real_node&) = delete;
  real_node& operator=(const real_node&) = delete;

  // Starts it and waits for /v1/ready. Throws std::runtime_error with its stderr when it ends or the time is
  // over.
  void start(std::chrono::milliseconds deadline = 30s);
  void launch();                                              // without waiting
  bool wait_ready(std::chrono::milliseconds deadline = 30s);  // false: it ended, or the time is over
  void kill9();                                               // and waits until the kernel has let go of it
  int terminate(std::chrono::milliseconds deadline =
                    30s);      // TERM; its exit code, or -1 when it did not end and was killed
  std::optional<int> ended();  // its exit code, if it has ended by itself
  bool alive() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }

  endpoint tcp() const { return {port_, {}}; }
  endpoint unix_socket() const { return {0, data_ + "/belfry.sock"}; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // One connection for the main thread; other threads make their own from tcp().
  http_client& http();

  const std::string& data() const { return data_; }
  std::string said() const;  // everything on stderr, of all its lives
  std::uint64_t resident_bytes() const;
  std::uint64_t started_ticks() const;  // as in process_seen
  // The value of BELFRY_NODE in the environment of its children; asks a run for it once.
  std::string mark();

  // ---- shortcuts over HTTP; each throws when the node does not answer as it should
  std::string submit(const json& run);  // the id
  std::string submit_shell(const std::string& script, json more = json::object());
  json run(const std::string& id);
  json wait_for_state(const std::string& id, const std::string& state,
                      std::chrono::milliseconds deadline = 20s);
  json wait_finished(const std::string& id, std::chrono::milliseconds deadline = 20s);
  std::vector<json> log_lines(const std::string& id);
  std::string output(const std::string& id, const std::string& stream = "stdout");  // lines joined with \n
  std::vector<json> events(std::int64_t after = 0);  // to the end of the journal
  json status() { return http().get_json("/v1/node"); }

 private:
  void wait_address(std::chrono::steady_clock::time_point until);

  node_setup setup_;
  std::string data_;
  bool own_data_ = false;
  std::string stderr_path_;
  std::size_t stderr_from_ = 0;  // where the stderr of this life begins
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  int port_ = 0;
  std::string mark_;
  std::optional<http_client> http_;
};

bool is_terminal(const std::string& state);

}  // namespace belfry::test
