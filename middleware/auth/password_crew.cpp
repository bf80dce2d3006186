#include "middleware/auth/password_crew.h"

#include <crypt.h>

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

namespace lingate::middleware::auth {

// Owned by the queue until a thread takes it; from then on it deletes itself on the loop, asked for or forgotten.
class PasswordCrew::Check final : public Task {
 public:
  Check(Loop& loop, Asker& asker, std::string_view password, std::string_view hash)
      : loop_(loop), asker_(&asker), password_(password), hash_(hash) {}
  ~Check() override { OPENSSL_cleanse(password_.data(), password_.size()); }

  void compute(crypt_data& room) noexcept {
    std::memset(&room, 0, sizeof room);
    const char* const made = ::crypt_r(password_.c_str(), hash_.c_str(), &room);
    matches_ = made && std::strlen(made) == hash_.size() && CRYPTO_memcmp(made, hash_.data(), hash_.size()) == 0;
    OPENSSL_cleanse(&room, sizeof room);
  }
  void go_home() noexcept { loop_.post(*this); }
  void forget() noexcept { asker_ = nullptr; }

  void run() noexcept override {
    const std::unique_ptr<Check> self(this);
    if (asker_) asker_->checked(matches_);
  }

 private:
  Loop& loop_;
  Asker* asker_;  // the loop's thread only
  std::string password_;
  const std::string hash_;
  bool matches_ = false;
};

PasswordCrew::PasswordCrew(std::size_t threads) : most_threads_(threads) {}

PasswordCrew::~PasswordCrew() {
  close();
}

PasswordCrew::Check* PasswordCrew::check(Loop& loop, Asker& asker, std::string_view password, std::string_view hash) {
  auto made = std::make_unique<Check>(loop, asker, password, hash);
  Check* const check = made.get();
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || queue_.size() >= kMostWaiting) return nullptr;
    queue_.push_back(std::move(made));
    if (idle_ < queue_.size() && threads_.size() < most_threads_) threads_.emplace_back([this] { serve(); });
  }
  wake_.notify_one();
  return check;
}

// One that no thread has taken costs nobody a hash.
void PasswordCrew::forget(Check& check) noexcept {
  check.forget();
  const std::lock_guard lock(mutex_);
  std::erase_if(queue_, [&check](const auto& each) { return each.get() == &check; });
}

void PasswordCrew::close() noexcept {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    queue_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_)
    thread.join();
  threads_.clear();
}

void PasswordCrew::serve() noexcept {
  const auto room = std::make_unique<crypt_data>();
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    --idle_;
    if (closed_) return;
    std::unique_ptr<Check> check = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    check->compute(*room);
    check.release()->go_home();
    lock.lock();
  }
}

}  // namespace lingate::middleware::auth
