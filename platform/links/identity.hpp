// IDENTITY: who a certificate speaks of. One place says it: the only URI among its alternative names,
// "belfry://CLUSTER/NODE"; in the authority's own certificate "belfry://CLUSTER/". Common names mean nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "platform/links/openssl.hpp"

namespace belfry::platform::links {

struct identity {
  std::string cluster, node;  // node: empty in the certificate of an authority
};

// 1..63 of a-z, 0-9, '-', '.'; first and last a letter or digit, so that no name is a path.
bool good_name(std::string_view name);
std::string uri_of(const identity& who);
std::optional<identity> identity_of_uri(std::string_view uri);
// Nothing: no such name, several URIs, or one that is not of this form.
std::optional<identity> identity_of(X509* certificate);
// Whether it may issue others.
bool is_authority(X509* certificate);
// Why it is not the certificate of a node of that cluster; empty: it is one. `who` is filled in then.
std::string why_no_node(X509* certificate, const std::string& cluster, identity& who);

}  // namespace belfry::platform::links
