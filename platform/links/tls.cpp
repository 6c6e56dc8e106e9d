#include "platform/links/tls.hpp"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace belfry::platform::links {

// A socket BIO of our own: OpenSSL's writes without MSG_NOSIGNAL, and a peer that goes must not end a program
// that has not asked for SIGPIPE.
BIO_METHOD* tls_peer::method() {
  static BIO_METHOD* const made = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "belfry link");
    BIO_meth_set_read(m, &tls_peer::bio_read);
    BIO_meth_set_write(m, &tls_peer::bio_write);
    BIO_meth_set_ctrl(m, &tls_peer::bio_control);
    return m;
  }();
  return made;
}

int tls_peer::bio_read(BIO* bio, char* into, int room) {
  auto& self = *static_cast<tls_peer*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  ssize_t n = 0;
  do {
    n = ::recv(self.fd_, into, static_cast<std::size_t>(room), 0);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
  if (n == 0) self.ended_ = true;
  return static_cast<int>(n);
}

int tls_peer::bio_write(BIO* bio, const char* from, int size) {
  auto& self = *static_cast<tls_peer*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  ssize_t n = 0;
  do {
    n = ::send(self.fd_, from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
  if (n > 0) self.taken_ += static_cast<std::uint64_t>(n);
  return static_cast<int>(n);
}

long tls_peer::bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return static_cast<tls_peer*>(BIO_get_data(bio))->ended_ ? 1 : 0;
  return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

tls_peer::tls_peer(SSL_CTX* context, int fd, std::string cluster, std::string expected)
    : ssl_(SSL_new(context)), fd_(fd), cluster_(std::move(cluster)), expected_(std::move(expected)) {
  BIO* bio = ssl_ ? BIO_new(method()) : nullptr;
  if (bio == nullptr) {
    ssl_.reset();
    return;
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  if (SSL_is_server(ssl_.get()) != 0)
    SSL_set_accept_state(ssl_.get());
  else
    SSL_set_connect_state(ssl_.get());
}

void tls_peer::offer(link_protocol protocol) {
  const auto name = alpn_of(protocol);
  std::string list(1, static_cast<char>(name.size()));
  list += name;
  SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(list.data()),
                      static_cast<unsigned int>(list.size()));
}

// Called for each certificate of the chain, the authority's first.
int tls_peer::verify(int fine, X509_STORE_CTX* chain) {
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& self = *static_cast<tls_peer*>(SSL_get_app_data(ssl));
  if (fine != 1) {
    self.why_ = X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain));
    return 0;
  }
  if (X509_STORE_CTX_get_error_depth(chain) != 0) return 1;
  if (self.known(X509_STORE_CTX_get_current_cert(chain))) return 1;
  X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

bool tls_peer::known(X509* leaf) {
  identity found;
  if (auto why = why_no_node(leaf, cluster_, found); !why.empty()) {
    why_ = std::move(why);
    return false;
  }
  if (!expected_.empty() && found.node != expected_) {
    why_ = "it is " + found.node + ", not " + expected_;
    return false;
  }
  who_ = std::move(found);
  return true;
}

tls_peer::wants tls_peer::judge(int returned) {
  const int error = SSL_get_error(ssl_.get(), returned);
  switch (error) {
    case SSL_ERROR_NONE: return wants::nothing;
    case SSL_ERROR_WANT_READ: return wants::read;
    case SSL_ERROR_WANT_WRITE: return wants::write;
    case SSL_ERROR_ZERO_RETURN: return wants::end;
    default: break;
  }
  lost_ =
      error == SSL_ERROR_SYSCALL || ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  auto said = lost_ ? std::string("the connection was cut") : openssl_error();
  if (why_.empty()) why_ = std::move(said);
  return wants::broken;
}

tls_peer::wants tls_peer::shake() {
  ERR_clear_error();
  const auto now = judge(SSL_do_handshake(ssl_.get()));
  if (now != wants::nothing) return now == wants::end ? wants::broken : now;
  link_protocol agreed{};
  if (who_.node.empty() || !protocol(agreed)) {
    why_ = who_.node.empty() ? "it showed no certificate" : "it offered no protocol of ours";
    return wants::broken;
  }
  return now;
}

tls_peer::wants tls_peer::read(char* into, std::size_t room, std::size_t& done) {
  ERR_clear_error();
  done = 0;
  return judge(SSL_read_ex(ssl_.get(), into, room, &done));
}

tls_peer::wants tls_peer::write(const char* from, std::size_t size, std::size_t& done) {
  ERR_clear_error();
  done = 0;
  return judge(SSL_write_ex(ssl_.get(), from, size, &done));
}

tls_peer::wants tls_peer::close() {
  ERR_clear_error();
  const int n = SSL_shutdown(ssl_.get());
  return n >= 0 ? wants::nothing : judge(n);
}

bool tls_peer::buffered() { return SSL_has_pending(ssl_.get()) != 0; }

bool tls_peer::renew_key() { return SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1; }

bool tls_peer::protocol(link_protocol& out) const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  const std::string_view agreed{reinterpret_cast<const char*>(name), size};
  for (const auto p : {link_protocol::actors, link_protocol::http})
    if (agreed == alpn_of(p)) {
      out = p;
      return true;
    }
  return false;
}

}  // namespace belfry::platform::links
