// What the workers share, the snapshot and the count of those who hold it, is only read on a request's way. Both lie in
// pages of their own that are made read-only meanwhile: whoever writes there, be it a reference count, is caught.
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>

#include "tests/http/gateway_fixture.h"

namespace lingate::http::test {
namespace {

void* pages = nullptr;
std::size_t pages_size = 0;
std::atomic<int> writes{0};

void protect(int protection) {
  if (::mprotect(pages, pages_size, protection) != 0) std::abort();
}

// The write then happens, and is counted.
void note_write(int, siginfo_t* info, void*) {
  const auto place = reinterpret_cast<std::uintptr_t>(info->si_addr);
  const auto begin = reinterpret_cast<std::uintptr_t>(pages);
  if (place < begin || place >= begin + pages_size) std::abort();
  writes.fetch_add(1);
  protect(PROT_READ | PROT_WRITE);
}

template <class T>
struct PageAllocator {
  using value_type = T;
  PageAllocator() = default;
  template <class Other>
  PageAllocator(const PageAllocator<Other>&) {}

  T* allocate(std::size_t count) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    pages_size = (count * sizeof(T) + page - 1) / page * page;
    pages = ::mmap(nullptr, pages_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) std::abort();
    return static_cast<T*>(pages);
  }
  void deallocate(T* place, std::size_t) { ::munmap(place, pages_size); }
  bool operator==(const PageAllocator&) const { return true; }
};

class SharedState : public GatewayTest {
 protected:
  SharedState() {
    struct sigaction action {};
    action.sa_sigaction = note_write;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGSEGV, &action, &before_);
  }
  ~SharedState() override {
    stop();
    ::sigaction(SIGSEGV, &before_, nullptr);
  }

  std::shared_ptr<const Snapshot> share(Snapshot snapshot) override {
    shared_ = std::allocate_shared<Snapshot>(PageAllocator<Snapshot>(), std::move(snapshot));
    return shared_;
  }

  static void exchange(Socket& client, Socket& upstream) {
    client.send("GET /users/42?verbose=1 HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: test\r\n\r\n");
    upstream.read_head();
    upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    ASSERT_EQ(status_of(client.read_head()), 200);
    client.read_exactly(2);
  }

  std::shared_ptr<const Snapshot> shared_;

 private:
  struct sigaction before_ {};
};

TEST_F(SharedState, IsOnlyReadByAKeepAliveRequest) {
  start();
  Socket client = this->client();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  Socket upstream = origin_.accept();
  upstream.read_head();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  client.read_head();
  client.read_exactly(2);
  writes = 0;
  protect(PROT_READ);
  for (int k = 0; k < 50; ++k)
    exchange(client, upstream);
  EXPECT_EQ(writes, 0);
  const std::shared_ptr<const Snapshot> one_more = shared_;
  EXPECT_EQ(writes, 1) << "a reference count would not have been seen";
  protect(PROT_READ | PROT_WRITE);
}

}  // namespace
}  // namespace lingate::http::test
