// The real webhooks: libcurl's multi interface in one thread.
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/session/wake_sink.hpp"
#include "platform/ports/webhooks.hpp"

namespace belfry::platform {
namespace {

constexpr std::size_t longest_answer = 64U << 10;
constexpr int longest_sleep_ms = 1000;

// What a secret stands for: itself, or the variable that it names.
std::optional<std::string> key_of(const std::string& secret) {
  constexpr std::string_view by_name = "env:";
  if (!secret.starts_with(by_name)) return core::webhook_key(secret);
  const auto name = secret.substr(by_name.size());
  if (!name.starts_with(core::secret_variable_prefix)) return std::nullopt;
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return core::webhook_key(value);
}

using told = std::function<void(webhook_report)>;

struct waiting_order {
  webhook_order order;
  told done;
};

struct transfer {
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  webhook_order order;
  told done;
  std::size_t received = 0;
  std::string body;
  bool private_targets = true;
  bool refused_target = false;

  std::size_t most() const { return order.keep > 0 ? order.keep : longest_answer; }

  transfer() = default;
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;
  ~transfer() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
  }
};

std::string text_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET)
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text.data(), text.size());
  else if (address->sa_family == AF_INET6)
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text.data(), text.size());
  return text.data();
}

// After the name was looked up and before anything is sent.
curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* to) {
  auto& t = *static_cast<transfer*>(self);
  if (!may_call(text_of(&to->addr), t.private_targets)) {
    t.refused_target = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

std::size_t swallow(char* data, std::size_t size, std::size_t count, void* self) {
  auto& t = *static_cast<transfer*>(self);
  t.received += size * count;
  if (t.received > t.most()) return 0;
  if (t.order.keep > 0) t.body.append(data, size * count);
  return size * count;
}

class curl_webhooks final : public webhooks {
 public:
  explicit curl_webhooks(webhook_options o) : options_{std::move(o)} {}
  ~curl_webhooks() override {
    {
      const std::lock_guard hold{mutex_};
      ending_ = true;
      if (multi_ != nullptr) curl_multi_wakeup(multi_);
    }
    if (thread_.joinable()) thread_.join();
    if (multi_ != nullptr) curl_multi_cleanup(multi_);
  }
  curl_webhooks(const curl_webhooks&) = delete;
  curl_webhooks& operator=(const curl_webhooks&) = delete;

  void post(webhook_order order, told done) override {
    const std::lock_guard hold{mutex_};
    waiting_.push_back({std::move(order), std::move(done)});
    if (multi_ == nullptr) begin();
    curl_multi_wakeup(multi_);
  }

  void abandon() override {
    // Reports are given under the same lock, so none is half way when this returns.
    std::vector<waiting_order> dropped;
    const std::lock_guard hold{mutex_};
    dropped.swap(waiting_);
    for (auto& [easy, t] : under_way_) t->done = nullptr;
  }

 private:
  void begin() {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi_ = curl_multi_init();
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(options_.connections));
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.connections));
    thread_ = std::thread{[this] { loop(); }};
  }

  void loop() {
    for (;;) {
      {
        const std::lock_guard hold{mutex_};
        if (ending_) break;
        for (auto& w : std::exchange(waiting_, {})) start(std::move(w));
      }
      int running = 0;
      curl_multi_perform(multi_, &running);
      int left = 0;
      while (CURLMsg* news = curl_multi_info_read(multi_, &left))
        if (news->msg == CURLMSG_DONE) finish(news->easy_handle, news->data.result);
      curl_multi_poll(multi_, nullptr, 0, longest_sleep_ms, nullptr);
    }
    for (auto& [easy, t] : under_way_) curl_multi_remove_handle(multi_, easy);
    under_way_.clear();
  }

  // With the lock held.
  void start(waiting_order w) {
    const auto key = key_of(w.order.secret);
    if (!key) return report(w.done, {0, "its secret is not there, or is none"});
    auto t = std::make_unique<transfer>();
    t->easy = curl_easy_init();
    if (t->easy == nullptr) return report(w.done, {0, "libcurl has no memory"});
    t->order = std::move(w.order);
    t->done = std::move(w.done);
    t->private_targets = options_.private_targets;
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(t->order.at.time_since_epoch()).count();
    const auto add = [&](const std::string& line) {
      t->headers = curl_slist_append(t->headers, line.c_str());
    };
    add("Content-Type: application/json");
    add("webhook-id: " + t->order.id);
    add("webhook-timestamp: " + std::to_string(seconds));
    add("webhook-signature: " + webhook_signature(*key, t->order.id, t->order.at, t->order.body));
    add("Expect:");
    auto* e = t->easy;
    curl_easy_setopt(e, CURLOPT_URL, t->order.url.c_str());
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_PROXY, "");  // also none of the environment
    curl_easy_setopt(e, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, static_cast<long>(core::millis(t->order.timeout)));
    curl_easy_setopt(e, CURLOPT_POST, 1L);
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, t->order.body.data());
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, static_cast<long>(t->order.body.size()));
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(e, CURLOPT_USERAGENT, options_.agent.c_str());
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, t.get());
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t.get());
    // A connection that is used again was looked at when it was made.
    if (curl_multi_add_handle(multi_, e) != CURLM_OK)
      return report(t->done, {0, "libcurl refused the order"});
    under_way_.emplace(e, std::move(t));
  }

  void finish(CURL* easy, CURLcode how) {
    curl_multi_remove_handle(multi_, easy);
    const std::lock_guard hold{mutex_};
    const auto it = under_way_.find(easy);
    if (it == under_way_.end()) return;
    const auto t = std::move(it->second);
    under_way_.erase(it);
    webhook_report r;
    long status = 0;
    if (t->order.keep > 0 && t->received > t->order.keep) {
      r.trouble = "its answer is longer than " + std::to_string(t->order.keep) + " bytes";
    } else if (how == CURLE_OK || t->received > longest_answer) {
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      r.status = static_cast<unsigned>(status);
      r.body = std::move(t->body);
    } else if (t->refused_target) {
      r.trouble = "the address may not be called: it is link-local, or wake.private_targets is off";
    } else if (how == CURLE_OPERATION_TIMEDOUT) {
      r.trouble = "no answer within " + std::to_string(core::millis(t->order.timeout)) + " ms";
    } else {
      r.trouble = curl_easy_strerror(how);
    }
    report(t->done, std::move(r));
  }

  static void report(const told& done, webhook_report r) {
    if (done) done(std::move(r));
  }

  webhook_options options_;
  std::mutex mutex_;
  CURLM* multi_ = nullptr;  // made under the lock, then only the thread's, wake-ups apart
  std::vector<waiting_order> waiting_;
  std::unordered_map<CURL*, std::unique_ptr<transfer>> under_way_;  // changed under the lock, by the thread
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<webhooks> real_webhooks(webhook_options options) {
  return std::make_unique<curl_webhooks>(std::move(options));
}

}  // namespace belfry::platform
