// TLS: the two contexts of a node (who comes, whom it calls) and a connection's state on a socket.
//
// 1.3 only, certificates on both sides, one trusted authority, no tickets, no early data. Who the peer is, is
// judged inside the handshake, so that a refused one learns it as an alert and gets no further.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/errors/result.hpp"
#include "platform/links/identity.hpp"
#include "platform/links/openssl.hpp"
#include "platform/ports/secure_links.hpp"

namespace belfry::platform::links {

struct tls_contexts {
  owned<SSL_CTX> accepts, calls;
  identity self;
};
core::result<tls_contexts> open_contexts(const secure_link_options& options);

// What one connection knows of its peer. Does not move: OpenSSL holds its address.
class tls_peer {
 public:
  enum class wants : std::uint8_t { nothing, read, write, end, broken };

  // `fd` is borrowed. `cluster`, `expected`: whom the other side has to be; no expected: any node.
  tls_peer(SSL_CTX* context, int fd, std::string cluster, std::string expected);
  tls_peer(const tls_peer&) = delete;
  tls_peer& operator=(const tls_peer&) = delete;

  explicit operator bool() const { return static_cast<bool>(ssl_); }
  void offer(link_protocol protocol);  // before a call's handshake
  wants shake();                       // nothing: it is over
  // One step each; `done` says how many bytes. end: the other side said that nothing more comes.
  wants read(char* into, std::size_t room, std::size_t& done);
  wants write(const char* from, std::size_t size, std::size_t& done);
  wants close();     // says that nothing more is sent; nothing: said
  bool buffered();   // bytes of the peer's are here already, perhaps not a whole record
  bool renew_key();  // for what is sent from now on
  const std::string& node() const { return who_.node; }
  bool protocol(link_protocol& out) const;         // false: none was agreed
  const std::string& why() const { return why_; }  // after broken: what was wrong, without the peer's words
  bool lost() const { return lost_; }              // broken by the network, not by what was said
  std::uint64_t taken() const { return taken_; }   // bytes that the kernel took for the peer

 private:
  static BIO_METHOD* method();
  static int bio_read(BIO* bio, char* into, int room);
  static int bio_write(BIO* bio, const char* from, int size);
  static long bio_control(BIO* bio, int command, long number, void* pointer);
  static int verify(int fine, X509_STORE_CTX* chain);
  friend core::result<tls_contexts> open_contexts(const secure_link_options& options);

  wants judge(int returned);
  bool known(X509* leaf);

  owned<SSL> ssl_;
  int fd_;
  std::string cluster_, expected_, why_;
  identity who_;
  std::uint64_t taken_ = 0;
  bool ended_ = false;  // the socket, without a word of TLS
  bool lost_ = false;
};

std::string_view alpn_of(link_protocol p);

}  // namespace belfry::platform::links
