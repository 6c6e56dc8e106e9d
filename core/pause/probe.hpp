// PROBE: how a pause that a provider's limit made comes to its end. When its `until` has come, nobody knows
// whether the limit is really over, and a fleet that starts all at once would find out the dear way. So one
// run goes first, the probe; the others wait for it. What became of it decides: it worked, and the pause is
// lifted; it met the limit again, and the pause goes on; it tells nothing (its lease was lost, it was
// released), and the next claim is the next probe. The probe stands in the row of the pause, in the commit of
// its claim, and leaves it in the commit that ends its attempt: no restart and no lost worker can leave the
// pause latched.
#pragma once

#include "core/pause/pause.hpp"
#include "core/run/run.hpp"

namespace belfry::core {

enum class limit_kind : std::uint8_t { none = 0, throttle = 1, quota = 2 };
// The reason of the pause that it makes.
std::string_view to_text(limit_kind k);
std::optional<limit_kind> limit_kind_from(std::string_view text);

enum class probe_result : std::uint8_t { silent, worked, limited };
// A success worked. So did an error and a permanent failure: whatever was wrong, it was not the limit, and a
// fleet does not wait for one broken run. rate_limited and parked met the limit again; anything else, a
// timeout among it, tells nothing.
probe_result result_of(const attempt_record& ended);

// How long a pause goes on when the probe did not say.
inline constexpr span probe_again_after{std::chrono::minutes{1}};

// The pauses that wait for a probe get this one. `changed` false: none does.
pause_decision decide_probe(const pause_target& on, std::vector<pause_entry> there, run_id probe,
                            instant now);
// The attempt of this run has ended; `again`: when it is due itself, never if it is not. `changed` false: it
// was the probe of none.
pause_decision decide_probe_ended(const pause_target& on, std::vector<pause_entry> there, run_id probe,
                                  probe_result how, instant again, instant now);

}  // namespace belfry::core
