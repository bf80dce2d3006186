// StoreLines: what a store keeps as lines of JSON, one for each record, so that it can be carried from one kind of
// store to another. The first line says what it is; bytes of any kind survive, since keys and values are base64.
//
//   {"lingate":"store","version":1}
//   {"space":"sessions","key":"YW5u","value":"CgNhbm4=","expires":1790000000000}
//
// Plain functions. Thread: any.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace lingate::cli {

struct StoreLine {
  store::Space space{};
  std::string key;
  store::Record record;
};

std::string store_header();
std::string store_line(store::Space space, const store::Entry& entry);

// All of it, or the first line that is wrong: "line 3: …".
Result<std::vector<StoreLine>, std::string> read_store_lines(std::istream& in);

// Writes every record of the store; how many, or what the store said.
Result<std::size_t> export_store(store::Store& store, std::ostream& out);
// Puts every line that has not expired in place of what has its key; how many. The batches before one that fails stay.
Result<std::size_t> import_store(store::Store& store, std::vector<StoreLine> lines);

}  // namespace lingate::cli
