#pragma once
// Needs MPI: the target chainrule::mpi, or the compiler mpic++.

#include <algorithm>
#include <array>
#include <chainrule/parallel/ranks.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>
#include <vector>

#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1  // without the C++ functions that MPI 3 has removed
#endif
#ifndef MPICH_SKIP_MPICXX
#define MPICH_SKIP_MPICXX 1
#endif
#include <mpi.h>

namespace chainrule {

/// The processes of an MPI communicator, which train together:
/// @code{.cpp}
/// Mpi mpi{MPI_COMM_WORLD};
/// trainer.fit(mpi.part_of(train), {.epochs = 20, .batch_size = 256}, mpi, ProgressBar{}, Checkpoint{.path = "run.checkpoint"});
/// @endcode
/// The number of ranks must be a power of two. Messages are sent on a duplicate of the communicator, by the thread that calls fit
/// (MPI_THREAD_FUNNELED suffices). Where a rank hangs, has died, or the network is broken, the others throw RankError after
/// RankOptions::timeout seconds; where a rank throws inside fit, the others throw RankError with its reason as soon as they wait. After
/// such an error end the program with MPI_Abort, as run_ranks does, because MPI_Finalize may wait for the missing rank forever.
class Mpi final : public Ranks {
 public:
  /// All processes of the communicator call it. Throws StateError outside MPI_Init and MPI_Finalize, ValueError for a number of ranks that
  /// is no power of two or above the number of shards, RankError where a rank does not call it in time.
  explicit Mpi(MPI_Comm communicator = MPI_COMM_WORLD, RankOptions options = {})
      : Ranks(rank_in(communicator), size_of(communicator), options) {
    MPI_Request request;
    check(MPI_Comm_idup(communicator, &communicator_, &request), "duplicating the communicator");
    Exchange all_others;
    all_others.requests = {request};
    wait(all_others);
    MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN);
    is_duplicated_ = true;
    int* largest_tag = nullptr;
    int has_largest_tag = 0;
    MPI_Comm_get_attr(communicator_, MPI_TAG_UB, &largest_tag, &has_largest_tag);
    if (has_largest_tag != 0) different_trainings_ = static_cast<unsigned>((*largest_tag - first_data_tag) / max_channels);
  }
  /// Frees the duplicate of the communicator, in which all ranks take part; not where an exchange or this rank has failed.
  ~Mpi() override {
    int is_finalized = 0;
    MPI_Finalized(&is_finalized);
    const bool has_failed = has_failed_ || std::uncaught_exceptions() > exceptions_before_;
    if (is_duplicated_ && !has_failed && is_finalized == 0) MPI_Comm_free(&communicator_);
  }

 protected:
  /// Begins to exchange bytes with another rank, in the background as far as MPI makes progress by itself, and else in is_complete and
  /// wait_for; see Ranks.
  void begin_exchange(Index channel, Index partner, std::span<const std::byte> out, std::span<std::byte> in) override {
    Exchange& exchange = exchanges_[static_cast<std::size_t>(channel)];
    exchange.partner = static_cast<int>(partner);
    exchange.in_bytes = in.size();
    exchange.requests.clear();
    const auto begin = [&](const auto& bytes, const auto& begin_piece) {
      constexpr std::size_t most = std::size_t{1} << 30;  // MPI counts bytes with an int
      for (std::size_t at = 0; at < bytes.size(); at += most) {
        const auto piece = bytes.subspan(at, (std::min)(most, bytes.size() - at));
        MPI_Request* const request = &exchange.requests.emplace_back(MPI_REQUEST_NULL);
        check(begin_piece(piece.data(), static_cast<int>(piece.size()), request), exchange);
      }
    };
    const int tag = first_data_tag + static_cast<int>(training_ % different_trainings_ * max_channels + static_cast<unsigned>(channel));
    begin(in, [&](std::byte* bytes, int size, MPI_Request* request) {
      return MPI_Irecv(bytes, size, MPI_BYTE, exchange.partner, tag, communicator_, request);
    });
    exchange.receives = exchange.requests.size();
    begin(out, [&](const std::byte* bytes, int size, MPI_Request* request) {
      return MPI_Isend(bytes, size, MPI_BYTE, exchange.partner, tag, communicator_, request);
    });
  }
  /// Lets MPI make progress, and returns whether the exchange of this channel is complete.
  bool is_complete(Index channel) override { return test(exchanges_[static_cast<std::size_t>(channel)]); }
  /// Waits until the exchange of this channel is complete.
  void wait_for(Index channel) override { wait(exchanges_[static_cast<std::size_t>(channel)]); }
  /// Gives up the exchange of this channel.
  void abandon(Index channel) noexcept override {
    has_failed_ = true;
    Exchange& exchange = exchanges_[static_cast<std::size_t>(channel)];
    for (std::size_t i = 0; i < exchange.requests.size(); ++i) {
      MPI_Request& request = exchange.requests[i];
      if (request == MPI_REQUEST_NULL) continue;
      if (i < exchange.receives) MPI_Cancel(&request);
      MPI_Request_free(&request);
    }
    exchange.requests.clear();
  }
  /// Numbers the trainings, so that messages of an earlier one are told apart.
  void begin() override { ++training_; }
  /// Sends the reason to all other ranks, for at most a second.
  void give_up(const std::string& reason) noexcept override {
    if (was_told_ == training_) return;   // the others were told too
    auto* const farewell = new Farewell;  // never freed, because a message may be on its way when the program ends
    farewell->training = training_;
    std::snprintf(farewell->reason, sizeof farewell->reason, "%s", reason.c_str());
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    for (Index other = 0; other < ranks(); ++other) {
      if (other == rank()) continue;
      MPI_Request request;
      if (MPI_Isend(farewell, sizeof *farewell, MPI_BYTE, static_cast<int>(other), farewell_tag, communicator_, &request) != MPI_SUCCESS)
        continue;
      int is_done = 0;
      while (MPI_Test(&request, &is_done, MPI_STATUS_IGNORE) == MPI_SUCCESS && is_done == 0 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::yield();
      if (is_done == 0) MPI_Request_free(&request);
    }
  }

 private:
  static constexpr int farewell_tag = 1, first_data_tag = 2;
  // The message of a rank that gives up to the others.
  struct Farewell {
    unsigned long long training = 0;
    int rank = 0;
    char reason[2000] = {};
  };

  // The messages of a channel that are on their way.
  struct Exchange {
    int partner = -1;                        // -1: all other ranks
    std::vector<MPI_Request> requests = {};  // receives first, then sends
    std::vector<MPI_Status> statuses = {};
    std::size_t receives = 0;
    std::size_t in_bytes = 0;  // the size of all receives together
  };
  static std::string name_of(const Exchange& exchange) {
    return exchange.partner < 0 ? "all other ranks" : detail::text_of("rank ", exchange.partner);
  }

  static void check_running() {
    int is_initialized = 0, is_finalized = 0;
    MPI_Initialized(&is_initialized);
    MPI_Finalized(&is_finalized);
    if (is_initialized == 0 || is_finalized != 0)
      detail::raise<StateError>("Mpi: MPI is not running; call MPI_Init_thread before, and MPI_Finalize after, or use run_ranks");
  }
  static Index rank_in(MPI_Comm communicator) {
    check_running();
    int rank = 0;
    check(MPI_Comm_rank(communicator, &rank), "asking for the rank");
    return rank;
  }
  static Index size_of(MPI_Comm communicator) {
    check_running();
    int size = 0;
    check(MPI_Comm_size(communicator, &size), "asking for the number of ranks");
    return size;
  }
  static void check(int code, const char* doing, std::string_view whom = {}) {
    if (code == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(code, text, &length);
    detail::raise<RankError>("Mpi: ", doing, whom, " failed: ", static_cast<const char*>(text));
  }

  // MPI takes a message that is too short without an error.
  void check_size(const Exchange& exchange) const {
    std::size_t received = 0;
    for (std::size_t i = 0; i < exchange.receives; ++i) {
      int bytes = 0;
      MPI_Get_count(&exchange.statuses[i], MPI_BYTE, &bytes);
      received += static_cast<std::size_t>(bytes);
    }
    if (received != exchange.in_bytes)
      detail::raise<RankError>("Mpi: expected ", exchange.in_bytes, " bytes from ", name_of(exchange), ", but ", received,
                               " arrived; all ranks must make the same sums, and have the same RankOptions");
  }
  static void check(int code, const Exchange& exchange) {
    if (code != MPI_SUCCESS) check(code, "an exchange with ", name_of(exchange));
  }

  // Lets MPI make progress, and returns whether all messages of the exchange have arrived.
  bool test(Exchange& exchange) {
    int is_done = 0;
    exchange.statuses.resize(exchange.requests.size());
    const int code = MPI_Testall(static_cast<int>(exchange.requests.size()), exchange.requests.data(), &is_done, exchange.statuses.data());
    if (code == MPI_SUCCESS) {
      if (is_done == 0) return false;
      check_size(exchange);
      exchange.requests.clear();
      return true;
    }
    if (code == MPI_ERR_IN_STATUS)
      for (const MPI_Status& status : exchange.statuses)
        if (status.MPI_ERROR != MPI_ERR_PENDING) check(status.MPI_ERROR, exchange);
    check(code, exchange);
    return false;
  }

  // Waits until all messages of the exchange have arrived. RankError after the timeout, and where a rank has given up.
  void wait(Exchange& exchange) {
    const auto begin = std::chrono::steady_clock::now();
    for (Index looks = 1; !test(exchange); ++looks) {
      if (looks % 32 != 0) continue;
      if (is_duplicated_) look_for_farewell();
      const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begin;
      if (waited.count() > timeout())
        detail::raise<RankError>(
            "rank ", rank(), " has waited ", timeout(), " s for ", name_of(exchange),
            ", which has sent nothing: it hangs, has ended, or the network is broken. A checkpoint that was written is "
            "whole; start all ranks again to go on from it, or set a longer .timeout");
      // Other ranks may need this processor: after 20 ms without a message, look only some thousand times a second.
      if (waited.count() < 0.02)
        std::this_thread::yield();
      else
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }

  void look_for_farewell() {
    if (early_.training == training_ && training_ != 0) stop_as(early_);
    int is_there = 0;
    MPI_Status status;
    check(MPI_Iprobe(MPI_ANY_SOURCE, farewell_tag, communicator_, &is_there, &status), "looking for messages");
    if (is_there == 0) return;
    Farewell farewell;
    check(MPI_Recv(&farewell, sizeof farewell, MPI_BYTE, status.MPI_SOURCE, farewell_tag, communicator_, MPI_STATUS_IGNORE), "receiving");
    farewell.rank = status.MPI_SOURCE;
    if (farewell.training > training_) early_ = farewell;
    if (farewell.training == training_) stop_as(farewell);
  }
  [[noreturn]] void stop_as(const Farewell& farewell) {
    was_told_ = training_;
    detail::raise<RankError>("rank ", farewell.rank, " has stopped: ", static_cast<const char*>(farewell.reason));
  }

  MPI_Comm communicator_ = MPI_COMM_NULL;
  std::array<Exchange, max_channels> exchanges_;
  unsigned long long training_ = 0, was_told_ = 0;
  unsigned different_trainings_ = 1000;  // messages of so many trainings have different tags; each MPI allows tags up to 32767
  bool is_duplicated_ = false, has_failed_ = false;
  int exceptions_before_ = std::uncaught_exceptions();
  Farewell early_;  // the farewell of a rank that has given up in a training that this one has not begun yet
};

/// The main function of a program on several ranks: starts MPI, calls work(mpi), and ends MPI. Where it throws, prints the message with the
/// rank's number to stderr, and ends all ranks with MPI_Abort and exit code 1, because the other ranks may wait for this one. Returns 0.
/// @code{.cpp}
/// int main(int argc, char** argv) {
///   return chainrule::run_ranks(argc, argv, [](chainrule::Mpi& mpi) { train_and_test(mpi); });
/// }
/// @endcode
template <class Work>
int run_ranks(int argc, char** argv, const Work& work, RankOptions options = {}) {
  int provided = 0, rank = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
#if defined(__cpp_exceptions)
  try {
#endif
    Mpi mpi(MPI_COMM_WORLD, options);
    work(mpi);
#if defined(__cpp_exceptions)
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d: %s\n", rank, error.what());
    std::fflush(stderr);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // the others learn the reason, and print it
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
#endif
  MPI_Finalize();
  return 0;
}

}  // namespace chainrule
