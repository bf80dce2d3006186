// The reference: what the field table says, as a JSON Schema for editors, as a page and a manual page for people, and
// key by key.
//
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/fields.h"

namespace lingate::config {

std::string schema_json();      // draft-07
std::string schema_markdown();  // the reference page
std::string schema_manual();    // lingate.yaml(5)

// The keys that `key` names: a whole path ("routes[].match.path"), or the end of one ("match.path", "path"). List marks
// and NAME may be left out.
std::vector<Located> find_keys(std::string_view key);

// What a key takes, in a few words: "duration, 1ms to 24h", "one of deny, continue".
std::string type_in_words(const Field& field);

// The default in a few words, or nothing.
std::string default_in_words(const Field& field);

}  // namespace lingate::config
