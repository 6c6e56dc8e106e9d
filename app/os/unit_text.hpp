// UNIT TEXT: an entry as files of systemd and of launchd. Pure.
#pragma once

#include "app/os/entry.hpp"

namespace belfry::app::os {

// The timer and the service, in this order.
std::vector<entry_file> systemd_units(const store_identity& mine, const wanted_entry& w);
// A word of ExecStart= in quotes, with what systemd would replace kept from it.
std::string systemd_word(const std::string& word);

// Nothing when it would be more than 500 times.
std::optional<entry_file> launchd_list(const store_identity& mine, const wanted_entry& w);
std::string xml_text(const std::string& text);

// "belfry-0123abcd-tim_…": of the store and the group.
std::string unit_name(const store_identity& mine, const std::string& group);
std::string launchd_label(const store_identity& mine, const std::string& group);

}  // namespace belfry::app::os
