// The nodes of a cluster, as the document shows them.
#include "api/openapi/schema.hpp"

namespace belfry::api {

void add_cluster_schemas(std::vector<schema>& all) {
  all.push_back({"ClusterNode",
                 "A machine of the cluster",
                 {{"name", "text", "As its certificate says"},
                  {"role", "coordinator|member", ""},
                  {"state", "up|suspect|lost|left", "suspect and lost end no lease: only its time does"},
                  {"draining", "bool", "Its executors take no new runs"},
                  {"removed", "bool", "It is let in no more"},
                  {"boot", "text?", "Of its process, new at each start"},
                  {"address", "text?", "Where its link comes from"},
                  {"version", "text?", "Of its program"},
                  {"labels", "[]text", "Capabilities of its executors too"},
                  {"capabilities", "[]text", "Words that its executors offer"},
                  {"executors", "int", ""},
                  {"leases", "int", "That its executors hold"},
                  {"sessions", "[]text", "Of its executors"},
                  {"joined_at", "time?", "First word of this boot"},
                  {"seen_at", "time?", "Last sign of life"},
                  {"changed_at", "time?", "Of its state"},
                  {"latency_ms", "number?", "Of the last beat, there and back"}},
                 false,
                 {}});
  all.push_back(
      {"NodeList",
       "The nodes of the cluster",
       {{"cluster", "text?", "Its name; null: this node is alone"}, {"nodes", "[]@ClusterNode", ""}},
       false,
       {}});
  all.push_back({"ClusterStanding",
                 "How a node stands in its cluster",
                 {{"name", "text?", "Of the cluster"},
                  {"node", "text", "Its own name"},
                  {"role", "coordinator|member", ""},
                  {"coordinator", "text?", ""},
                  {"joined", "bool", "A member that is not passes no requests on"},
                  {"draining", "bool", ""},
                  {"trouble", "text?", "Why it is not joined"},
                  {"since", "time?", "Of joined or not"},
                  {"up", "int?", "Nodes; of the coordinator alone"},
                  {"suspect", "int?", ""},
                  {"lost", "int?", ""},
                  {"lost_nodes", "any", "Their names; null where they are not known"}},
                 false,
                 {}});
}

}  // namespace belfry::api
