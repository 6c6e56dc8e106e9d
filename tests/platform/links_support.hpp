// What the tests of secure links share: a town with an authority and its nodes, a door that lets them in, and
// strangers who try.
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/ports/secure_links.hpp"

namespace belfry::links_test {

using namespace std::chrono_literals;

// A folder of its own, gone at the end.
class scratch {
 public:
  scratch();
  ~scratch();
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

// Files of one bearer.
struct papers {
  std::string authority, certificate, key;
};

core::instant wall_now();

class town {
 public:
  explicit town(const std::string& name = "town");
  papers of(const std::string& node);  // issued at the first call
  papers issued_at(const std::string& node, core::instant now, core::span valid);
  std::string authority() const { return folder / "authority.crt"; }
  std::string authority_key() const { return folder / "authority.key"; }
  scratch folder;

 private:
  int made_ = 0;
};

struct forged {
  std::string uri = "URI:belfry://town/north";
  std::string constraints = "critical,CA:FALSE";
  std::string key_usage = "critical,digitalSignature";
  std::string extended = "clientAuth,serverAuth";
};
// A certificate of anybody's making, signed with the key at `issuer_key` (empty: itself). The chain is the
// certificate, then the issuer's when `with_issuer`.
papers forge(const scratch& in, const std::string& name, const forged& what, const std::string& issuer,
             const std::string& issuer_key, bool with_issuer = false);

platform::secure_link_options options_of(const papers& p);

// A door: what comes in stands in line.
class door {
 public:
  explicit door(platform::secure_link_options o, const std::string& at = "127.0.0.1:0");
  std::optional<platform::secure_link> next(std::chrono::milliseconds within = 10s);
  std::vector<std::string> said();  // by the notes
  bool said_word(std::string_view word);
  int port() const;
  std::string address;
  std::unique_ptr<platform::secure_links>& links() { return links_; }

 private:
  struct box {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<platform::secure_link> line;
    std::vector<std::string> notes;
  };
  std::shared_ptr<box> box_ = std::make_shared<box>();
  std::unique_ptr<platform::secure_links> links_;
};

core::result<platform::secure_link> dial(platform::secure_links& from, const std::string& address,
                                         const std::string& expected = {},
                                         platform::link_protocol p = platform::link_protocol::actors,
                                         core::span deadline = 10s);

// Both ends of one link.
struct pair_of_ends {
  platform::descriptor here, there;
};
pair_of_ends connect(platform::secure_links& from, door& to);

bool write_all(int fd, std::string_view text);  // waits until there is room; false when the other end is gone
std::string read_exactly(int fd, std::size_t size, std::chrono::milliseconds within = 10s);
bool ends(int fd, std::chrono::milliseconds within = 10s);  // nothing more comes: its end or a reset
bool becomes_true(const std::function<bool()>& what, std::chrono::milliseconds within = 10s);
std::size_t open_descriptors();
// Whether the memory of this process says something: a sanitizer keeps what was freed.
bool memory_tells();

// A stranger on a plain socket.
class stranger {
 public:
  explicit stranger(int port, const std::string& source = "127.0.0.1");
  bool send(std::string_view bytes);  // false: the connection is gone
  bool cut_off(std::chrono::milliseconds within = 10s) { return ends(fd.get(), within); }
  platform::descriptor fd;
};

struct tls_wish {
  papers show;  // no certificate: shows none
  int version = TLS1_3_VERSION;
  std::vector<std::string> offers = {"belfry-actors/1"};
};
// One that speaks TLS, with whatever papers it has.
class tls_stranger {
 public:
  tls_stranger(int port, const tls_wish& wish, const std::string& source = "127.0.0.1");
  ~tls_stranger();
  tls_stranger(const tls_stranger&) = delete;
  tls_stranger& operator=(const tls_stranger&) = delete;
  bool let_in();                            // whether it was told welcome
  int answered() const { return answer_; }  // the byte; 0: none
  bool send(std::string_view bytes);
  SSL* tls() { return ssl_; }
  int socket() const { return plain_.fd.get(); }
  std::string agreed() const;

 private:
  stranger plain_;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  int answer_ = 0;
};

}  // namespace belfry::links_test
