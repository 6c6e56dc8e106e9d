#include "platform/links/pem_files.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "platform/descriptor.hpp"
#include "platform/errno_text.hpp"
#include "platform/ports/files.hpp"

namespace belfry::platform::links {

namespace {

constexpr std::size_t largest_file = 64 * 1024;
constexpr std::size_t most_certificates = 8;

core::failure bad_file(const std::string& path, const std::string& why, const std::string& command = {}) {
  core::failure f{core::errc::invalid, path + ": " + why, {}, command, 0};
  f.problems.push_back({"", path, "a PEM file of belfry cluster issue", why});
  return f;
}

owned<BIO> memory_of(const std::string& text) {
  return owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Whoever may read a key is the node.
std::string why_not_private(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return errno_text(errno);
  if (!S_ISREG(s.st_mode)) return "it is not a file";
  if ((s.st_mode & 077U) != 0) return "others may read or change this key";
  if (s.st_uid != ::geteuid() && s.st_uid != 0) return "the key belongs to another user";
  return {};
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

core::result<std::vector<owned<X509>>> load_certificates(const std::string& path) {
  if (path.empty()) return bad_file("certificate", "no file is named", "belfry cluster issue --help");
  const auto text = read_file(path, largest_file);
  if (!text) return bad_file(path, text.error().text, "belfry cluster issue --help");
  const auto bio = memory_of(*text);
  std::vector<owned<X509>> all;
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, &no_passphrase, nullptr)) {
    all.emplace_back(one);
    if (all.size() > most_certificates)
      return bad_file(path, "it has more than " + std::to_string(most_certificates) + " certificates");
  }
  ERR_clear_error();
  if (all.empty()) return bad_file(path, "there is no certificate in it");
  return all;
}

core::result<owned<EVP_PKEY>> load_key(const std::string& path) {
  if (path.empty()) return bad_file("key", "no file is named", "belfry cluster issue --help");
  if (const auto why = why_not_private(path); !why.empty())
    return bad_file(path, why, why.starts_with("others") ? "chmod 600 " + path : std::string{});
  auto text = read_file(path, largest_file);
  if (!text) return bad_file(path, text.error().text);
  owned<EVP_PKEY> key;
  {
    const auto bio = memory_of(*text);
    key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, nullptr));
  }
  OPENSSL_cleanse(text->data(), text->size());
  ERR_clear_error();
  if (!key) return bad_file(path, "it is not a private key without a passphrase");
  return key;
}

std::string pem_of(X509* certificate) {
  const owned<BIO> bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

core::result<void> write_new_file(const std::string& path, const std::string& text, unsigned mode) {
  const auto failed = [&](int error) {
    if (error == EEXIST)
      return core::failure{
          core::errc::conflict, path + " is there already; nothing is overwritten", {}, {}, 0};
    const auto code = error == EACCES || error == EPERM ? core::errc::forbidden : core::errc::unavailable;
    return core::failure{code, "cannot write " + path + ": " + errno_text(error), {}, {}, 0};
  };
  std::string temporary = path + ".XXXXXX";
  descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) return failed(errno);
  int error = 0;
  if (::fchmod(file.get(), static_cast<mode_t>(mode)) != 0 || !write_all(file.get(), text) ||
      ::fsync(file.get()) != 0)
    error = errno;
  // A link, not a rename: it fails when the name is taken.
  if (error == 0 && ::link(temporary.c_str(), path.c_str()) != 0) error = errno;
  ::unlink(temporary.c_str());
  if (error != 0) return failed(error);
  const auto slash = path.find_last_of('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const descriptor above(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!above || ::fsync(above.get()) != 0) return failed(errno);
  return {};
}

core::instant instant_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return core::never;
  return core::later(core::never, std::chrono::seconds{::timegm(&parts)});
}

std::string serial_of(X509* certificate) {
  const ASN1_INTEGER* number = X509_get0_serialNumber(certificate);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (int i = 0; i < ASN1_STRING_length(number); ++i) {
    const unsigned byte = ASN1_STRING_get0_data(number)[i];
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

}  // namespace belfry::platform::links
