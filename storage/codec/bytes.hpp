// BYTES: what the columns of the store share with the wire, under the name that storage has for it.
#pragma once

#include "core/codec/bytes.hpp"
#include "core/codec/spec.hpp"
#include "core/codec/trace.hpp"
#include "core/codec/words.hpp"

namespace belfry::storage::codec {

using core::codec::damaged;
using core::codec::in;
using core::codec::out;

using core::codec::decode_spec;
using core::codec::encode_spec;
using core::codec::read_spec;

using core::codec::decode_needs;
using core::codec::decode_sink;
using core::codec::decode_words;
using core::codec::encode_needs;
using core::codec::encode_sink;
using core::codec::encode_words;

}  // namespace belfry::storage::codec
