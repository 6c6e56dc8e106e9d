// Counts words: a worker for runs such as {"name": "word-count", "payload": {"text": "one two three"}}.
#include <belfry/worker.hpp>
#include <csignal>
#include <iostream>
#include <sstream>

belfry::json count_words(belfry::attempt& attempt) {
  const auto text = attempt.payload().at("text").get<std::string>();
  attempt.log("counting " + std::to_string(text.size()) + " bytes");
  std::istringstream words{text};
  int count = 0;
  for (std::string word; words >> word; ++count) {
    attempt.stop_if_cancelled();  // cancel, lost lease, stop of this worker: give up soon
    attempt.progress(
        static_cast<double>(words.tellg() < 0 ? text.size() : static_cast<std::size_t>(words.tellg())) /
        static_cast<double>(text.size()));
  }
  return {{"words", count}};
}

int main(int argc, char** argv) {
  try {
    belfry::client_options node;
    if (argc > 1) node.url = argv[1];
    belfry::client client{node};
    belfry::worker_options options;
    options.agent_type = "word-counter";
    options.slots = 4;
    belfry::worker worker{client, count_words, options};
    worker.run({SIGTERM, SIGINT});
    return 0;
  } catch (const belfry::error& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
