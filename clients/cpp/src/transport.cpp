#include "transport.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <memory>
#include <random>
#include <stdexcept>

namespace belfry {

namespace {

std::string text_of(const json& object, const char* name) {
  const auto at = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && at != object.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

std::vector<field_error> errors_of(const json& problem) {
  std::vector<field_error> all;
  if (!problem.is_object() || !problem.contains("errors") || !problem["errors"].is_array()) return all;
  for (const auto& e : problem["errors"])
    all.push_back({text_of(e, "pointer"), text_of(e, "value"), text_of(e, "allowed"), text_of(e, "detail")});
  return all;
}

std::string describe(long status, const json& problem) {
  const auto code = text_of(problem, "code");
  const auto said = text_of(problem, "detail");
  std::string text = (code.empty() ? std::to_string(status) : code) + ": " +
                     (said.empty() ? text_of(problem, "title") : said);
  for (const auto& e : errors_of(problem)) {
    text += "\n  " + e.pointer + ": " + e.detail;
    if (!e.value.empty()) text += " (given: " + e.value + ")";
    if (!e.allowed.empty()) text += "; allowed: " + e.allowed;
  }
  return text;
}

}  // namespace

refused::refused(long http_status, const nlohmann::json& problem, std::optional<double> retry_after_seconds)
    : error(describe(http_status, problem)),
      status(http_status),
      code(text_of(problem, "code")),
      title(text_of(problem, "title")),
      detail(text_of(problem, "detail")),
      errors(errors_of(problem)),
      command(text_of(problem, "command")),
      retry_after(retry_after_seconds) {}

bool refused::worth_a_retry() const {
  return status == 429 || status == 502 || status == 503 || status == 504 ||
         code == "idempotency_in_progress";
}

namespace detail {
namespace {

double random_between(double least, double most) {
  thread_local std::mt19937_64 source{std::random_device{}()};
  return std::uniform_real_distribution<double>{least, most}(source);
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* to) {
  static_cast<std::string*>(to)->append(data, size * count);
  return size * count;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* to) {
  const std::string header(data, size * count);
  const auto colon = header.find(':');
  if (colon != std::string::npos) {
    std::string name = header.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto from = header.find_first_not_of(" \t", colon + 1);
    const auto to_end = header.find_last_not_of(" \t\r\n");
    (*static_cast<std::map<std::string, std::string>*>(to))[name] =
        from == std::string::npos || to_end < from ? "" : header.substr(from, to_end - from + 1);
  }
  return size * count;
}

struct header_list {
  curl_slist* first = nullptr;
  header_list() = default;
  header_list(const header_list&) = delete;
  header_list& operator=(const header_list&) = delete;
  ~header_list() { curl_slist_free_all(first); }
  void add(const std::string& text) { first = curl_slist_append(first, text.c_str()); }
};

reply judge(reply r, const std::string& raw) {
  r.body = raw.empty() ? json(nullptr) : json::parse(raw, nullptr, false);
  if (r.body.is_discarded()) r.body = nullptr;
  if (r.status >= 200 && r.status < 300) return r;
  // A proxy in between may answer with a page of its own.
  if (!r.body.is_object()) r.body = {{"title", "not from belfry"}, {"detail", raw.substr(0, 200)}};
  std::optional<double> wait;
  if (const auto at = r.headers.find("retry-after");
      at != r.headers.end() && !at->second.empty() && at->second.size() < 10 &&
      std::all_of(at->second.begin(), at->second.end(), [](unsigned char c) { return std::isdigit(c) != 0; }))
    wait = std::stod(at->second);
  if (text_of(r.body, "code") == "stale_lease") throw stale_lease(r.status, r.body, wait);
  throw refused(r.status, r.body, wait);
}

}  // namespace

span pause_after(const retry_options& policy, int tries, std::optional<double> at_least_seconds) {
  const double base = static_cast<double>(policy.base.count());
  const double backoff =
      std::min(static_cast<double>(policy.cap.count()), base * std::pow(2.0, std::min(tries - 1, 30)));
  double wait = backoff * random_between(0.5, 1.0);
  if (at_least_seconds) wait = std::max(wait, *at_least_seconds * 1000 * random_between(1.0, 1.1));
  return span{static_cast<span::rep>(wait)};
}

void abort_flag::set() {
  const std::lock_guard lock{mutex_};
  set_ = true;
  if (line_ != nullptr) curl_multi_wakeup(line_);
  changed_.notify_all();
}

bool abort_flag::is_set() const {
  const std::lock_guard lock{mutex_};
  return set_;
}

bool abort_flag::wait(span at_most) const {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, std::min(at_most, span{std::chrono::hours{24}}), [&] { return set_; });
}

void abort_flag::watch(CURLM* line) {
  const std::lock_guard lock{mutex_};
  line_ = line;
}

std::string encode(const json& body) { return body.dump(); }

transport::transport(const client_options& options)
    : url_(options.url), headers_(options.headers), timeout_(options.timeout), retry_(options.retry) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) throw error("libcurl cannot be initialised");
  while (url_.ends_with('/')) url_.pop_back();
  if (!url_.starts_with("http://") && !url_.starts_with("https://"))
    throw std::invalid_argument("the node's address is http://HOST:PORT or https://HOST:PORT, not " +
                                options.url);
}

transport::~transport() {
  for (const auto& l : idle_) {
    curl_easy_cleanup(l.easy);
    curl_multi_cleanup(l.multi);
  }
}

transport::line transport::take_line() {
  {
    const std::lock_guard lock{mutex_};
    if (!idle_.empty()) {
      const auto l = idle_.back();
      idle_.pop_back();
      return l;
    }
  }
  const line l{curl_multi_init(), curl_easy_init()};
  if (l.multi == nullptr || l.easy == nullptr) throw std::bad_alloc{};
  return l;
}

void transport::give_back(line l) {
  curl_easy_reset(l.easy);
  const std::lock_guard lock{mutex_};
  idle_.push_back(l);
}

CURLcode transport::perform(const line& l, abort_flag* abort) {
  if (abort != nullptr) abort->watch(l.multi);
  curl_multi_add_handle(l.multi, l.easy);
  CURLcode code = CURLE_OK;
  for (int running = 1; running > 0;) {
    if (abort != nullptr && abort->is_set()) {
      code = CURLE_ABORTED_BY_CALLBACK;
      break;
    }
    curl_multi_perform(l.multi, &running);
    if (running > 0) curl_multi_poll(l.multi, nullptr, 0, 1000, nullptr);
  }
  int left = 0;
  while (const auto* message = curl_multi_info_read(l.multi, &left))
    if (message->msg == CURLMSG_DONE && code == CURLE_OK) code = message->data.result;
  curl_multi_remove_handle(l.multi, l.easy);
  if (abort != nullptr) abort->watch(nullptr);
  return code;
}

reply transport::once(const char* verb, const std::string& path, const std::string* content,
                      const ask_options& o) {
  header_list headers;
  for (const auto& h : headers_) headers.add(h);
  {
    const std::lock_guard lock{mutex_};
    if (!session_token_.empty()) headers.add("Belfry-Session-Token: " + session_token_);
  }
  headers.add("Accept: application/json");
  headers.add("Expect:");
  if (content != nullptr) headers.add("Content-Type: application/json");
  if (!o.key.empty()) headers.add("Idempotency-Key: " + o.key);

  reply r;
  std::string raw;
  const std::string address = url_ + path;
  const line l = take_line();
  curl_easy_setopt(l.easy, CURLOPT_URL, address.c_str());
  curl_easy_setopt(l.easy, CURLOPT_CUSTOMREQUEST, verb);
  curl_easy_setopt(l.easy, CURLOPT_HTTPHEADER, headers.first);
  curl_easy_setopt(l.easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(l.easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(l.easy, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  curl_easy_setopt(l.easy, CURLOPT_TIMEOUT_MS, static_cast<long>(o.timeout.value_or(timeout_).count()));
  curl_easy_setopt(l.easy, CURLOPT_WRITEFUNCTION, &take_body);
  curl_easy_setopt(l.easy, CURLOPT_WRITEDATA, &raw);
  curl_easy_setopt(l.easy, CURLOPT_HEADERFUNCTION, &take_header);
  curl_easy_setopt(l.easy, CURLOPT_HEADERDATA, &r.headers);
  if (content != nullptr) {
    curl_easy_setopt(l.easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(content->size()));
    curl_easy_setopt(l.easy, CURLOPT_POSTFIELDS, content->c_str());
  }
  const CURLcode code = perform(l, o.abort);
  // Counted over all tries of libcurl itself, which repeats a request that a kept connection lost.
  long sent = 0;
  curl_easy_getinfo(l.easy, CURLINFO_REQUEST_SIZE, &sent);
  curl_easy_getinfo(l.easy, CURLINFO_RESPONSE_CODE, &r.status);
  give_back(l);
  if (code != CURLE_OK)
    throw unreachable("no answer from " + url_ + ": " + curl_easy_strerror(code), sent > 0);
  return judge(std::move(r), raw);
}

reply transport::ask(const char* verb, const std::string& path, const std::string* content,
                     const ask_options& o) {
  const auto policy = o.retry.value_or(retry_);
  const auto until = steady::now() + policy.give_up_after;
  for (int tries = 1;; ++tries) {
    std::exception_ptr last;
    span wait{0};
    bool maybe_sent = true;
    try {
      return once(verb, path, content, o);
    } catch (const unreachable& e) {
      last = std::current_exception();
      wait = pause_after(policy, tries, {});
      maybe_sent = e.maybe_sent;
    } catch (const refused& e) {
      if (!e.worth_a_retry()) throw;
      last = std::current_exception();
      wait = pause_after(policy, tries, e.retry_after);
    }
    if (o.failed) o.failed(maybe_sent);
    if (steady::now() + wait > until) std::rethrow_exception(last);
    static const abort_flag never;
    if ((o.abort != nullptr ? *o.abort : never).wait(wait)) std::rethrow_exception(last);
  }
}

reply transport::ask(const char* verb, const std::string& path, const json& body, const ask_options& o) {
  const auto content = encode(body);
  return ask(verb, path, &content, o);
}

}  // namespace detail
}  // namespace belfry
