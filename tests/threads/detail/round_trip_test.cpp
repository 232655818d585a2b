#include <chainrule/threads/detail/round_trip.hpp>
#include <thread>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("RoundTrip measures a positive time if another thread answers, and nothing if none does") {
  detail::RoundTrip trip;
  using Clock = detail::RoundTrip::Clock;
  unsigned waited = 0;
  CHECK(trip.measure([&waited](unsigned look) { waited = look; }) == Clock::duration::max());
  CHECK(waited > 10);  // waited for an answer, then gave up

  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) {
      trip.answer();
      std::this_thread::yield();
    }
  });
  Clock::duration time = Clock::duration::max();
  for (int tries = 0; tries < 10000 && time == Clock::duration::max(); ++tries)
    time = trip.measure([](unsigned) { std::this_thread::yield(); });
  stop = true;
  other.join();
  CHECK(time > Clock::duration::zero());
  CHECK(time < std::chrono::seconds(1));
}
