#include "tests/platform/links_support.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "platform/ports/files.hpp"

namespace belfry::links_test {

namespace {

template <class T, void (*Free)(T*)>
using held = std::unique_ptr<T, std::integral_constant<decltype(Free), Free>>;
using certificate = held<X509, X509_free>;
using private_key = held<EVP_PKEY, EVP_PKEY_free>;

struct file_closer {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using file = std::unique_ptr<std::FILE, file_closer>;

file opened(const std::string& path, const char* how) {
  file f(std::fopen(path.c_str(), how));
  REQUIRE(f);
  return f;
}

void extend(X509* c, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, c, nullptr, nullptr, 0);
  X509_EXTENSION* e = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  REQUIRE(e != nullptr);
  X509_add_ext(c, e, -1);
  X509_EXTENSION_free(e);
}

int left(std::chrono::steady_clock::time_point deadline) {
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::int64_t>(0, ms.count()));
}

}  // namespace

scratch::scratch() : path((std::filesystem::temp_directory_path() / "belfry-links-XXXXXX").string()) {
  REQUIRE(::mkdtemp(path.data()) != nullptr);
}
scratch::~scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

core::instant wall_now() {
  return std::chrono::time_point_cast<core::span>(std::chrono::system_clock::now());
}

town::town(const std::string& name) {
  const auto made = platform::make_authority(folder.path, name, wall_now() - 24h * 30, 24h * 365);
  REQUIRE(made.ok());
}

papers town::of(const std::string& node) {
  const auto into = folder / node;
  if (!std::filesystem::exists(into))
    REQUIRE(platform::issue_node(folder.path, node, into, wall_now(), 24h).ok());
  return {into + "/authority.crt", into + "/node.crt", into + "/node.key"};
}

papers town::issued_at(const std::string& node, core::instant now, core::span valid) {
  const auto into = folder / ("other-" + std::to_string(++made_));
  REQUIRE(platform::issue_node(folder.path, node, into, now, valid).ok());
  return {into + "/authority.crt", into + "/node.crt", into + "/node.key"};
}

papers forge(const scratch& in, const std::string& name, const forged& what, const std::string& issuer,
             const std::string& issuer_key, bool with_issuer) {
  const private_key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const certificate c(X509_new());
  X509_set_version(c.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(c.get()), 4711);
  X509_gmtime_adj(X509_getm_notBefore(c.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(c.get()), 3600);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(c.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("forged"), -1, -1, 0);
  X509_set_pubkey(c.get(), key.get());
  certificate above;
  private_key signs;
  if (!issuer.empty()) {
    above.reset(PEM_read_X509(opened(issuer, "r").get(), nullptr, nullptr, nullptr));
    signs.reset(PEM_read_PrivateKey(opened(issuer_key, "r").get(), nullptr, nullptr, nullptr));
    REQUIRE(above);
    REQUIRE(signs);
  }
  X509* const by = above ? above.get() : c.get();
  X509_set_issuer_name(c.get(), X509_get_subject_name(by));
  extend(c.get(), c.get(), NID_subject_key_identifier, "hash");
  extend(c.get(), by, NID_authority_key_identifier, "keyid:always");
  extend(c.get(), c.get(), NID_subject_alt_name, what.uri);
  extend(c.get(), c.get(), NID_basic_constraints, what.constraints);
  extend(c.get(), c.get(), NID_key_usage, what.key_usage);
  extend(c.get(), c.get(), NID_ext_key_usage, what.extended);
  REQUIRE(X509_sign(c.get(), signs ? signs.get() : key.get(), nullptr) > 0);
  const papers made{issuer, in / (name + ".crt"), in / (name + ".key")};
  {
    const auto out = opened(made.certificate, "w");
    PEM_write_X509(out.get(), c.get());
    if (with_issuer) PEM_write_X509(out.get(), above.get());
  }
  PEM_write_PrivateKey(opened(made.key, "w").get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  std::filesystem::permissions(made.key, std::filesystem::perms{0600});
  return made;
}

platform::secure_link_options options_of(const papers& p) {
  platform::secure_link_options o;
  o.authority = p.authority;
  o.certificate = p.certificate;
  o.key = p.key;
  return o;
}

door::door(platform::secure_link_options o, const std::string& at) {
  o.note = [box = box_](const std::string& line) {
    const std::lock_guard hold(box->mutex);
    box->notes.push_back(line);
  };
  auto opened_links = platform::open_secure_links(std::move(o));
  if (!opened_links) FAIL(opened_links.error().text);
  links_ = std::move(*opened_links);
  const auto bound = links_->listen(at, [box = box_](platform::secure_link l) {
    const std::lock_guard hold(box->mutex);
    box->line.push_back(std::move(l));
    box->changed.notify_all();
  });
  if (!bound) FAIL(bound.error().text);
  address = *bound;
}

std::optional<platform::secure_link> door::next(std::chrono::milliseconds within) {
  std::unique_lock hold(box_->mutex);
  if (!box_->changed.wait_for(hold, within, [&] { return !box_->line.empty(); })) return std::nullopt;
  auto first = std::move(box_->line.front());
  box_->line.pop_front();
  return first;
}

std::vector<std::string> door::said() {
  const std::lock_guard hold(box_->mutex);
  return box_->notes;
}

bool door::said_word(std::string_view word) {
  for (const auto& line : said())
    if (line.find(word) != std::string::npos) return true;
  return false;
}

int door::port() const { return std::stoi(address.substr(address.rfind(':') + 1)); }

core::result<platform::secure_link> dial(platform::secure_links& from, const std::string& address,
                                         const std::string& expected, platform::link_protocol p,
                                         core::span deadline) {
  auto told = std::make_shared<std::promise<core::result<platform::secure_link>>>();
  auto answer = told->get_future();
  from.dial(address, p, expected, deadline,
            [told](core::result<platform::secure_link> r) { told->set_value(std::move(r)); });
  REQUIRE(answer.wait_for(30s) == std::future_status::ready);
  return answer.get();
}

pair_of_ends connect(platform::secure_links& from, door& to) {
  auto here = dial(from, to.address);
  if (!here) FAIL(here.error().text);
  auto there = to.next();
  REQUIRE(there);
  return {std::move(here->local), std::move(there->local)};
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) return false;
    pollfd p{fd, POLLOUT, 0};
    if (::poll(&p, 1, 30'000) <= 0) return false;
  }
  return true;
}

std::string read_exactly(int fd, std::size_t size, std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  std::string text;
  std::vector<char> part(64 * 1024);
  while (text.size() < size) {
    const ssize_t n = ::recv(fd, part.data(), std::min(part.size(), size - text.size()), MSG_DONTWAIT);
    if (n == 0) break;
    if (n > 0) {
      text.append(part.data(), static_cast<std::size_t>(n));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) break;
    pollfd p{fd, POLLIN, 0};
    if (::poll(&p, 1, left(deadline)) <= 0) break;
  }
  return text;
}

bool ends(int fd, std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  std::vector<char> part(64 * 1024);
  for (;;) {
    const ssize_t n = ::recv(fd, part.data(), part.size(), MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return true;
    if (n > 0) continue;
    pollfd p{fd, POLLIN, 0};
    if (::poll(&p, 1, left(deadline)) <= 0) return false;
  }
}

bool becomes_true(const std::function<bool()>& what, std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!what()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

std::size_t open_descriptors() { return platform::list_folder("/proc/self/fd").size(); }

bool memory_tells() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#elif defined(__has_feature)
  return !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
  return true;
#endif
}

stranger::stranger(int port, const std::string& source)
    : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  REQUIRE(fd);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  ::inet_pton(AF_INET, source.c_str(), &a.sin_addr);
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0);
  ::inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
  a.sin_port = htons(static_cast<std::uint16_t>(port));
  const timeval patience{10, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0);
}

bool stranger::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

tls_stranger::tls_stranger(int port, const tls_wish& wish, const std::string& source)
    : plain_(port, source), context_(SSL_CTX_new(TLS_client_method())), ssl_(nullptr) {
  SSL_CTX_set_min_proto_version(context_, std::min(wish.version, TLS1_2_VERSION));
  SSL_CTX_set_max_proto_version(context_, wish.version);
  SSL_CTX_set_verify(context_, SSL_VERIFY_NONE, nullptr);
  if (!wish.show.certificate.empty()) {
    REQUIRE(SSL_CTX_use_certificate_chain_file(context_, wish.show.certificate.c_str()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey_file(context_, wish.show.key.c_str(), SSL_FILETYPE_PEM) == 1);
  }
  std::string list;
  for (const auto& each : wish.offers) {
    list += static_cast<char>(each.size());
    list += each;
  }
  if (!list.empty())
    SSL_CTX_set_alpn_protos(context_, reinterpret_cast<const unsigned char*>(list.data()),
                            static_cast<unsigned int>(list.size()));
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, plain_.fd.get());
  char word = 0;
  if (SSL_connect(ssl_) == 1 && SSL_read(ssl_, &word, 1) == 1) answer_ = word;
  ERR_clear_error();
}

tls_stranger::~tls_stranger() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
  ERR_clear_error();
}

bool tls_stranger::let_in() { return answer_ == 1; }

bool tls_stranger::send(std::string_view bytes) {
  ERR_clear_error();
  return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
}

std::string tls_stranger::agreed() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace belfry::links_test
