#include "app/tick/short_node.hpp"

#include <chrono>
#include <filesystem>
#include <thread>

#include "app/serve/folder.hpp"
#include "platform/ports/files.hpp"

namespace belfry::app {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto patience = 60s;  // with a node that starts or stops
constexpr auto look_again = 50ms;
// Whoever else has work on our node gets so long after we wanted to go.
constexpr const char* drain_time = "1h";

}  // namespace

bool short_node::answers() const {
  transport line({"http://localhost", folder_ + "/belfry.sock"});
  http_request ask;
  ask.target = "/v1/ready";
  ask.timeout = 5s;
  const auto got = line.send(ask);
  const auto* answer = std::get_if<http_answer>(&got);
  return answer != nullptr && answer->status == 200;
}

void short_node::begin() {
  auto made =
      platform::companion::start({platform::own_program(), "serve", "--data", folder_, "--listen", "none",
                                  "--socket", folder_ + "/belfry.sock", "--log-level", "warning",
                                  "--drain-timeout", drain_time, "--set", "node.plans=false"});
  if (!made) throw refusal(made.error());
  own_ = std::move(*made);
}

void short_node::reach(context& ctx) {
  if (auto made = make_data_folder(folder_); !made) throw refusal(made.error());
  const auto until = steady::now() + patience;
  for (;;) {
    if (answers()) return ctx.use("unix:" + folder_ + "/belfry.sock");
    const auto held = folder_lock::look(folder_);
    if (own_) {
      const auto status = own_->ended();
      // Somebody was faster; what it says of that is on stderr already.
      if (status == number_of(exit_code::try_later)) {
        own_.reset();
      } else if (status) {
        own_.reset();
        throw refusal(exit_code::unexpected, "the node that was started for this command has ended", {},
                      "belfry serve --data " + folder_);
      }
    } else if (held) {
      begin();
    }
    if (steady::now() > until)
      throw refusal(exit_code::try_later,
                    held ? "the node that was started for this command does not get ready"
                         : held.error().text + ", and does not answer on " + folder_ + "/belfry.sock",
                    {}, "say where it is with --server or BELFRY_URL");
    std::this_thread::sleep_for(look_again);
  }
}

// A node that is there for seconds never comes to its own sweeps: once a day one is asked for.
void short_node::sweep(context& ctx) const {
  const auto noted = folder_ + "/last-sweep";
  std::error_code error;
  const auto last = std::filesystem::last_write_time(noted, error);
  if (!error && std::filesystem::file_time_type::clock::now() - last < 24h) return;
  ctx.node().post("/v1/retention:run", "{}");
  if (const auto written = platform::write_file_atomically(noted, {}); !written)
    ctx.tell("belfry: " + written.error().text);
}

void short_node::leave(context& ctx) {
  if (!own_) return;
  try {
    sweep(ctx);
    while (!own_->ended() && ctx.node().get("/v1/scheduler/status")["counts"]["live"].number() > 0)
      std::this_thread::sleep_for(look_again * 4);
  } catch (const refusal&) {
    // It ends by itself; nothing is lost with it.
  }
  own_->end();
  own_.reset();
}

}  // namespace belfry::app
