// SendQueue: the writes of one turn of the loop, made together at its end (readiness.h says why).
//
// Thread: the worker's. Lifetime: the worker's; a Sender that goes away earlier is taken out with remove().
#pragma once

#include <vector>

#include "gateway/http/readiness.h"

namespace lingate::http {

class Sender {
 public:
  virtual void send_listed() noexcept = 0;  // sends and does nothing else
  virtual void go_on() noexcept = 0;        // what comes after sending; may put off again

  bool queued = false;  // the queue's

 protected:
  ~Sender() = default;
};

class SendQueue final : private TurnEnd {
 public:
  explicit SendQueue(Reactor& reactor) noexcept : reactor_(reactor) {}

  // True: put off, both calls will come at the end of this turn. False: the caller sends now.
  bool put_off(Sender& sender) noexcept;
  void remove(Sender& sender) noexcept;

 private:
  void turn_ends() noexcept override;

  Reactor& reactor_;
  std::vector<Sender*> listed_;
  std::vector<Sender*> sending_;
};

}  // namespace lingate::http
