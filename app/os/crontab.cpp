// CRONTAB: one block of lines per store in the crontab of the user, read with `crontab -l`, written with
// `crontab -`, which replaces it as a whole or not at all. Everything outside the block stays byte for byte.
#include <algorithm>
#include <map>

#include "app/os/crontab_text.hpp"
#include "platform/ports/companion.hpp"

namespace belfry::app::os {
namespace {

using core::errc;
using core::failure;

core::result<std::string> read_crontab() {
  auto said = platform::run_program({"crontab", "-l"});
  if (!said) {
    auto f = said.error();
    if (f.code == errc::not_found) f.text = "there is no program `crontab` on this machine";
    f.command = "belfry os sync --target systemd";
    return f;
  }
  if (said->status == 0) return std::move(said->out);
  if (said->err.find("no crontab for") != std::string::npos) return std::string{};
  return failure{errc::unavailable,
                 "`crontab -l` ended with " + std::to_string(said->status) + ": " + said->err,
                 {},
                 "crontab -l"};
}

core::result<void> write_crontab(const std::string& text) {
  const auto said = platform::run_program({"crontab", "-"}, text);
  if (!said) return said.error();
  if (said->status == 0) return {};
  return failure{
      errc::unavailable,
      "`crontab -` ended with " + std::to_string(said->status) + " and changed nothing: " + said->err,
      {},
      "crontab -l"};
}

class crontab final : public target {
 public:
  explicit crontab(std::optional<core::zone> machine) : machine_(std::move(machine)) {}

  core::os_abilities abilities() const override { return core::crontab_abilities(machine_); }
  std::string where() const override { return "crontab"; }

  core::result<std::vector<found_entry>> list() override {
    auto text = read_crontab();
    if (!text) return text.error();
    return entries_in_crontab(*text);
  }

  core::result<os_plan> become(const store_identity& mine, const std::vector<wanted_entry>& wanted,
                               bool dry_run) override {
    constexpr int most_tries = 5;
    for (int tries = 1;; ++tries) {
      auto before = read_crontab();
      if (!before) return before.error();
      auto changed = crontab_with(*before, mine, wanted);
      if (!changed) return changed.error();
      if (dry_run || changed->text == *before) return std::move(changed->plan);
      auto again = read_crontab();  // somebody may have edited it meanwhile
      if (!again) return again.error();
      if (*again != *before && tries < most_tries) continue;
      if (*again != *before)
        return failure{
            errc::conflict, "the crontab changes all the time; nothing was written", {}, "crontab -l"};
      if (auto written = write_crontab(changed->text); !written) return written.error();
      return std::move(changed->plan);
    }
  }

 private:
  std::optional<core::zone> machine_;
};

}  // namespace

std::unique_ptr<target> crontab_target(std::optional<core::zone> machine) {
  return std::make_unique<crontab>(std::move(machine));
}

}  // namespace belfry::app::os
