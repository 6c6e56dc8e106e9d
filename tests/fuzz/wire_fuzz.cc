// FUZZ: the bodies that nodes send each other, and the frames around them. Build: see CMakeLists.txt beside it.
//
// No bytes may harm a reader, what is taken can be written, and what was written is read as the same again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "actors/cluster/basp_filter.hpp"
#include "messages/wire/wire.hpp"

using namespace belfry;
namespace wire = belfry::messages::wire;

namespace {

void must(bool good) {
  if (!good) std::abort();
}

template <class T>
void body(std::string_view bytes, core::result<T> (*read)(std::string_view)) {
  const auto read_once = read(bytes);
  if (!read_once) {
    must(!read_once.error().text.empty());
    return;
  }
  const auto written = wire::encode(*read_once);
  const auto again = read(written);
  must(again.ok() && wire::encode(*again) == written);
}

void frames(std::string_view bytes) {
  actors::basp_filter whole;
  actors::basp_filter pieces;
  const bool passed = whole.pass(bytes);
  bool all = true;
  for (std::size_t at = 0; at < bytes.size(); at += 7) all = pieces.pass(bytes.substr(at, 7)) && all;
  must(passed == all);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  body(bytes, wire::read_hello);
  body(bytes, wire::read_welcome);
  body(bytes, wire::read_refused);
  body(bytes, wire::read_beat);
  body(bytes, wire::read_stop);
  body(bytes, wire::read_steer);
  body(bytes, wire::read_ask);
  body(bytes, wire::read_answer);
  frames(bytes);
  return 0;
}
