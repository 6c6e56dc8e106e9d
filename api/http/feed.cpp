#include "api/http/feed.hpp"

namespace belfry::api {
namespace {

constexpr core::span soon = std::chrono::seconds{1};

}  // namespace

void feed::append(std::string& out, std::string_view id, std::string_view event, std::string_view data) {
  if (!id.empty()) ((out += "id: ") += id) += '\n';
  if (!event.empty()) ((out += "event: ") += event) += '\n';
  // JSON of ours has no line breaks.
  ((out += "data: ") += data) += "\n\n";
}

void feed::open() {
  auto& d = x_->node();
  counted_.emplace(d.streams, d.options.limits.streams);
  if (counted_->full())
    return x_->refuse(
        {core::errc::overloaded,
         "the node has " + std::to_string(d.options.limits.streams) + " open streams, its limit",
         {},
         {}});
  d.meter.set(platform::metric::sse_clients, static_cast<double>(d.streams.load()));
  response head;
  head.content_type = event_stream_type;
  head.headers.emplace_back("X-Accel-Buffering", "no");
  out_ = x_->begin_stream(std::move(head), [self = shared_from_this()] { self->end(); });
  if (!out_ || over_) return end();
  busy_ = true;
  begin();
  out_->write("retry: 2000\n\n", [self = shared_from_this()](bool ok) { self->wrote(ok, true); });
  arm(d.options.limits.keep_alive);
}

void feed::poke() {
  if (poked_.exchange(true)) return;
  x_->line().post(make_task([self = shared_from_this()] {
    self->poked_ = false;
    if (self->busy_)
      self->again_ = true;
    else
      self->start_looking();
  }));
}

void feed::start_looking() {
  if (over_) return;
  busy_ = true;
  again_ = false;
  look();
}

void feed::say(std::string text, bool more) {
  if (over_) return;
  if (text.empty()) return wrote(true, more);
  out_->write(std::move(text), [self = shared_from_this(), more](bool ok) { self->wrote(ok, more); });
}

void feed::wrote(bool ok, bool more) {
  if (over_) return;
  if (!ok) return end();
  busy_ = false;
  if (more || again_) start_looking();
}

void feed::rest() {
  if (over_) return;
  busy_ = false;
  if (again_) start_looking();
}

void feed::retry() {
  if (over_) return;
  busy_ = false;
  again_ = false;
  arm(soon);
}

void feed::finish(std::string text) {
  if (over_) return;
  const auto out = out_;
  const auto last = [self = shared_from_this(), out](bool) {
    if (!self->over_) out->finish();
    self->end();
  };
  out->write(std::move(text), last);
}

void feed::arm(core::span delay) {
  x_->line().after(delay, make_task([self = shared_from_this()] { self->tick(); }));
}

// The comment tells the client that the stream lives; the look makes up for a notice that was lost.
void feed::tick() {
  if (over_) return;
  arm(x_->node().options.limits.keep_alive);
  if (busy_) return;
  busy_ = true;
  out_->write(": keep-alive\n\n", [self = shared_from_this()](bool ok) { self->wrote(ok, true); });
}

void feed::end() {
  if (over_) return;
  over_ = true;
  closed();
  auto& d = x_->node();
  counted_.reset();
  d.meter.set(platform::metric::sse_clients, static_cast<double>(d.streams.load()));
}

}  // namespace belfry::api
