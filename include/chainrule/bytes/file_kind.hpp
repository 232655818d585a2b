#pragma once
// Recognizes files of other kinds by their first bytes, so that an error can say what was given to a reader instead of what is wrong with
// it.

#include <algorithm>
#include <chainrule/core/detail/require_cpp20.hpp>
#include <string_view>

namespace chainrule::detail {

/// Says what kind of file begins with these bytes, and what to do with it: "compressed by gzip; unpack it". Empty for a kind that is not
/// known.
inline std::string_view known_kind(std::string_view bytes) {
  using namespace std::string_view_literals;
  const auto begins = [&](std::string_view magic) { return bytes.starts_with(magic); };
  const auto has_at = [&](std::size_t place, std::string_view magic) {
    return bytes.size() >= place + magic.size() && bytes.substr(place, magic.size()) == magic;
  };
  const auto byte = [&](std::size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u; };
  const std::string_view beginning = bytes.substr(0, std::min<std::size_t>(bytes.size(), 4096));
  const auto mentions = [&](std::string_view text) { return beginning.find(text) != std::string_view::npos; };

  if (begins("version https://git-lfs")) return "a pointer of git-lfs to a file that is not here; git lfs pull fetches it";
  if (begins("PK\x03\x04")) {
    if (mentions("/data.pkl")) return "an archive of torch.save; in Python, write its state_dict with safetensors.torch.save_file";
    if (mentions(".npy")) return "an archive of NumPy (.npz); in Python, write its arrays with safetensors.numpy.save_file";
    if (mentions("config.json") || mentions("metadata.json") || mentions(".h5"))
      return "a model of Keras (.keras); in Python, export it as ONNX, or write its weights with safetensors.numpy.save_file";
    return "a zip archive; unpack it";
  }
  if (byte(0) == 0x80 && byte(1) >= 2 && byte(1) <= 5)
    return "a pickle of Python, as older versions of torch.save wrote; in Python, write its state_dict with safetensors.torch.save_file";
  if (begins("\x89HDF\r\n\x1a\n")) return "an HDF5 file (.h5); in Python, write its weights with safetensors.numpy.save_file";
  if (begins("\x93NUMPY")) return "an array of NumPy (.npy); read_npy reads it";
  if (begins("\x1f\x8b") || begins("\x28\xb5\x2f\xfd") || begins("\xfd\x37zXZ\0"sv) || begins("BZh"))
    return begins("\x1f\x8b") ? "compressed by gzip; unpack it" : "compressed; unpack it";
  if (has_at(257, "ustar")) return "a tar archive; unpack it";
  if (begins("GGUF")) return "a GGUF file of llama.cpp";
  if (has_at(4, "TFL3")) return "a model of TensorFlow Lite";
  if (begins("chainrule checkpoint")) return "a checkpoint of a training; load_checkpoint, or the observer Checkpoint, reads it";
  if (byte(0) == 8 && byte(1) >= 3 && byte(1) < 32 && (byte(2) == 0x12 || byte(2) == 0x1a || byte(2) == 0x22 || byte(2) == 0x3a))
    return "a model in ONNX; load_onnx reads it";  // an ONNX model begins with the format's version, and a text or the graph
  if (byte(6) == 0 && byte(7) == 0 && has_at(8, "{")) return "a safetensors file; load, load_network or read_safetensors reads it";

  const std::size_t first = (std::min)(bytes.find_first_not_of(" \t\r\n"), bytes.size());
  const bool is_text = byte(first + 1) >= ' ' || byte(first + 1) == '\n' || byte(first + 1) == '\r';
  if (is_text && byte(first) == '<') return "a page in HTML or XML, not the file that it may offer for download";
  if (is_text && byte(first) == '{')
    return mentions("\"weight_map\"") ? "an index, which names the files that hold the tensors; in Python, write them into one file"
                                      : "a text in JSON";
  return {};
}

}  // namespace chainrule::detail
