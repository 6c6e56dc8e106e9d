// ACCESS: who may do what. A role covers everything that the one before it covers; an access token stands for
// a role. Whoever opens the unix socket of the node is its user (the file is 0600) and may do everything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/run/run.hpp"

namespace belfry::core {

// In order: each includes the one before.
enum class role : std::uint8_t {
  none = 0,
  read = 1,     // look
  work = 2,     // be a worker: sessions, claims, leases, wakes
  operate = 3,  // submit and steer: runs, jobs, pauses, force
  admin = 4,    // limits, import, backups, retention
};
std::string_view to_text(role r);

struct access_token {
  std::string name;  // who it was given to; in the journal. 1 to 40 letters, digits, . _ -
  role may = role::none;
  token_hash hash{};  // SHA-256 of the token; the token itself is nowhere
  friend bool operator==(const access_token&, const access_token&) = default;
};

struct access_options {
  /// Who comes over TCP without a token. Default: admin while no token is declared, else none.
  std::optional<role> without_token;
  /// At most 1,000.
  std::vector<access_token> tokens;
};

// "ci work 5f3c…": name, role, SHA-256 in 64 hex digits. Codes: invalid (says what a line looks like).
result<access_token> parse_access_token(std::string_view line);
std::string to_text(const access_token& t);
// Names that occur twice, too many. Pointers are "tokens/N".
std::vector<field_problem> check(const access_options& o);

struct visitor {
  role may = role::none;
  std::string_view token;  // the name of the token; empty: none was shown. Lives as long as the options
};
// Nothing: the token that was shown is not known. Takes as long for a nearly right token as for a wrong one.
std::optional<visitor> admit(const access_options& o, bool own_socket, const token_hash* shown);

}  // namespace belfry::core
