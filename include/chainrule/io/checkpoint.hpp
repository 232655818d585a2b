#pragma once
// The state of a training in a file: parameters, buffers, the optimizer's steps and moments, and what else the training has to keep.
// Behind the file's header (bytes/checksummed_file.hpp) lie the library's version, the identity of network and training as text, and the
// values.

#include <chainrule/bytes/checksummed_file.hpp>
#include <chainrule/bytes/file.hpp>
#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/core/optimizer_state.hpp>
#include <chainrule/core/version.hpp>
#include <chainrule/io/archive.hpp>
#include <chainrule/io/detail/network_identity.hpp>

namespace chainrule {
namespace detail {

inline constexpr ChecksummedFormat checkpoint_format{"chainrule checkpoint", 1};

template <class Net, class Scalar>
std::string identity_of(const Net& net, const OptimizerState<Scalar>& state) {
  return text_of(identity_of(net), "moments: ", state.moments(), " of ", state.size(), " numbers\n");
}

/// Makes the bytes the file of a checkpoint; write(archive) adds the values.
template <class Write>
void make_checkpoint(std::string& bytes, const std::string& identity, const Write& write) {
  begin_checksummed_file(bytes, checkpoint_format);
  Archive archive = Archive::writing(bytes);
  archive(std::string(version), identity);
  write(archive);
  finish_checksummed_file(bytes, checkpoint_format);
}

/// The values in the bytes of a file. Throws ValueError unless it is whole and of this identity.
inline std::string_view values_of_checkpoint(std::string_view bytes, const std::string& file, const std::string& identity) {
  const std::string_view contents = checked_contents(bytes, file, checkpoint_format);
  Archive archive = Archive::reading(contents, file);
  std::string by_version;
  std::string found;
  archive(by_version, found);
  check_identity(file, identity, found);
  return archive.rest();
}

/// Reads all values by keep(archive), or, where that throws, none: those that have been read become again what they were.
template <class Keep>
void read_or_leave(std::string_view values, const std::string& file, const Keep& keep) {
  std::string before;
  Archive saved = Archive::writing(before);
  keep(saved);
  bool done = false;
  const AtExit put_back([&] {
    if (done) return;
    Archive back = Archive::reading(before, file);
    keep(back);
  });
  Archive archive = Archive::reading(values, file);
  keep(archive);
  archive.end();
  done = true;
}

/// What every checkpoint keeps.
template <class Net, class State, class... More>
void keep_training(Archive& archive, Net& net, State& state, More&... more) {
  archive(net.parameters(), net.buffers(), state.steps, state.flat(), more...);
}

}  // namespace detail

/// For a loop of one's own; Trainer has Checkpoint. Writes the network's numbers and the optimizer's state into one file, and behind
/// them what else the loop has to keep: an epoch, a string, anything that an Archive knows.
/// @code{.cpp}
/// save_checkpoint("run.checkpoint", net, state, epoch);
/// @endcode
/// A crash at any moment leaves the old file or the new one, whole. One program at a time may write it. Throws ValueError with the
/// system's reason where it cannot be written.
template <class Net, class Scalar, class... More>
void save_checkpoint(const std::string& path, const Net& net, const OptimizerState<Scalar>& state, const More&... more) {
  std::string bytes;
  detail::make_checkpoint(bytes, detail::identity_of(net, state),
                          [&](Archive& archive) { detail::keep_training(archive, net, state, more...); });
  detail::write_file("save_checkpoint", path, bytes, detail::Durability::power_loss);
}

/// Reads what save_checkpoint has written for such a network, optimizer and `more`; then `work.set_step(state.steps)`, and the loop goes
/// on with the same bits. Throws ValueError, with what was expected and what was found, for a file that is damaged or of another
/// network, and then nothing has changed.
template <class Net, class Scalar, class... More>
void load_checkpoint(const std::string& path, Net& net, OptimizerState<Scalar>& state, More&... more) {
  const std::string bytes = detail::read_file("load_checkpoint", path);
  detail::read_or_leave(detail::values_of_checkpoint(bytes, path, detail::identity_of(net, state)), path,
                        [&](Archive& archive) { detail::keep_training(archive, net, state, more...); });
}

}  // namespace chainrule
