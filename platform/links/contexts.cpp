// What a node trusts and shows, read once, and checked as a peer would: better a node that does not start
// than one that nobody lets in.
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <utility>
#include <vector>

#include "platform/links/pem_files.hpp"
#include "platform/links/tls.hpp"

namespace belfry::platform::links {

namespace {

constexpr int read_ahead = 1;
constexpr std::size_t record_buffer = 32 * 1024;
constexpr long largest_chain = 16 * 1024;  // bytes of certificates that a stranger may send

core::failure refused(const std::string& path, const std::string& why, const std::string& command) {
  core::failure f{core::errc::invalid, path + ": " + why, {}, command, 0};
  f.problems.push_back({"", path, "", why});
  return f;
}

// The first of the client's protocols that is ours.
int choose(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned int length,
           void*) {
  for (unsigned int at = 0; at < length; at += 1U + in[at]) {
    const std::string_view name{reinterpret_cast<const char*>(in + at + 1), in[at]};
    for (const auto p : {link_protocol::actors, link_protocol::http})
      if (name == alpn_of(p)) {
        *out = in + at + 1;
        *size = in[at];
        return SSL_TLSEXT_ERR_OK;
      }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

owned<X509_STORE> store_of(const std::vector<owned<X509>>& trusted) {
  owned<X509_STORE> store(X509_STORE_new());
  if (!store) return nullptr;
  for (const auto& each : trusted)
    if (X509_STORE_add_cert(store.get(), each.get()) != 1) return nullptr;
  X509_STORE_set_flags(store.get(), X509_V_FLAG_X509_STRICT);
  return store;
}

std::string why_untrusted(X509_STORE* store, X509* leaf, int purpose) {
  const owned<X509_STORE_CTX> chain(X509_STORE_CTX_new());
  if (!chain || X509_STORE_CTX_init(chain.get(), store, leaf, nullptr) != 1) return openssl_error();
  X509_STORE_CTX_set_purpose(chain.get(), purpose);
  X509_STORE_CTX_set_depth(chain.get(), 0);
  if (X509_verify_cert(chain.get()) == 1) return {};
  ERR_clear_error();
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain.get()));
}

owned<SSL_CTX> context_of(const SSL_METHOD* method, X509_STORE* store, X509* leaf, EVP_PKEY* key) {
  owned<SSL_CTX> c(SSL_CTX_new(method));
  if (!c || SSL_CTX_set_min_proto_version(c.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(c.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set1_groups_list(c.get(), "X25519:P-256") != 1 ||
      SSL_CTX_set_ciphersuites(
          c.get(), "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") != 1 ||
      SSL_CTX_use_certificate(c.get(), leaf) != 1 || SSL_CTX_use_PrivateKey(c.get(), key) != 1 ||
      SSL_CTX_set1_verify_cert_store(c.get(), store) != 1 || SSL_CTX_set_num_tickets(c.get(), 0) != 1)
    return nullptr;
  SSL_CTX_set_verify_depth(c.get(), 0);  // nothing between a node and its authority
  SSL_CTX_set_options(c.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(c.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(c.get(), largest_chain);
  SSL_CTX_set_mode(c.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(c.get(), read_ahead);
  SSL_CTX_set_default_read_buffer_len(c.get(), record_buffer);
  return c;
}

}  // namespace

std::string_view alpn_of(link_protocol p) {
  switch (p) {
    case link_protocol::actors: return "belfry-actors/1";
    case link_protocol::http: return "belfry-http/1";
  }
  return {};
}

core::result<tls_contexts> open_contexts(const secure_link_options& o) {
  const auto trusted = load_certificates(o.authority);
  if (!trusted) return trusted.error();
  for (const auto& each : *trusted)
    if (!is_authority(each.get()))
      return refused(o.authority, "it is not the certificate of an authority",
                     "belfry cluster show " + o.authority);
  const auto mine = load_certificates(o.certificate);
  if (!mine) return mine.error();
  const auto key = load_key(o.key);
  if (!key) return key.error();
  X509* const leaf = mine->front().get();
  tls_contexts out;
  const auto named = identity_of(leaf);
  if (const auto why = why_no_node(leaf, named ? named->cluster : std::string{}, out.self); !why.empty())
    return refused(o.certificate, why, "belfry cluster issue NODE");
  if (X509_check_private_key(leaf, key->get()) != 1) {
    ERR_clear_error();
    return refused(o.key, "it is not the key of " + o.certificate, "belfry cluster issue NODE");
  }
  const auto store = store_of(*trusted);
  if (!store) return core::failure{core::errc::internal, "OpenSSL: " + openssl_error(), {}, {}, 0};
  for (const int purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT})
    if (const auto why = why_untrusted(store.get(), leaf, purpose); !why.empty())
      return refused(o.certificate, why + ", says " + o.authority, "belfry cluster show " + o.certificate);
  out.accepts = context_of(TLS_server_method(), store.get(), leaf, key->get());
  out.calls = context_of(TLS_client_method(), store.get(), leaf, key->get());
  if (!out.accepts || !out.calls)
    return core::failure{core::errc::internal, "OpenSSL: " + openssl_error(), {}, {}, 0};
  SSL_CTX_set_verify(out.accepts.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, &tls_peer::verify);
  SSL_CTX_set_verify(out.calls.get(), SSL_VERIFY_PEER, &tls_peer::verify);
  SSL_CTX_set_alpn_select_cb(out.accepts.get(), &choose, nullptr);
  return out;
}

}  // namespace belfry::platform::links
