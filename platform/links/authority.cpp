// The authority of a cluster: makes its own certificate, and those of nodes, which can do nothing but be one.
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>
#include <utility>

#include "platform/links/identity.hpp"
#include "platform/links/pem_files.hpp"
#include "platform/ports/files.hpp"
#include "platform/ports/secure_links.hpp"

namespace belfry::platform {

using namespace links;

namespace {

constexpr core::span clocks_differ = std::chrono::hours{1};  // so much in the past a certificate begins
constexpr core::span longest_life = std::chrono::hours{24 * 365 * 100};
constexpr unsigned key_mode = 0600;
constexpr unsigned certificate_mode = 0644;

core::failure wrong(const std::string& field, const std::string& value, const std::string& allowed) {
  core::failure f;
  f.code = core::errc::invalid;
  f.text = field + ": '" + value + "' will not do; allowed: " + allowed;
  f.problems.push_back({"/" + field, value, allowed, ""});
  return f;
}

constexpr std::string_view names_allowed =
    "1 to 63 of a-z, 0-9, '-' and '.', beginning and ending with a letter or digit";

core::failure broken(const std::string& what) {
  return {core::errc::internal, "OpenSSL cannot " + what + ": " + openssl_error(), {}, {}, 0};
}

bool extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  const bool added = made != nullptr && X509_add_ext(certificate, made, -1) == 1;
  X509_EXTENSION_free(made);
  return added;
}

bool name(X509_NAME* of, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(of, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool random_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7FU) | 0x40U);  // positive, and always 16 bytes
  BIGNUM* number = BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr);
  const bool set =
      number != nullptr && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return set;
}

std::time_t seconds_of(core::instant t) { return core::micros(t) / 1'000'000; }

struct wish {
  identity who;
  core::instant from, until;
};

// Everything but the extensions that make the difference, and the signature.
owned<X509> draft(const wish& w, EVP_PKEY* key, X509* issuer) {
  owned<X509> c(X509_new());
  if (!c) return nullptr;
  X509_NAME* subject = X509_get_subject_name(c.get());
  const bool node = !w.who.node.empty();
  const bool done = X509_set_version(c.get(), X509_VERSION_3) == 1 && random_serial(c.get()) &&
                    ASN1_TIME_set(X509_getm_notBefore(c.get()), seconds_of(w.from)) != nullptr &&
                    ASN1_TIME_set(X509_getm_notAfter(c.get()), seconds_of(w.until)) != nullptr &&
                    name(subject, "O", node ? w.who.cluster : "belfry authority") &&
                    name(subject, "CN", node ? w.who.node : w.who.cluster) &&
                    X509_set_issuer_name(c.get(), node ? X509_get_subject_name(issuer) : subject) == 1 &&
                    X509_set_pubkey(c.get(), key) == 1 &&
                    extend(c.get(), c.get(), NID_subject_key_identifier, "hash") &&
                    extend(c.get(), node ? issuer : c.get(), NID_authority_key_identifier, "keyid:always") &&
                    extend(c.get(), c.get(), NID_subject_alt_name, "URI:" + uri_of(w.who));
  return done ? std::move(c) : nullptr;
}

owned<EVP_PKEY> new_key() { return owned<EVP_PKEY>(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

core::result<void> write_key(const std::string& path, EVP_PKEY* key) {
  const owned<BIO> bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return broken("write a key");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  std::string text(data, static_cast<std::size_t>(size));
  auto written = write_new_file(path, text, key_mode);
  OPENSSL_cleanse(text.data(), text.size());
  OPENSSL_cleanse(data, static_cast<std::size_t>(size));
  return written;
}

bool there(const std::string& path) {
  struct stat s {};
  return ::lstat(path.c_str(), &s) == 0;
}

core::failure taken(const std::string& path) {
  return {core::errc::conflict, path + " is there already; nothing is overwritten", {}, {}, 0};
}

issued facts_of(X509* c) {
  issued f;
  if (const auto who = identity_of(c)) {
    f.node = who->node;
    f.cluster = who->cluster;
  }
  f.serial = serial_of(c);
  f.from = instant_of(X509_get0_notBefore(c));
  f.until = instant_of(X509_get0_notAfter(c));
  return f;
}

core::result<void> check_life(core::span valid) {
  if (valid < std::chrono::minutes{1} || valid > longest_life)
    return wrong("valid", std::to_string(valid.count() / 1'000'000) + " s", "1m to 100y");
  return {};
}

// A certificate without its key, or the reverse, helps nobody.
core::result<void> write_pair(const std::string& key_path, EVP_PKEY* key, const std::string& path, X509* c) {
  if (auto written = write_key(key_path, key); !written) return written;
  auto written = write_new_file(path, pem_of(c), certificate_mode);
  if (!written) ::unlink(key_path.c_str());
  return written;
}

}  // namespace

core::result<issued> make_authority(const std::string& folder, const std::string& cluster, core::instant now,
                                    core::span valid) {
  if (!good_name(cluster)) return wrong("name", cluster, std::string(names_allowed));
  if (auto fine = check_life(valid); !fine) return fine.error();
  const authority_paths paths{folder + "/authority.crt", folder + "/authority.key"};
  for (const auto& each : {paths.certificate, paths.key})
    if (there(each)) return taken(each);
  const auto key = new_key();
  const auto c =
      key ? draft({{cluster, ""}, now - clocks_differ, core::later(now, valid)}, key.get(), nullptr)
          : nullptr;
  if (!c || !extend(c.get(), c.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !extend(c.get(), c.get(), NID_key_usage, "critical,keyCertSign") ||
      X509_sign(c.get(), key.get(), nullptr) == 0)
    return broken("make an authority");
  if (auto made = make_folder(folder); !made) return made.error();
  if (auto written = write_pair(paths.key, key.get(), paths.certificate, c.get()); !written)
    return written.error();
  return facts_of(c.get());
}

core::result<issued> issue_node(const std::string& folder, const std::string& node, const std::string& into,
                                core::instant now, core::span valid) {
  if (!good_name(node)) return wrong("node", node, std::string(names_allowed));
  if (auto fine = check_life(valid); !fine) return fine.error();
  const authority_paths authority{folder + "/authority.crt", folder + "/authority.key"};
  const node_paths paths{into + "/node.crt", into + "/node.key", into + "/authority.crt"};
  auto issuers = load_certificates(authority.certificate);
  if (!issuers) {
    issuers.error().command = "belfry cluster init --name NAME --folder " + folder;
    return issuers.error();
  }
  X509* const issuer = issuers->front().get();
  const auto authority_key = load_key(authority.key);
  if (!authority_key) return authority_key.error();
  const auto of = identity_of(issuer);
  if (!of || !of->node.empty() || !is_authority(issuer))
    return core::failure{
        core::errc::invalid, authority.certificate + " is not the certificate of an authority", {}, {}, 0};
  if (X509_check_private_key(issuer, authority_key->get()) != 1) {
    ERR_clear_error();
    return core::failure{
        core::errc::invalid, authority.key + " is not the key of " + authority.certificate, {}, {}, 0};
  }
  const auto ends = instant_of(X509_get0_notAfter(issuer));
  if (ends <= now)
    return core::failure{
        core::errc::invalid, authority.certificate + " has expired", {}, "belfry cluster init --help", 0};
  for (const auto& each : {paths.certificate, paths.key})
    if (there(each)) return taken(each);
  // The same authority may be there already: that of a node whose certificate is renewed.
  std::string trusted;
  for (const auto& each : *issuers) trusted += pem_of(each.get());
  const bool known = there(paths.authority);
  if (known) {
    const auto text = read_file(paths.authority, trusted.size());
    if (!text || *text != trusted) return taken(paths.authority);
  }
  const auto begins = std::max(now - clocks_differ, instant_of(X509_get0_notBefore(issuer)));
  const auto key = new_key();
  const auto c =
      key ? draft({{of->cluster, node}, begins, std::min(core::later(now, valid), ends)}, key.get(), issuer)
          : nullptr;
  if (!c || !extend(c.get(), c.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !extend(c.get(), c.get(), NID_key_usage, "critical,digitalSignature") ||
      !extend(c.get(), c.get(), NID_ext_key_usage, "clientAuth,serverAuth") ||
      X509_sign(c.get(), authority_key->get(), nullptr) == 0)
    return broken("issue a certificate");
  if (auto made = make_folder(into); !made) return made.error();
  if (!known) {
    if (auto written = write_new_file(paths.authority, trusted, certificate_mode); !written)
      return written.error();
  }
  if (auto written = write_pair(paths.key, key.get(), paths.certificate, c.get()); !written) {
    if (!known) ::unlink(paths.authority.c_str());
    return written.error();
  }
  return facts_of(c.get());
}

core::result<issued> read_certificate(const std::string& path) {
  const auto all = load_certificates(path);
  if (!all) return all.error();
  return facts_of(all->front().get());
}

}  // namespace belfry::platform
