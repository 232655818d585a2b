#pragma once
// Ranks that are threads of one process, so that training on several ranks is tested without MPI.

#include <chainrule/parallel/ranks.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace chainrule_test {

/// The messages between ranks.
struct Mail {
  std::mutex mutex;
  std::condition_variable changed;
  // by sender, receiver and channel
  std::map<std::tuple<chainrule::Index, chainrule::Index, chainrule::Index>, std::deque<std::vector<std::byte>>> messages;
  std::string farewell;
  std::size_t bytes = 0;  // sum over all messages
};

/// One of the ranks.
class ThreadRanks final : public chainrule::Ranks {
 public:
  ThreadRanks(Mail& mail, chainrule::Index rank, chainrule::Index ranks, chainrule::RankOptions options)
      : Ranks(rank, ranks, options), mail_{mail} {}

  bool begin_waits = false;  ///< whether begin_exchange waits for the other rank

 protected:
  void begin_exchange(chainrule::Index channel, chainrule::Index partner, std::span<const std::byte> out,
                      std::span<std::byte> in) override {
    {
      const std::lock_guard lock(mail_.mutex);
      expected_[channel] = {partner, in};
      if (!out.empty()) mail_.messages[{rank(), partner, channel}].emplace_back(out.begin(), out.end());
      mail_.bytes += out.size();
      mail_.changed.notify_all();
    }
    if (begin_waits) wait_for(channel);
  }
  bool is_complete(chainrule::Index channel) override {
    const std::lock_guard lock(mail_.mutex);
    return take(channel);
  }
  void wait_for(chainrule::Index channel) override {
    std::unique_lock lock(mail_.mutex);
    const bool has_message =
        mail_.changed.wait_for(lock, std::chrono::duration<double>(timeout()), [&] { return take(channel) || !mail_.farewell.empty(); });
    if (!has_message) chainrule::detail::raise<chainrule::RankError>("rank ", rank(), " has waited for rank ", expected_[channel].first);
    if (!take(channel)) chainrule::detail::raise<chainrule::RankError>(mail_.farewell);
  }
  void abandon(chainrule::Index channel) noexcept override { expected_.erase(channel); }
  void begin() override {}
  void give_up(const std::string& reason) noexcept override {
    const std::lock_guard lock(mail_.mutex);
    if (mail_.farewell.empty()) mail_.farewell = chainrule::detail::text_of("rank ", rank(), " has stopped: ", reason);
    mail_.changed.notify_all();
  }

 private:
  // Takes the message that is expected on this channel, and returns whether there is none left to wait for.
  bool take(chainrule::Index channel) {
    const auto expected = expected_.find(channel);
    if (expected == expected_.end()) return true;
    const auto [partner, in] = expected->second;
    if (!in.empty()) {
      auto& arrived = mail_.messages[{partner, rank(), channel}];
      if (arrived.empty()) return false;
      if (arrived.front().size() != in.size()) chainrule::detail::raise<chainrule::RankError>("a message of another size");
      std::copy(arrived.front().begin(), arrived.front().end(), in.begin());
      arrived.pop_front();
    }
    expected_.erase(expected);
    return true;
  }

  Mail& mail_;
  std::map<chainrule::Index, std::pair<chainrule::Index, std::span<std::byte>>> expected_;  // by channel
};

/// Calls work(ranks) on each of so many ranks, and returns the results in their order. Where ranks throw, `errors` gets their messages.
template <class Work>
auto on_ranks(chainrule::Index count, chainrule::RankOptions options, const Work& work, std::vector<std::string>* errors = nullptr,
              std::size_t* bytes = nullptr) {
  using Result = decltype(work(std::declval<ThreadRanks&>()));
  Mail mail;
  std::vector<Result> results(static_cast<std::size_t>(count));
  std::vector<std::string> messages(static_cast<std::size_t>(count));
  std::vector<std::thread> threads;
  for (chainrule::Index rank = 0; rank < count; ++rank)
    threads.emplace_back([&, rank] {
      const auto i = static_cast<std::size_t>(rank);
      try {
        ThreadRanks ranks(mail, rank, count, options);
        results[i] = work(ranks);
      } catch (const std::exception& error) {
        messages[i] = error.what();
      }
    });
  for (std::thread& thread : threads) thread.join();
  if (bytes != nullptr) *bytes = mail.bytes;
  if (errors != nullptr)
    *errors = messages;
  else
    for (const std::string& message : messages)
      if (!message.empty()) throw chainrule::StateError(message);
  return results;
}

}  // namespace chainrule_test
