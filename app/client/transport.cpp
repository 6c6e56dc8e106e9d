#include "app/client/transport.hpp"

#include <curl/curl.h>

#include <array>
#include <cstdlib>
#include <exception>

namespace belfry::app {
namespace {

struct receiving {
  http_answer answer;
  const std::function<bool(std::string_view)>* take = nullptr;
  CURL* handle = nullptr;
  bool stopped = false;
  std::exception_ptr thrown;  // by `take`: must not pass through the C of libcurl
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* into) {
  auto& r = *static_cast<receiving*>(into);
  const std::string_view bytes(data, size * count);
  long status = 0;
  curl_easy_getinfo(r.handle, CURLINFO_RESPONSE_CODE, &status);
  if (r.take == nullptr || status >= 300) {
    r.answer.body.append(bytes);
    return bytes.size();
  }
  try {
    if ((*r.take)(bytes)) return bytes.size();
  } catch (...) {
    r.thrown = std::current_exception();
  }
  r.stopped = true;
  return 0;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* into) {
  auto& r = *static_cast<receiving*>(into);
  std::string_view line(data, size * count);
  if (line.rfind("HTTP/", 0) == 0) r.answer.headers.clear();  // after a 100 the real ones come
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return size * count;
  std::string name(line.substr(0, colon));
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  auto value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == '\r' || value.back() == '\n' || value.back() == ' '))
    value.remove_suffix(1);
  r.answer.headers.emplace_back(std::move(name), std::string(value));
  return size * count;
}

struct header_list {
  curl_slist* list = nullptr;
  header_list() = default;
  header_list(const header_list&) = delete;
  header_list& operator=(const header_list&) = delete;
  ~header_list() { curl_slist_free_all(list); }
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

bool never_connected(CURLcode code) {
  return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
         code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_SSL_CONNECT_ERROR ||
         code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_URL_MALFORMAT ||
         code == CURLE_UNSUPPORTED_PROTOCOL;
}

}  // namespace

std::string http_answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

core::result<address> parse_address(std::string_view text) {
  std::string s(text);
  while (s.size() > 1 && s.back() == '/') s.pop_back();
  const bool unix_path = s.rfind("unix:", 0) == 0;
  if (unix_path) s = s.substr(5);
  while (s.size() > 1 && s.rfind("//", 0) == 0) s.erase(0, 1);
  if (!s.empty() && (unix_path || s.front() == '/')) {
    if (s.size() > 107)
      return core::failure{
          core::errc::invalid, "the path of a unix socket has at most 107 bytes: " + s, {}, {}};
    return address{"http://localhost", s};
  }
  if (s.rfind("http://", 0) == 0 || s.rfind("https://", 0) == 0) return address{s, {}};
  if (s.empty() || s.find("://") != std::string::npos || s.find_first_of(" \t") != std::string::npos)
    return core::failure{
        core::errc::invalid,
        "'" + s + "' is no address of a node; give http://HOST:PORT, https://HOST:PORT or unix:/PATH",
        {},
        {}};
  return address{"http://" + s, {}};
}

std::string default_data_folder() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    return std::string(state) + "/belfry";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::string(home) + "/.local/state/belfry";
  return "/var/lib/belfry";
}

std::vector<address> local_addresses() {
  std::vector<address> all;
  if (const auto socket = parse_address(default_data_folder() + "/belfry.sock")) all.push_back(*socket);
  all.push_back(address{"http://127.0.0.1:7420", {}});
  return all;
}

struct transport::state {
  CURL* handle = nullptr;
};

transport::transport(address where) : where_(std::move(where)), s_(std::make_unique<state>()) {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (once == CURLE_OK) s_->handle = curl_easy_init();
}

transport::~transport() {
  if (s_->handle != nullptr) curl_easy_cleanup(s_->handle);
}

contact transport::send(const http_request& request) { return stream(request, {}); }

contact transport::stream(const http_request& request, const std::function<bool(std::string_view)>& take) {
  CURL* c = s_->handle;
  if (c == nullptr) return lost_contact{"libcurl cannot be initialised", false};
  curl_easy_reset(c);  // keeps the connection
  receiving r;
  r.take = take ? &take : nullptr;
  r.handle = c;
  std::array<char, CURL_ERROR_SIZE> error{};
  header_list headers;
  headers.add("Expect:");
  headers.add("User-Agent: belfry-cli/" BELFRY_VERSION);
  for (const auto& [name, value] : request.headers) headers.add(name + ": " + value);

  const std::string url = where_.base + request.target;
  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error.data());
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  if (!where_.socket.empty()) {
    curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, where_.socket.c_str());
    curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
  } else {
    curl_easy_setopt(c, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  }
  if (request.method != "GET") {
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    if (!request.body.empty())
      headers.add("Content-Type: application/json");
    else
      headers.add("Content-Type:");  // or curl would call nothing a form
  }
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.list);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, &r);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &r);
  if (take) {
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 60L);
    curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
  }
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  const CURLcode code = curl_easy_perform(c);
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &r.answer.status);
  if (r.thrown) std::rethrow_exception(r.thrown);
  if (code == CURLE_OK || r.stopped) return std::move(r.answer);
  const std::string text = error[0] != '\0' ? error.data() : curl_easy_strerror(code);
  return lost_contact{text, !never_connected(code)};
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    const auto byte = static_cast<unsigned char>(c);
    if (plain)
      out += c;
    else
      out += {'%', hex[byte >> 4U], hex[byte & 15U]};
  }
  return out;
}

}  // namespace belfry::app
