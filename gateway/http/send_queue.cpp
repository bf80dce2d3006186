#include "gateway/http/send_queue.h"

#include <algorithm>
#include <utility>

namespace lingate::http {

bool SendQueue::put_off(Sender& sender) noexcept {
  if (!reactor_.puts_off()) return false;
  if (std::exchange(sender.queued, true)) return true;
  listed_.push_back(&sender);
  reactor_.at_turn_end(*this);
  return true;
}

void SendQueue::remove(Sender& sender) noexcept {
  if (!std::exchange(sender.queued, false)) return;
  std::replace(listed_.begin(), listed_.end(), &sender, static_cast<Sender*>(nullptr));
  std::replace(sending_.begin(), sending_.end(), &sender, static_cast<Sender*>(nullptr));
}

void SendQueue::turn_ends() noexcept {
  sending_.swap(listed_);
  for (Sender* const sender : sending_)
    if (sender) sender->send_listed();
  for (std::size_t k = 0; k < sending_.size(); ++k) {
    if (!sending_[k]) continue;
    sending_[k]->queued = false;
    std::exchange(sending_[k], nullptr)->go_on();
  }
  sending_.clear();
}

}  // namespace lingate::http
