// PEM FILES: certificates and keys on disk. A key that others may read is no key; nothing is overwritten.
#pragma once

#include <string>
#include <vector>

#include "core/errors/result.hpp"
#include "core/time/instant.hpp"
#include "platform/links/openssl.hpp"

namespace belfry::platform::links {

// All certificates of a file, at least one; invalid names the file and what is wrong.
core::result<std::vector<owned<X509>>> load_certificates(const std::string& path);
// invalid: not there, not a key, encrypted, or readable by others.
core::result<owned<EVP_PKEY>> load_key(const std::string& path);
std::string pem_of(X509* certificate);
// Whole or not at all, synced; conflict when there is one already.
core::result<void> write_new_file(const std::string& path, const std::string& text, unsigned mode);
core::instant instant_of(const ASN1_TIME* time);  // never: it is not a time
std::string serial_of(X509* certificate);         // hexadecimal

}  // namespace belfry::platform::links
