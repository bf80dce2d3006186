#include "store/store.h"

#include <future>
#include <utility>

namespace lingate::store {

Result<Applied> Store::apply_and_wait(std::vector<Change> changes) {
  std::promise<Result<Applied>> outcome;
  apply(std::move(changes), [&outcome](Result<Applied> result) { outcome.set_value(std::move(result)); });
  return outcome.get_future().get();
}

void Store::follow(Space space, std::string_view key, Space then, Followed done) {
  Linked linked;
  auto first = read(space, key);
  if (!first) return done(fail(std::move(first.error())));
  linked.first = *std::move(first);
  if (!linked.first) return done(std::move(linked));
  auto second = read(then, linked.first->value);
  if (!second) return done(fail(std::move(second.error())));
  linked.second = *std::move(second);
  done(std::move(linked));
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
