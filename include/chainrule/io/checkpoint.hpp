#pragma once
// Stores the state of a training in a file: parameters, buffers, what is frozen, the optimizer's step count and moments, and whatever else
// the training needs to go on. After the file's header (bytes/checksummed_file.hpp) come the library's version, the fingerprint of network
// and training, and the values.

#include <chainrule/bytes/checksummed_file.hpp>
#include <chainrule/bytes/file.hpp>
#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/core/optimizer_state.hpp>
#include <chainrule/core/version.hpp>
#include <chainrule/io/archive.hpp>
#include <chainrule/io/detail/fingerprint.hpp>

namespace chainrule {
namespace detail {

inline constexpr ChecksummedFormat checkpoint_format{"chainrule checkpoint", 3};

/// The fingerprint of a network, its optimizer's state, and those among `more` that are optimizers.
template <class Net, class Scalar, Index... Fixed, class... More>
std::string fingerprint_of(const Net& net, const OptimizerState<Scalar, Fixed...>& state, const More&... more) {
  std::string lines = text_of(fingerprint_of(net), "moments: ", state.moments(), " of ", state.size(), " numbers\n");
  [[maybe_unused]] const auto add = [&lines](const auto& one) {
    if constexpr (Optimizer<std::remove_cvref_t<decltype(one)>>) add_rule(lines, one);
  };
  (add(more), ...);
  return lines;
}

/// Fills bytes with a complete checkpoint file; write(archive) adds the values.
template <class Write>
void make_checkpoint(std::string& bytes, const std::string& fingerprint, const Write& write) {
  begin_checksummed_file(bytes, checkpoint_format);
  Archive archive = Archive::writing(bytes);
  archive(std::string(version), fingerprint);
  write(archive);
  finish_checksummed_file(bytes, checkpoint_format);
}

/// The part of a checkpoint file that holds the values. Throws ValueError unless the file is complete and has this fingerprint.
inline std::string_view values_of_checkpoint(std::string_view bytes, const std::string& file, const std::string& fingerprint) {
  const std::string_view contents = checked_contents(bytes, file, checkpoint_format);
  Archive archive = Archive::reading(contents, file);
  std::string by_version;
  std::string found;
  archive(by_version, found);
  check_fingerprint(file, fingerprint, found);
  return archive.rest();
}

/// Reads values with keep(archive). Where that throws, all objects get back the values that they had before.
template <class Keep>
void read_or_restore(std::string_view values, const std::string& file, const Keep& keep) {
  std::string before;
  Archive saved = Archive::writing(before);
  keep(saved);
  bool done = false;
  const ScopeExit put_back([&] {
    if (done) return;
    Archive back = Archive::reading(before, file);
    keep(back);
  });
  Archive archive = Archive::reading(values, file);
  keep(archive);
  archive.end();
  done = true;
}

/// Writes or reads which parameters are frozen, as the ends of their ranges: begin, end, begin, end, ...
template <class Net, class State>
void archive_frozen(Archive& archive, Net& net, State& state) {
  std::vector<Index> ends;
  if (net.frozen() != nullptr)
    for (const auto& range : net.frozen()->ranges()) ends.insert(ends.end(), {range.begin, range.end});
  archive(ends);
  if constexpr (!std::is_const_v<Net>) {
    if (!archive.reads()) return;
    FrozenParameters frozen;
    Index before = -1;
    for (std::size_t i = 0; i + 1 < ends.size(); i += 2) {
      archive.expect(ends[i] > before && ends[i + 1] > ends[i] && ends[i + 1] <= net.parameters().size(), "the frozen parameters from ",
                     ends[i], " to ", ends[i + 1], " cannot be here");
      frozen.add(ends[i], before = ends[i + 1]);
    }
    archive.expect(ends.size() % 2 == 0, "found ", ends.size(), " ends of ranges of frozen parameters");
    net.set_frozen(std::move(frozen));
    state.follow(net);
  }
}

/// Writes or reads what every checkpoint holds, and `more`, apart from optimizers, which never change.
template <class Net, class State, class... More>
void archive_training(Archive& archive, Net& net, State& state, More&... more) {
  archive(net.parameters(), net.buffers(), state.steps, state.flat());
  archive_frozen(archive, net, state);
  [[maybe_unused]] const auto add = [&archive](auto& one) {
    if constexpr (!Optimizer<std::remove_cvref_t<decltype(one)>>) archive(one);
  };
  (add(more), ...);
}

}  // namespace detail

/// Writes the network's numbers and the optimizer's state into one file, and after them whatever else a training loop needs to go on: an
/// epoch, a string, anything that an Archive can hold. For loops of your own; for a Trainer there is Checkpoint.
/// @code{.cpp}
/// save_checkpoint("run.checkpoint", net, state, rule, epoch);
/// @endcode
/// An optimizer among them is written by its name and its hyperparameters, which load_checkpoint compares with those that it is given.
/// Without it, moments of one rule can be loaded for another that has as many.
///
/// A crash at any moment leaves either the old file or the new one, complete. Only one loop at a time may write the file: of two, the last
/// one wins. Throws ValueError with the system's reason where it cannot be written, and where a Trainer's Checkpoint is using it.
template <class Net, class Scalar, Index... Fixed, class... More>
void save_checkpoint(const std::string& path, const Net& net, const OptimizerState<Scalar, Fixed...>& state, const More&... more) {
  if (detail::FileLock().is_held_by_another(path))
    detail::raise<ValueError>("save_checkpoint: a training with the observer Checkpoint is using \"", path, "\"");
  std::string bytes;
  detail::make_checkpoint(bytes, detail::fingerprint_of(net, state, more...),
                          [&](Archive& archive) { detail::archive_training(archive, net, state, more...); });
  detail::write_file("save_checkpoint", path, bytes, detail::Durability::power_loss);
}

/// Reads what save_checkpoint has written for the same kinds of network and `more`, and the same optimizer if one is among them. What was
/// frozen is frozen again. After
/// `work.set_step(state.steps)` the resumed training is bit-identical to an uninterrupted one. Throws ValueError, with what was expected
/// and what was found, for a file that is damaged or of another network; then nothing has changed.
template <class Net, class Scalar, Index... Fixed, class... More>
void load_checkpoint(const std::string& path, Net& net, OptimizerState<Scalar, Fixed...>& state, More&... more) {
  const std::string bytes = detail::read_file("load_checkpoint", path);
  detail::read_or_restore(detail::values_of_checkpoint(bytes, path, detail::fingerprint_of(net, state, more...)), path,
                          [&](Archive& archive) { detail::archive_training(archive, net, state, more...); });
}

}  // namespace chainrule
