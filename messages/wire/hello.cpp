// What is said about a node as a whole: that it is there, is let in, lives, drains, goes.
#include "messages/wire/parts.hpp"

namespace belfry::messages::wire {

void fields(auto& v, like<core::membership_options> auto& o) {
  v.length(1, o.beat);
  v.length(2, o.suspect_after);
  v.length(3, o.lost_after);
}
void fields(auto& v, like<hello> auto& m) {
  v.always(1, m.version);
  v.text(2, m.node, longest_word);
  v.text(3, m.boot, longest_word);
  v.text(4, m.belfry_version, longest_word);
  v.texts(5, m.labels, most_words);
  v.texts(6, m.capabilities, most_words);
  v.number(7, m.executors);
  v.ids(8, m.sessions);
  v.parts(9, m.held, most_held);
}
void fields(auto& v, like<welcome> auto& m) {
  v.always(1, m.version);
  v.text(2, m.node, longest_word);
  v.text(3, m.boot, longest_word);
  v.text(4, m.cluster, longest_word);
  v.text(5, m.belfry_version, longest_word);
  v.part(6, m.membership);
  v.flag(7, m.draining);
  v.ids(8, m.gone);
  v.parts(9, m.lost, most_held);
}
void fields(auto& v, like<refused> auto& m) {
  v.code(1, m.code);
  v.text(2, m.text, longest_line);
  v.always(3, m.version);
}
void fields(auto& v, like<beat> auto& m) {
  v.number(1, m.running);
  v.number(2, m.steer);
}
void fields(auto& v, like<stop_attempt> auto& m) {
  v.id(1, m.run);
  v.number(2, m.fencing);
  v.choice(3, m.why, stop_why::lease_lost);
  v.id(4, m.holder);
}
void fields(auto& v, like<stop> auto& m) { v.part(1, m.what); }
void fields(auto& v, like<steer> auto& m) {
  v.flag(1, m.draining);
  v.text(2, m.reason, longest_line);
}

std::string encode(const hello& m) { return write_body(m); }
std::string encode(const welcome& m) { return write_body(m); }
std::string encode(const refused& m) { return write_body(m); }
std::string encode(const beat& m) { return write_body(m); }
std::string encode(const stop& m) { return write_body(m); }
std::string encode(const steer& m) { return write_body(m); }

core::result<hello> read_hello(std::string_view body) { return read_body<hello>("hello", body); }
core::result<welcome> read_welcome(std::string_view body) { return read_body<welcome>("welcome", body); }
core::result<refused> read_refused(std::string_view body) { return read_body<refused>("refusal", body); }
core::result<beat> read_beat(std::string_view body) { return read_body<beat>("beat", body); }
core::result<stop> read_stop(std::string_view body) { return read_body<stop>("stop", body); }
core::result<steer> read_steer(std::string_view body) { return read_body<steer>("steer", body); }

}  // namespace belfry::messages::wire
