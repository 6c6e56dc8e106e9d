// SIGNALS: TERM, INT and HUP as calls on a thread of their own. SIGPIPE is ignored, and so is HUP where
// whoever started the program has it ignored (nohup).
#pragma once

#include <functional>

namespace belfry::platform {

// Must be called before any other thread is started: blocks TERM, INT and HUP for all of them.
void block_signals();
// Waits for the next of TERM, INT, HUP in the calling thread and returns its number.
int wait_for_signal();
// Makes a wait_for_signal return from another thread (sends TERM to the own process).
void interrupt_wait();

}  // namespace belfry::platform
