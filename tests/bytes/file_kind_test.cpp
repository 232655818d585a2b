#include <chainrule/bytes/file_kind.hpp>
#include <string>

#include "support/catch.hpp"

using namespace chainrule;
using namespace std::string_literals;

TEST_CASE("files of other kinds are known by their first bytes") {
  const auto kind = [](const std::string& bytes) { return std::string(detail::known_kind(bytes)); };
  const auto starts = [&](const std::string& bytes, const char* expected) {
    CHECK_THAT(kind(bytes), chainrule_test::ContainsSubstring(expected));
  };
  const auto zip = [](const std::string& name) { return "PK\x03\x04"s + std::string(22, '\1') + "\x08\0\0\0"s + name; };
  starts(zip("archive/data.pkl"), "an archive of torch.save");
  starts(zip("arr_0.npy"), "an archive of NumPy");
  starts(zip("metadata.json"), "a model of Keras");
  starts(zip("a.txt"), "a zip archive; unpack it");
  starts("\x80\x02\x8a\nl\xfc\x9c", "a pickle of Python");
  starts("\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0"s, "an HDF5 file");
  starts("\x93NUMPY\1\0v\0{'descr'"s, "an array of NumPy");
  starts("\x1f\x8b\x08\0\0\0\0\0\0\3"s, "compressed by gzip");
  starts(
      "\xfd"
      "7zXZ\0"s,
      "compressed; unpack it");
  starts("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of git-lfs");
  starts(R"({"metadata": {"total_size": 9}, "weight_map": {"a.weight": "model-00001-of-00002.safetensors"}})", "an index");
  starts("{\n  \"architectures\": []\n}", "a text in JSON");
  starts("<!DOCTYPE html>", "a page in HTML");
  starts("\n<html>", "a page in HTML");
  starts(
      "\x08\x08\x12\x07pytorch\x1a\x06"
      "1.13.1:"s,
      "a model in ONNX");
  starts("GGUF\3\0\0\0"s, "a GGUF file");
  starts("\x1c\0\0\0TFL3"s, "a model of TensorFlow Lite");
  starts("chainrule checkpoint\4\3\2\1", "a checkpoint of a training");
  starts("\x02\0\0\0\0\0\0\0{}"s, "a safetensors file");
  starts(std::string(257, 'a') + "ustar\0"s, "a tar archive");
  for (const std::string& unknown : {""s, "P"s, "{"s + "\0\0\0\0\0\0\0"s, "<\0\0\0\0\0\0\0"s, "1,2\n3,4\n"s, "\x08"s})
    CHECK(kind(unknown).empty());
}
