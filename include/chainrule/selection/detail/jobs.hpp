#pragma once
// Runs independent jobs, such as the trainings of a cross-validation, on several threads, and keeps their results in a file, so that a
// program that was stopped goes on with the jobs that are missing.

#include <algorithm>
#include <chainrule/bytes/checksummed_file.hpp>
#include <chainrule/bytes/file.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/io/archive.hpp>
#include <chainrule/selection/selection_progress.hpp>
#include <chainrule/threads/thread_team.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace chainrule::detail {

/// The options of run_jobs.
struct JobOptions {
  const char* who;                                                ///< the function that is called, for messages and in the file
  Index threads;                                                  ///< number of threads that do jobs
  const std::string& path;                                        ///< the file with results; empty: none
  const std::function<void(const SelectionProgress&)>& progress;  ///< called after each job; may be empty
};

/// A number by which a file with results recognizes data, parameters and settings.
class Digest {
 public:
  Digest& add(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() > (std::size_t{1} << 20)) flush();
    return *this;
  }
  /// Adds the numbers of a matrix, or labels.
  template <class Numbers>
  Digest& add_numbers(const Numbers& numbers) {
    if constexpr (requires { numbers.coeff(0, 0); }) {
      for (Index j = 0; j < numbers.cols(); ++j)
        for (Index i = 0; i < numbers.rows(); ++i) add_number(static_cast<double>(numbers.coeff(i, j)));
    } else {
      for (const auto label : numbers) add_number(static_cast<double>(label));
    }
    return add_number(-1);  // the end of these numbers
  }
  std::uint64_t value() {
    flush();
    return hash_;
  }

 private:
  Digest& add_number(double number) { return add({reinterpret_cast<const char*>(&number), sizeof number}); }
  void flush() {
    buffer_ += std::to_string(hash_);
    hash_ = crc64(buffer_);
    buffer_.clear();
  }

  std::string buffer_;
  std::uint64_t hash_ = 0;
};

/// The file that remembers results: for each job whether it is done, and its result.
template <class Result>
class ResultFile {
 public:
  /// Reads the file, or writes one without results, so that a path that cannot be written is noticed before the work. Throws ValueError
  /// where it cannot be written, is damaged, in use, or of another call.
  ResultFile(const JobOptions& options, std::vector<Result>& results)
      : who_{options.who}, path_{options.path}, results_{results}, done_(results.size(), 0) {
    if (path_.empty()) return;
    std::error_code ignored;
    if (std::filesystem::exists(path_of(path_), ignored))
      read();
    else
      write();
  }
  bool has(std::size_t job) const { return done_[job] != 0; }

  /// Adds the result of a job and writes the file.
  void add(std::size_t job, Result result) {
    results_[job] = std::move(result);
    done_[job] = 1;
    if (!path_.empty()) write();
  }

 private:
  static constexpr ChecksummedFormat format{"chainrule selection", 1};

  void read() {
    lock_ = FileLock::of_path(path_);
    check_is_free();
    remove_leftovers(path_);
    const std::string bytes = read_file(who_, path_);
    Archive archive = Archive::reading(checked_contents(bytes, path_, format), path_);
    std::string who;
    std::size_t count = 0, finished = 0;
    archive(who, count, finished);
    if (finished == 0) return write();
    archive.expect(who == who_, "it has results of ", who, ", but this is ", who_, "; use another file");
    archive.expect(count == results_.size(), "it is for ", count, " results, but now there are ", results_.size(),
                   ", because candidates, folds or repeats are others; use another file");
    archive_results(archive);
    archive.end();
  }

  void write() {
    check_is_free();
    std::string bytes;
    begin_checksummed_file(bytes, format);
    Archive archive = Archive::writing(bytes);
    archive(std::string(who_), results_.size(), static_cast<std::size_t>(std::count(done_.begin(), done_.end(), 1)));
    archive_results(archive);
    finish_checksummed_file(bytes, format);
    write_file(who_, path_, bytes, Durability::process_exit, &lock_);
  }

  void archive_results(Archive& archive) {
    for (std::size_t job = 0; job < results_.size(); ++job) {
      bool done = has(job);
      archive(done);
      done_[job] = done ? 1 : 0;
      if (done) archive(results_[job]);
    }
  }
  void check_is_free() const {
    if (lock_.is_held_by_another(path_)) raise<ValueError>(who_, ": another program is using \"", path_, "\"; give each a file of its own");
  }

  const char* who_;
  std::string path_;
  std::vector<Result>& results_;
  std::vector<char> done_;
  FileLock lock_;
};

/// Does `count` jobs and returns their results. work(job, stored) does a job and returns its result; where a file has the result already,
/// `stored` points to it, and work only throws where it belongs to another job. describe(job, result) is a text for the progress.
/// Exceptions of the work arrive here; jobs that are done stay in the file.
template <class Result, class Work, class Describe>
std::vector<Result> run_jobs(const JobOptions& options, Index count, const Work& work, const Describe& describe) {
  if (options.threads < 1 || options.threads > ThreadTeam::max_threads)
    raise<ValueError>(options.who, ": threads must be 1 to ", ThreadTeam::max_threads, ", got ", options.threads);
  std::vector<Result> results(static_cast<std::size_t>(count));
  ResultFile<Result> file(options, results);
  std::vector<Index> known, open;
  for (Index job = 0; job < count; ++job) (file.has(static_cast<std::size_t>(job)) ? known : open).push_back(job);

  std::optional<ThreadTeam> team;
  if (const Index threads = (std::min)(options.threads, count); threads > 1) team.emplace(threads);
  Team* const shared = team ? &*team : nullptr;
  for_items(shared, static_cast<Index>(known.size()), [&](Index i) {
    const Index job = known[static_cast<std::size_t>(i)];
    static_cast<void>(work(job, &std::as_const(results[static_cast<std::size_t>(job)])));
  });

  const auto begin = std::chrono::steady_clock::now();
  std::mutex mutex;
  Index done = 0;
  for_items(shared, static_cast<Index>(open.size()), [&](Index i) {
    const Index job = open[static_cast<std::size_t>(i)];
    Result result = work(job, static_cast<const Result*>(nullptr));
    const std::lock_guard lock(mutex);
    const std::string last = options.progress ? describe(job, std::as_const(result)) : std::string();
    file.add(static_cast<std::size_t>(job), std::move(result));
    ++done;
    if (!options.progress) return;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const Index left = static_cast<Index>(open.size()) - done;
    options.progress({count - left, count, seconds, seconds * static_cast<double>(left) / static_cast<double>(done), last});
  });
  return results;
}

/// Throws ValueError where the file has a result that was computed with other data or settings. `what`: the job, for the message.
inline void check_digest(const JobOptions& options, std::uint64_t found, std::uint64_t expected, const std::string& what) {
  if (found != expected)
    raise<ValueError>(options.who, ": \"", options.path, "\" has the result of ", what,
                      " for other data, another network, optimizer or other options; use another file, or remove this one");
}

}  // namespace chainrule::detail
