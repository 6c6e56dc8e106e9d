// INTAKE: where submissions wait for the commit that takes them in.
//
// One commit is under way, whatever comes meanwhile waits here, and the next commit takes it all. A message
// for each submission on its way to the store, and one for each answer back, cost three context switches a
// request (measured with 64 connections), more than the store itself.
#pragma once

#include <memory>

#include "actors/gateway/question.hpp"
#include "platform/ports/handoff.hpp"

namespace belfry::actors {

struct waiting_submission {
  messages::submit_runs what;
  std::shared_ptr<open_question<messages::submitted>> who;
};

class intake : public platform::handoff<waiting_submission> {};

}  // namespace belfry::actors
