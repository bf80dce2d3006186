// A keep-alive request that is only forwarded costs no allocation. This executable's operator new counts those of other
// threads than the test's, which are the worker's.
#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/http/gateway_fixture.h"

namespace {

thread_local bool of_the_test = false;
std::atomic<bool> counting{false};
std::atomic<std::uint64_t> counted{0};

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (counting.load(std::memory_order_relaxed) && !of_the_test) counted.fetch_add(1, std::memory_order_relaxed);
  return alignment <= alignof(std::max_align_t)
             ? std::malloc(size)
             : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  if (void* const place = allocate(size, alignment)) return place;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate_or_throw(size, 1);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
// The library's calls the one above; the address sanitizer's own does not, and would be freed by free() below.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, 1);
}
void operator delete(void* place) noexcept {
  std::free(place);
}
void operator delete(void* place, std::size_t) noexcept {
  std::free(place);
}
void operator delete(void* place, std::align_val_t) noexcept {
  std::free(place);
}
void operator delete(void* place, std::size_t, std::align_val_t) noexcept {
  std::free(place);
}

namespace lingate::http::test {
namespace {

class Allocation : public GatewayTest {
 protected:
  Allocation() { of_the_test = true; }
  ~Allocation() override { counting = false; }

  static void exchange(Socket& client, Socket& upstream, const std::string& request, const std::string& answer) {
    client.send(request);
    upstream.read_head();
    upstream.send(answer);
    ASSERT_EQ(status_of(client.read_head()), 200);
    client.read_exactly(128);
  }

  // Of so many requests over one connection, after others have made room for them.
  std::uint64_t allocations_of(const std::string& request) {
    // The fixture's own step notes each status in a vector, which grows at 128 and 256.
    constexpr int kBefore = 140;
    constexpr int kCounted = 100;
    const std::string answer =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 128\r\n\r\n" + std::string(128, 'x');
    start();
    Socket client = this->client();
    client.send(request);
    Socket upstream = origin_.accept();
    upstream.read_head();
    upstream.send(answer);
    client.read_head();
    client.read_exactly(128);
    for (int k = 1; k < kBefore; ++k)
      exchange(client, upstream, request, answer);
    counted = 0;
    counting = true;
    for (int k = 0; k < kCounted; ++k)
      exchange(client, upstream, request, answer);
    counting = false;
    return counted;
  }
};

TEST_F(Allocation, AForwardedRequestCostsNone) {
  EXPECT_EQ(allocations_of("GET /users/42?verbose=1 HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: test\r\n"
                           "Accept: */*\r\nCookie: a=b; c=d\r\nX-Api-Key: key-00000500\r\n\r\n"),
            0U);
}

// The count is of this executable's own operator: it sees what the worker does.
TEST_F(Allocation, IsSeenWhereItHappens) {
  start();
  counted = 0;
  counting = true;
  std::thread([] {
    const auto place = std::make_unique<int>(7);
    asm volatile("" : : "g"(place.get()) : "memory");  // the compiler may leave out what nobody looks at
  }).join();
  counting = false;
  EXPECT_GE(counted.load(), 1U);
}

}  // namespace
}  // namespace lingate::http::test
