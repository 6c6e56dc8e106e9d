// OPEN DOOR: a server on loopback and on a unix socket in front of a fake node, with a client.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "api/http/server.hpp"
#include "tests/support/fake_port.hpp"
#include "tests/support/http_client.hpp"

namespace belfry::test {

inline api::server_options on_loopback(api::server_options o = {}) {
  if (o.listen == api::server_options{}.listen) o.listen = {"127.0.0.1:0"};
  return o;
}

class open_door {
 public:
  explicit open_door(api::server_options o = {})
      : clock_(platform::system_clock()), meter_(platform::make_meter()), node(*clock_) {
    folder_ = std::filesystem::temp_directory_path() /
              ("belfry-door-" + std::to_string(::getpid()) + "-" + std::to_string(next_++));
    std::filesystem::create_directory(folder_);
    o.unix_socket = (folder_ / "s").string();
    auto s = api::server::start(node, *meter_, *clock_, on_loopback(std::move(o)));
    if (!s) throw std::runtime_error(s.error().text);
    server = std::move(*s);
    const auto url = server->addresses().front();
    tcp_.port = std::stoi(url.substr(url.rfind(':') + 1));
    http_.emplace(tcp_);
  }
  ~open_door() {
    server->stop(core::span{0});
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  http_client& http() { return *http_; }
  const endpoint& tcp() const { return tcp_; }
  endpoint unix_socket() const { return {0, (folder_ / "s").string()}; }
  const platform::clock& clock() const { return *clock_; }

  // A run that an outside session may take; its id.
  std::string submit(json more = json::object()) {
    if (!more.contains("name")) more["name"] = "work";
    return http().post_json("/v1/runs", more).at("id");
  }
  std::string session(json more = json::object()) {
    more["name"] = "worker";
    return http().post_json("/v1/sessions", more).at("id");
  }
  // Claims one run of that session, as the claim answered it.
  json claim(const std::string& session) {
    return http().post_json("/v1/claims", {{"session", session}}).at("claims").at(0);
  }
  static json proof(const json& claimed, json more = json::object()) {
    more["token"] = claimed.at("token");
    more["fencing"] = claimed.at("fencing");
    return more;
  }
  static core::run_id id_of(const std::string& text) { return *core::parse_id<core::run_id>(text); }

 private:
  std::unique_ptr<platform::clock> clock_;
  std::unique_ptr<platform::meter> meter_;

 public:
  fake_port node;
  std::unique_ptr<api::server> server;

 private:
  inline static int next_ = 0;
  std::filesystem::path folder_;
  endpoint tcp_;
  std::optional<http_client> http_;
};

}  // namespace belfry::test
