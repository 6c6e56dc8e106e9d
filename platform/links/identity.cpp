#include "platform/links/identity.hpp"

#include <openssl/x509v3.h>

#include <algorithm>

namespace belfry::platform::links {

namespace {
constexpr std::string_view scheme = "belfry://";
constexpr std::size_t longest_name = 63;

bool plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
}  // namespace

// Stands here until core::check_node_name is there; the rule is the same, and this one only needs yes or no.
bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && plain(name.front()) && plain(name.back()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return plain(c) || c == '-' || c == '.'; });
}

std::string uri_of(const identity& who) { return std::string(scheme) + who.cluster + "/" + who.node; }

std::optional<identity> identity_of_uri(std::string_view uri) {
  if (!uri.starts_with(scheme)) return std::nullopt;
  uri.remove_prefix(scheme.size());
  const auto slash = uri.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  identity who{std::string(uri.substr(0, slash)), std::string(uri.substr(slash + 1))};
  if (!good_name(who.cluster) || (!who.node.empty() && !good_name(who.node))) return std::nullopt;
  return who;
}

std::optional<identity> identity_of(X509* certificate) {
  const auto free_names = [](GENERAL_NAMES* n) { GENERAL_NAMES_free(n); };
  const std::unique_ptr<GENERAL_NAMES, decltype(free_names)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return std::nullopt;
  std::optional<identity> found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    if (found) return std::nullopt;  // two opinions are none
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    found = identity_of_uri({reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                             static_cast<std::size_t>(ASN1_STRING_length(text))});
    if (!found) return std::nullopt;
  }
  return found;
}

bool is_authority(X509* certificate) {
  return X509_check_ca(certificate) != 0 || (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0 ||
         ((X509_get_extension_flags(certificate) & EXFLAG_KUSAGE) != 0 &&
          (X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN) != 0);
}

std::string why_no_node(X509* certificate, const std::string& cluster, identity& who) {
  if (is_authority(certificate)) return "the certificate is an authority's, not a node's";
  auto found = identity_of(certificate);
  if (!found || found->node.empty()) return "the certificate names no node (URI:belfry://CLUSTER/NODE)";
  if (found->cluster != cluster)
    return "the certificate is of cluster " + found->cluster + ", this is " + cluster;
  who = std::move(*found);
  return {};
}

}  // namespace belfry::platform::links
