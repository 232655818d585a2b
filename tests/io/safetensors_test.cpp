#include <chainrule/io/safetensors.hpp>
#include <cmath>
#include <type_traits>

#include "support/catch.hpp"
#include "support/safetensors_bytes.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using namespace std::string_literals;
using chainrule_test::complaint;
using chainrule_test::file_of;
using chainrule_test::TemporaryFolder;
using chainrule_test::tensor;

namespace {

template <class Scalar>
std::vector<Scalar> numbers(const SafetensorsFile& file, const SafetensorsTensor& tensor, TensorOrder order = TensorOrder::row_major) {
  std::vector<Scalar> numbers(tensor.size());
  file.copy_numbers(tensor, numbers.data(), order);
  return numbers;
}

template <class Scalar = float>
std::vector<Scalar> numbers(const std::string& bytes) {
  const SafetensorsFile file = parse_safetensors(bytes);
  return numbers<Scalar>(file, file.tensor("w"));
}

/// A file written by hand with a text, 2 x 3 floats and two doubles. Its header has 157 bytes and 43 blanks after them.
const std::string by_hand =
    "\xc8\0\0\0\0\0\0\0"s
    R"({"__metadata__":{"made by":"hand"},"b":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},)"
    R"("layer.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[16,40]}})"
    "                                           "
    "\0\0\0\0\0\0\xe0\x3f"s
    "\0\0\0\0\0\0\xf0\xbf"s
    "\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40\0\0\xa0\x40\0\0\xc0\x40"s;

}  // namespace

TEST_CASE("a safetensors file written by hand is read") {
  const SafetensorsFile file = parse_safetensors(by_hand);
  CHECK(file.metadata() == std::map<std::string, std::string>{{"made by", "hand"}});
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[0].name == "b");
  CHECK(file.tensors()[0].type == SafetensorsType::F64);
  CHECK(file.tensors()[1].shape == std::vector<std::uint64_t>{2, 3});
  CHECK(file.tensors()[1].bytes.size() == 24);
  CHECK(numbers<double>(file, file.tensor("b")) == std::vector<double>{0.5, -1});
  CHECK(numbers<float>(file, file.tensor("b")) == std::vector<float>{0.5f, -1});
  const SafetensorsTensor& weight = file.tensor("layer.weight");
  CHECK(numbers<float>(file, weight) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(numbers<double>(file, weight) == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(numbers<float>(file, weight, TensorOrder::column_major) == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(numbers<double>(file, file.tensor("b"), TensorOrder::column_major) == std::vector<double>{0.5, -1});
  CHECK(file.find("weight") == nullptr);
  CHECK_THROWS_SAYING(file.tensor("weight"), ValueError, "the input: there is no tensor \"weight\" among its 2");
}

TEST_CASE("a safetensors file is written as it was by hand") {
  const std::vector<float> weight{1, 4, 2, 5, 3, 6};
  const std::vector<double> bias{0.5, -1};
  const std::string bytes = to_safetensors(
      std::vector<TensorToWrite>{{"layer.weight", {2, 3}, weight, TensorOrder::column_major}, {"b", {2}, bias}}, {{"made by", "hand"}});
  const std::size_t blanks = by_hand.find("}}  ") + 2;  // the library writes only as many as make the size a multiple of 8
  CHECK(bytes == "\xa0\0\0\0\0\0\0\0"s + by_hand.substr(8, 157) + "   " + by_hand.substr(by_hand.size() - 40));
  CHECK(blanks == 8 + 157);
  CHECK(to_safetensors({}) == "\x08\0\0\0\0\0\0\0{}      "s);
}

TEST_CASE("tensors of a safetensors file stay valid when the file is moved") {
  static_assert(!std::is_copy_constructible_v<SafetensorsFile>);
  SafetensorsFile file = parse_safetensors(by_hand);
  const SafetensorsTensor given = file.tensor("layer.weight");
  const SafetensorsFile moved = std::move(file);
  CHECK(numbers<float>(moved, given) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(moved.tensor("layer.weight").bytes.data() == given.bytes.data());
}

TEST_CASE("numbers of every type are read") {
  CHECK(numbers(tensor("F16", "[8]", "[0,16]", "\0\x3c\0\xc0\xff\x7b\0\x04\x01\0\xff\x83\0\x80\0\xfc"s)) ==
        std::vector<float>{1, -2, 65504, 0x1p-14f, 0x1p-24f, -1023 * 0x1p-24f, -0.0f, -INFINITY});
  CHECK(std::signbit(numbers(tensor("F16", "[]", "[0,2]", "\0\x80"s))[0]));
  CHECK(std::isnan(numbers(tensor("F16", "[]", "[0,2]", "\x01\x7c"s))[0]));
  CHECK(numbers(tensor("BF16", "[3]", "[0,6]", "\x80\x3f\x40\xc0\x80\x7f"s)) == std::vector<float>{1, -3, INFINITY});
  CHECK(numbers(tensor("I8", "[2]", "[0,2]", "\xff\x7f"s)) == std::vector<float>{-1, 127});
  CHECK(numbers(tensor("U8", "[2]", "[0,2]", "\xff\x7f"s)) == std::vector<float>{255, 127});
  CHECK(numbers(tensor("BOOL", "[3]", "[0,3]", "\0\x01\x02"s)) == std::vector<float>{0, 1, 1});
  CHECK(numbers(tensor("I16", "[1]", "[0,2]", "\xfe\xff"s)) == std::vector<float>{-2});
  CHECK(numbers(tensor("U16", "[1]", "[0,2]", "\xfe\xff"s)) == std::vector<float>{65534});
  CHECK(numbers(tensor("I32", "[1]", "[0,4]", "\xfe\xff\xff\xff"s)) == std::vector<float>{-2});
  CHECK(numbers<double>(tensor("U32", "[1]", "[0,4]", "\xfe\xff\xff\xff"s)) == std::vector<double>{4294967294});
  CHECK(numbers(tensor("I64", "[1]", "[0,8]", "\xfe\xff\xff\xff\xff\xff\xff\xff"s)) == std::vector<float>{-2});
  CHECK(numbers(tensor("U64", "[1]", "[0,8]", "\0\0\0\0\0\0\0\x80"s)) == std::vector<float>{0x1p63f});
}

TEST_CASE("a number that float cannot hold is refused, and nothing was copied") {
  const SafetensorsFile file = parse_safetensors(tensor("F64", "[2]", "[0,16]", "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\xf0\x47"s), "m.st");
  float to[2] = {7, 8};
  CHECK_THROWS_SAYING(file.copy_numbers(file.tensor("w"), to), ValueError,
                      "m.st, tensor \"w\": expected numbers of at most 3.4028235e+38, but number 1 is 3.402823669209385e+38");
  CHECK(to[0] == 7);
  CHECK(numbers<double>(file, file.tensor("w")) == std::vector<double>{1, 0x1p128});
  CHECK(numbers(tensor("F64", "[1]", "[0,8]", "\0\0\0\0\0\0\xf0\x7f"s)) == std::vector<float>{INFINITY});
  CHECK(std::isnan(numbers(tensor("F64", "[1]", "[0,8]", "\0\0\0\0\0\0\xf8\xff"s))[0]));
}

TEST_CASE("tensors of no numbers, of one and of three extents") {
  CHECK(numbers(tensor("F32", "[]", "[0,4]", "\0\0\x80\x3f"s)) == std::vector<float>{1});
  CHECK(numbers(tensor("F32", "[3,0]", "[0,0]")).empty());
  CHECK(numbers(tensor("U8", "[1,2,1]", "[0,2]", "\1\2")) == std::vector<float>{1, 2});
  CHECK(parse_safetensors(file_of("{}")).tensors().empty());
  CHECK(parse_safetensors(file_of("{ }  \n ")).tensors().empty());
  const SafetensorsFile file = parse_safetensors(
      file_of(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"none":{"data_offsets":[1,1],"dtype":"F64","shape":[9,0]},)"
              R"("a":{"shape":[1],"dtype":"U8","data_offsets":[0,1]}})",
              "\1\2"));
  CHECK(file.tensors()[0].name == "a");
  CHECK(file.tensors()[1].name == "none");
  CHECK(file.tensors()[2].name == "b");
  CHECK(file.tensor("none").size() == 0);
  float one = 0;
  CHECK_THROWS_SAYING(
      parse_safetensors(tensor("U8", "[1,1,1]", "[0,1]", "x"))
          .copy_numbers(parse_safetensors(tensor("U8", "[1,1,1]", "[0,1]", "x")).tensor("w"), &one, TensorOrder::column_major),
      ShapeError, "the input, tensor \"w\": only a tensor of at most two extents", "1 x 1 x 1");
}

TEST_CASE("what is written is read back, whatever its names") {
  const std::vector<float> a{1 / 3.0f, -0.0f, INFINITY, 1e-45f, 5};
  const std::vector<double> b{1e300, -1 / 3.0, 5e-324};
  const std::string strange = "\"\\\n\0 \xc3\xa9 \xf0\x9f\x99\x82"s;
  const std::string bytes =
      to_safetensors(std::vector<TensorToWrite>{{strange, {5}, a}, {"", {3, 1}, b}, {"none", {0, 7}, std::span(a).first(0)}},
                     {{strange, strange}, {"", ""}});
  const SafetensorsFile file = parse_safetensors(bytes);
  CHECK(file.metadata() == std::map<std::string, std::string>{{strange, strange}, {"", ""}});
  CHECK(numbers<float>(file, file.tensor(strange)) == a);
  CHECK(numbers<double>(file, file.tensor("")) == b);
  CHECK(file.tensor("none").shape == std::vector<std::uint64_t>{0, 7});
  CHECK((file.tensor("").bytes.data() - file.tensors()[0].bytes.data()) % 8 == 0);  // the doubles, which come first
  CHECK(file.tensors()[0].type == SafetensorsType::F64);
  CHECK((bytes.size() - 3 * 8 - 5 * 4) % 8 == 0);
}

TEST_CASE("what cannot be a safetensors file is not written") {
  const std::vector<float> a(6);
  const auto refused = [&](const std::vector<TensorToWrite>& tensors, const std::map<std::string, std::string>& metadata = {}) {
    try {
      to_safetensors(tensors, metadata);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return ""s;
  };
  CHECK(refused({{"w", {2, 2}, a}}) == "to_safetensors, tensor \"w\": the shape is 2 x 2, but there are 6 numbers");
  CHECK(refused({{"w", {}, a}}) == "to_safetensors, tensor \"w\": the shape is a single number, but there are 6 numbers");
  CHECK(refused({{"w", {std::uint64_t{1} << 62, 8}, std::span(a).first(0)}}) ==
        "to_safetensors, tensor \"w\": the shape is 4611686018427387904 x 8, but there are 0 numbers");
  CHECK(refused({{"w", {6}, a}, {"v", {6}, a}, {"w", {6}, a}}) == "to_safetensors, tensor \"w\" is there twice");
  CHECK(refused({{"__metadata__", {6}, a}}) == "to_safetensors, tensor \"__metadata__\": no tensor can have this name");
  CHECK(refused({{"\xff", {6}, a}}).starts_with("to_safetensors: expected a text in UTF-8, but found "));
  CHECK(refused({}, {{"key", "\xc3"}}).starts_with("to_safetensors: expected a text in UTF-8, but found "));
  CHECK(refused({{"w", {1, 2, 3}, a, TensorOrder::column_major}})
            .ends_with("only a tensor of at most two extents lies in columns, but this one is 1 x 2 x 3"));
}

TEST_CASE("a safetensors file of a wrong length is refused") {
  CHECK(complaint("") == "m.st is empty");
  CHECK(complaint("\2\0\0\0"s) == "m.st is cut short: expected the header's length in 8 bytes, but found 4 bytes");
  CHECK(complaint("\3\0\0\0\0\0\0\0{}"s) == "m.st is cut short: expected a header of 3 bytes, but found 2");
  CHECK(complaint("\x01\xe1\xf5\x05\0\0\0\0{}"s) ==
        "m.st is no safetensors file: expected a header of at most 100000000 bytes, but its length, the first 8 bytes, is 100000001");
  CHECK(complaint("\xff\xff\xff\xff\xff\xff\xff\xff{}"s).ends_with("is 18446744073709551615"));
  CHECK(complaint(by_hand.substr(0, by_hand.size() - 1)) ==
        "m.st is cut short: tensor \"layer.weight\" ends at byte 40 after the header, but there are 39");
  CHECK(complaint(by_hand + "!") == "m.st goes on after its end: expected 40 bytes after the header, as its tensors have, but found 41");
  CHECK(complaint(file_of("{}", "!")) == "m.st goes on after its end: expected 0 bytes after the header, as its tensors have, but found 1");
}

TEST_CASE("a safetensors file cut at any byte, or with any bit flipped, is read or refused") {
  for (std::size_t size = 0; size < by_hand.size(); ++size) CHECK(complaint(by_hand.substr(0, size)) != "");
  int read = 0;
  for (std::size_t i = 0; i < by_hand.size(); ++i)
    for (int flip = 1; flip < 256; flip = flip == 128 ? 255 : 2 * flip) {
      std::string bytes = by_hand;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      try {
        const SafetensorsFile file = parse_safetensors(bytes);
        for (const SafetensorsTensor& tensor : file.tensors()) numbers<float>(file, tensor);
        ++read;
      } catch (const Error&) {  // any other exception fails the test
      }
    }
  CHECK(read >= 24 * 9);  // bits of the numbers may change unnoticed
}

TEST_CASE("safetensors files are read and written, and an old one stays where the new one cannot be written") {
  const TemporaryFolder folder;
  const std::vector<float> a{1, 2};
  const std::vector<TensorToWrite> tensors{{"a", {2}, a}};
  write_safetensors(folder.path("m"), tensors, {{"k", "v"}});
  CHECK(detail::read_file("test", folder.path("m")) == to_safetensors(tensors, {{"k", "v"}}));
  CHECK(numbers<float>(read_safetensors(folder.path("m")), read_safetensors(folder.path("m")).tensor("a")) == a);
  const std::vector<TensorToWrite> wrong{{"a", {3}, a}};
  CHECK_THROWS_SAYING(write_safetensors(folder.path("m"), wrong), ShapeError, "the shape is 3, but there are 2 numbers");
  CHECK(read_safetensors(folder.path("m")).metadata().at("k") == "v");
  CHECK(folder.files() == 1);
  CHECK_THROWS_SAYING(write_safetensors(folder.path("no/m"), tensors), ValueError, "write_safetensors: cannot write \"", "No such file");
  CHECK_THROWS_SAYING(read_safetensors(folder.path("no")), ValueError, "read_safetensors: cannot read \"", "No such file");
  CHECK_THROWS_SAYING(read_safetensors(folder.file("broken", "ab")), ValueError, "broken is cut short");
  if (std::filesystem::is_character_file("/dev/full"))
    CHECK_THROWS_SAYING(write_safetensors("/dev/full", tensors), ValueError, "cannot write \"/dev/full\": No space left");
}
