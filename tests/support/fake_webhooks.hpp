// FAKE WEBHOOKS: what was posted is written down, and the test says how it was answered.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "platform/ports/webhooks.hpp"

namespace belfry::tests {

class fake_webhooks final : public platform::webhooks {
 public:
  void post(platform::webhook_order order, std::function<void(platform::webhook_report)> done) override {
    orders.push_back(std::move(order));
    waiting_.push_back(std::move(done));
  }
  void abandon() override {
    for (auto& w : waiting_) w = nullptr;
  }
  // The order of this number is answered so; status 0: nobody answered.
  void answer(std::size_t number, unsigned status, std::string trouble = {}) {
    if (const auto done = std::exchange(waiting_.at(number), nullptr)) done({status, std::move(trouble), {}});
  }
  void answer_with_body(std::size_t number, std::string body) {
    if (const auto done = std::exchange(waiting_.at(number), nullptr)) done({200, {}, std::move(body)});
  }
  std::vector<platform::webhook_order> orders;

 private:
  std::vector<std::function<void(platform::webhook_report)>> waiting_;
};

}  // namespace belfry::tests
