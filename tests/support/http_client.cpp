#include "tests/support/http_client.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace belfry::test {
namespace {

using clock = http_link::clock;
using span = http_link::span;

constexpr std::size_t largest_reply = 256U << 20;

int milliseconds_until(clock::time_point until) {
  const auto left = std::chrono::ceil<span>(until - clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

bool has_header(const header_list& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& h) { return lower(h.first) == name; });
}

int open_socket(const endpoint& where, int receive_buffer) {
  const bool local = !where.socket.empty();
  const int fd = ::socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw no_answer("no socket: " + std::string{std::strerror(errno)});
  if (receive_buffer > 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  int result = 0;
  if (local) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (where.socket.size() >= sizeof address.sun_path) throw no_answer("the path of the socket is too long");
    std::memcpy(address.sun_path, where.socket.data(), where.socket.size());
    result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(where.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (result != 0) {
    const std::string why = std::strerror(errno);
    ::close(fd);
    throw no_answer("no connection: " + why);
  }
  return fd;
}

}  // namespace

std::string http_reply::header(std::string_view name) const {
  const auto wanted = lower(name);
  for (const auto& [n, v] : headers)
    if (n == wanted) return v;
  return {};
}

json http_reply::parsed() const {
  auto value = json::parse(body, nullptr, false);
  if (value.is_discarded())
    throw std::runtime_error("status " + std::to_string(status) + ", not JSON: " + body.substr(0, 500));
  return value;
}

std::string http_reply::code() const {
  const auto value = json::parse(body, nullptr, false);
  return value.is_object() && value.contains("code") && value["code"].is_string()
             ? value["code"].get<std::string>()
             : std::string{};
}

http_link::http_link(const endpoint& where, int receive_buffer) : fd_(open_socket(where, receive_buffer)) {}
http_link::~http_link() { close(); }
http_link::http_link(http_link&& other) noexcept { *this = std::move(other); }
http_link& http_link::operator=(http_link&& other) noexcept {
  if (this == &other) return *this;
  close();
  fd_ = std::exchange(other.fd_, -1);
  ended_ = other.ended_;
  chunked_ = other.chunked_;
  last_chunk_ = other.last_chunk_;
  in_ = std::move(other.in_);
  return *this;
}

void http_link::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool http_link::send(std::string_view bytes, span deadline) {
  const auto until = clock::now() + deadline;
  while (!bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) return false;
    pollfd p{fd_, POLLOUT, 0};
    const int ms = milliseconds_until(until);
    if (ms == 0 || ::poll(&p, 1, ms) <= 0) return false;
  }
  return true;
}

void http_link::shut_sending() { ::shutdown(fd_, SHUT_WR); }

bool http_link::fill(clock::time_point until) {
  if (ended_ || fd_ < 0) return false;
  for (;;) {
    pollfd p{fd_, POLLIN, 0};
    const int ready = ::poll(&p, 1, milliseconds_until(until));
    if (ready == 0) return false;
    if (ready < 0) continue;
    std::array<char, 65536> buffer{};
    const auto n = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0) {
      in_.append(buffer.data(), static_cast<std::size_t>(n));
      return in_.size() <= largest_reply;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    ended_ = true;
    return false;
  }
}

bool http_link::fill_to(std::size_t bytes, clock::time_point until) {
  while (in_.size() < bytes)
    if (!fill(until)) return false;
  return true;
}

std::optional<http_reply> http_link::head(clock::time_point until) {
  for (;;) {
    std::size_t end = std::string::npos;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos)
      if (!fill(until)) return std::nullopt;
    http_reply r;
    std::string_view text = std::string_view{in_}.substr(0, end);
    const auto first = text.substr(0, text.find("\r\n"));
    if (first.size() < 12 || !first.starts_with("HTTP/1.1 "))
      throw no_answer("not HTTP: " + std::string{first.substr(0, 80)});
    std::from_chars(first.data() + 9, first.data() + 12, r.status);
    text.remove_prefix(std::min(text.size(), first.size() + 2));
    while (!text.empty()) {
      const auto line = text.substr(0, text.find("\r\n"));
      text.remove_prefix(std::min(text.size(), line.size() + 2));
      const auto colon = line.find(':');
      if (colon == std::string_view::npos)
        throw no_answer("not a header: " + std::string{line.substr(0, 80)});
      r.headers.emplace_back(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
    }
    in_.erase(0, end + 4);
    if (r.status == 100) continue;
    chunked_ = r.header("transfer-encoding") == "chunked";
    last_chunk_ = false;
    return r;
  }
}

// One chunk; an empty text when the time is over, nothing at the end.
std::optional<std::string> http_link::take_chunk(clock::time_point until) {
  if (last_chunk_) return std::nullopt;
  std::size_t line = std::string::npos;
  while ((line = in_.find("\r\n")) == std::string::npos)
    if (!fill(until)) return ended_ ? std::nullopt : std::optional<std::string>{""};
  std::size_t size = 0;
  const auto parsed = std::from_chars(in_.data(), in_.data() + line, size, 16);
  if (parsed.ec != std::errc{} || size > largest_reply)
    throw no_answer("not a chunk: " + in_.substr(0, std::min<std::size_t>(line, 60)));
  if (!fill_to(line + 2 + size + 2, until)) return ended_ ? std::nullopt : std::optional<std::string>{""};
  auto out = in_.substr(line + 2, size);
  in_.erase(0, line + 2 + size + 2);
  if (size > 0) return out;
  last_chunk_ = true;
  return std::nullopt;
}

std::optional<http_reply> http_link::reply(span deadline, bool head_only) {
  const auto until = clock::now() + deadline;
  auto r = head(until);
  if (!r || head_only || r->status == 204) return r;
  if (chunked_) {
    for (;;) {
      auto chunk = take_chunk(until);
      if (!chunk) return last_chunk_ ? r : std::nullopt;
      if (chunk->empty()) return std::nullopt;
      r->body += *chunk;
    }
  }
  const auto given = r->header("content-length");
  if (given.empty()) {  // up to the end of the connection
    while (fill(until)) {
    }
    if (!ended_) return std::nullopt;
    r->body = std::exchange(in_, {});
    return r;
  }
  std::size_t length = 0;
  std::from_chars(given.data(), given.data() + given.size(), length);
  if (!fill_to(length, until)) return std::nullopt;
  r->body = in_.substr(0, length);
  in_.erase(0, length);
  return r;
}

std::optional<http_reply> http_link::reply_head(span deadline) { return head(clock::now() + deadline); }

std::optional<std::string> http_link::piece(span deadline) {
  const auto until = clock::now() + deadline;
  if (chunked_) return take_chunk(until);
  if (in_.empty() && !fill(until)) return ended_ ? std::nullopt : std::optional<std::string>{""};
  return std::exchange(in_, {});
}

bool http_link::closed_within(span deadline) {
  const auto until = clock::now() + deadline;
  while (fill(until)) in_.clear();
  return ended_;
}

std::string request_text(std::string_view method, std::string_view target, std::string_view body,
                         const header_list& headers) {
  std::string text;
  text.reserve(body.size() + target.size() + 300);
  ((((text += method) += ' ') += target) += " HTTP/1.1\r\n");
  if (!has_header(headers, "host")) text += "Host: localhost\r\n";
  for (const auto& [name, value] : headers) (((text += name) += ": ") += value) += "\r\n";
  const bool sends = !body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
  if (sends && !has_header(headers, "content-type")) text += "Content-Type: application/json\r\n";
  if (sends && !has_header(headers, "content-length") && !has_header(headers, "transfer-encoding"))
    ((text += "Content-Length: ") += std::to_string(body.size())) += "\r\n";
  text += "\r\n";
  return text += body;
}

http_reply http_client::send(std::string_view method, std::string_view target, std::string_view body,
                             const header_list& headers) {
  if (link_ && link_->closed_within(span{0})) link_.reset();
  if (!link_) link_.emplace(where_);
  if (!link_->send(request_text(method, target, body, headers))) {
    link_.reset();
    throw no_answer("the node did not take " + std::string{method} + " " + std::string{target});
  }
  auto r = link_->reply(patience, method == "HEAD");
  if (!r) {
    link_.reset();
    throw no_answer("no answer to " + std::string{method} + " " + std::string{target});
  }
  if (r->header("connection") == "close") link_.reset();
  return std::move(*r);
}

namespace {

json checked(const http_reply& r, std::string_view method, std::string_view target) {
  if (r.ok()) return r.parsed();
  throw std::runtime_error(std::string{method} + " " + std::string{target} + ": " + std::to_string(r.status) +
                           " " + r.body.substr(0, 2000));
}

}  // namespace

json http_client::get_json(std::string_view target) { return checked(get(target), "GET", target); }
json http_client::post_json(std::string_view target, const json& body, const header_list& headers) {
  return checked(post(target, body, headers), "POST", target);
}

event_stream::event_stream(const endpoint& where, std::string_view target, const header_list& headers,
                           int receive_buffer)
    : link_(where, receive_buffer) {
  header_list all = headers;
  all.emplace_back("Accept", "text/event-stream");
  if (!link_.send(request_text("GET", target, {}, all)))
    throw no_answer("the node did not take GET " + std::string{target});
  const auto head = link_.reply_head();
  if (!head) throw no_answer("no answer to GET " + std::string{target});
  if (head->status != 200 || !head->header("content-type").starts_with("text/event-stream"))
    throw std::runtime_error("GET " + std::string{target} + ": " + std::to_string(head->status) + " " +
                             head->header("content-type"));
}

std::optional<sse_event> event_stream::next(std::chrono::milliseconds deadline) {
  const auto until = clock::now() + deadline;
  sse_event e;
  bool any = false;
  std::size_t at = 0;
  for (;;) {
    const auto end = in_.find('\n', at);
    if (end == std::string::npos) {
      auto more = ended_ ? std::nullopt : link_.piece(span{milliseconds_until(until)});
      if (!more) {
        ended_ = true;
        return std::nullopt;
      }
      if (more->empty() && clock::now() >= until) return std::nullopt;
      in_ += *more;
      continue;
    }
    const auto line = trimmed(std::string_view{in_}.substr(at, end - at));
    at = end + 1;
    if (line.empty()) {
      in_.erase(0, at);
      at = 0;
      if (any) return e;
      continue;
    }
    if (line.front() == ':') {
      ++comments_;
      continue;
    }
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    const auto value = colon == std::string_view::npos ? std::string_view{} : trimmed(line.substr(colon + 1));
    if (name == "id") e.id = value;
    if (name == "event") e.event = value;
    if (name == "data") (e.data += e.data.empty() ? "" : "\n") += value;
    any = any || name == "data" || name == "event" || name == "id";
  }
}

}  // namespace belfry::test
