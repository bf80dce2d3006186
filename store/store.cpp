#include "store/store.h"

#include <future>
#include <utility>

namespace lingate::store {

Result<Applied> Store::apply_and_wait(std::vector<Change> changes) {
  std::promise<Result<Applied>> outcome;
  apply(std::move(changes), [&outcome](Result<Applied> result) { outcome.set_value(std::move(result)); });
  return outcome.get_future().get();
}

Change put(Space space, std::string key, Record record) {
  return {space, std::move(key), [record = std::move(record)](std::optional<Record>& there) {
            there = record;
            return true;
          }};
}

Change remove(Space space, std::string key) {
  return {space, std::move(key), [](std::optional<Record>& there) {
            there.reset();
            return true;
          }};
}

}  // namespace lingate::store
