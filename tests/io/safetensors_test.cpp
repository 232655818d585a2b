#include <chainrule/io/safetensors.hpp>
#include <cmath>
#include <type_traits>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using namespace std::string_literals;
using chainrule_test::TemporaryFolder;

namespace {

/// The header's length, the header, the numbers.
std::string file_of(const std::string& header, const std::string& numbers = "") {
  std::string bytes;
  detail::append_bytes(bytes, std::uint64_t{header.size()});
  return bytes + header + numbers;
}

/// A file of one tensor "w".
std::string tensor(const std::string& type, const std::string& shape, const std::string& offsets, const std::string& numbers = "") {
  return file_of(R"({"w":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}", numbers);
}

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

/// What the error says, or nothing.
std::string complaint(const std::string& bytes) {
  try {
    parse_safetensors(bytes, "m.st");
  } catch (const ValueError& error) {
    return error.what();
  }
  return "";
}

/// Written by hand: a text, 2 x 3 floats, two doubles. The header has 157 bytes, and 43 blanks.
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
  CHECK_THROWS_SAYING(file.tensor("weight"), ValueError, "the bytes: there is no tensor \"weight\" among its 2");
}

TEST_CASE("a safetensors file is written as it was by hand") {
  const std::vector<float> weight{1, 4, 2, 5, 3, 6};
  const std::vector<double> bias{0.5, -1};
  const std::string bytes = to_safetensors(
      std::vector<TensorToWrite>{{"layer.weight", {2, 3}, weight, TensorOrder::column_major}, {"b", {2}, bias}}, {{"made by", "hand"}});
  const std::size_t blanks = by_hand.find("}}  ") + 2;  // of which only those are needed that make up a multiple of 8
  CHECK(bytes == "\xa0\0\0\0\0\0\0\0"s + by_hand.substr(8, 157) + "   " + by_hand.substr(by_hand.size() - 40));
  CHECK(blanks == 8 + 157);
  CHECK(to_safetensors({}) == "\x08\0\0\0\0\0\0\0{}      "s);
}

TEST_CASE("a moved safetensors file keeps what it gave out") {
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
      ShapeError, "the bytes, tensor \"w\": only a tensor of at most two extents", "1 x 1 x 1");
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
  CHECK(complaint(by_hand + "!") == "m.st goes on behind its end: expected 40 bytes after the header, as its tensors have, but found 41");
  CHECK(complaint(file_of("{}", "!")) ==
        "m.st goes on behind its end: expected 0 bytes after the header, as its tensors have, but found 1");
}

TEST_CASE("a safetensors header that is no object in JSON is refused") {
  CHECK(complaint(file_of("")) == "m.st: expected a header that begins with {, but found \"\"");
  CHECK(complaint(file_of("[1]")) == "m.st: expected a header that begins with {, but found \"[1]\"");
  CHECK(complaint(file_of("\xef\xbb\xbf{}")).starts_with("m.st: expected a header that begins with {"));
  CHECK(complaint(file_of("{} x")) == "m.st: expected a header of JSON in UTF-8, but at byte 3 of it found \"x\"");
  CHECK(complaint(file_of("{}{}")) == "m.st: expected a header of JSON in UTF-8, but at byte 2 of it found \"{}\"");
  CHECK(complaint(file_of("{\"w\":")) == "m.st: expected a header of JSON in UTF-8, but at byte 5 of it found its end");
  CHECK(complaint(file_of("{}\0 "s)) == "m.st: expected a header of JSON, but at byte 2 of it found a zero");
  CHECK(complaint(file_of("{\"\xff\":{}}")).starts_with("m.st: expected a header of JSON in UTF-8, but at byte 2 of it found "));
  CHECK(complaint(file_of("{\"\\ud800\":{}}")).starts_with("m.st: expected a header of JSON in UTF-8"));
  CHECK(complaint(file_of("{'w':{}}")).starts_with("m.st: expected a header of JSON in UTF-8, but at byte 1"));
  CHECK(complaint(file_of("{/**/}")).starts_with("m.st: expected a header of JSON in UTF-8"));
}

TEST_CASE("a header that nests deep is refused without going down") {
  const std::size_t deep = 1'000'000;
  CHECK(complaint(file_of("{\"w\":" + std::string(deep, '['))) ==
        "m.st, tensor \"w\": expected an object of dtype, shape and data_offsets, but found an array");
  CHECK(complaint(tensor("F32", std::string(deep, '['), "[0,0]")) ==
        "m.st, tensor \"w\", shape: expected extents, whole numbers from 0, but found an array");
  std::string objects;
  for (std::size_t i = 0; i < 1000; ++i) objects += "{\"w\":";
  CHECK(complaint(file_of(objects)) == "m.st, tensor \"w\": expected dtype, shape and data_offsets, but found \"w\"");
}

TEST_CASE("a safetensors header of other parts is refused where it is wrong") {
  const auto metadata = [](const std::string& value) { return complaint(file_of("{\"__metadata__\":" + value + "}")); };
  CHECK(metadata("1") == "m.st, __metadata__: expected an object of texts, but found the number 1");
  CHECK(metadata("{\"k\":1}") == "m.st, __metadata__, \"k\": expected a text, but found the number 1");
  CHECK(metadata("{\"k\":{}}") == "m.st, __metadata__, \"k\": expected a text, but found an object");
  CHECK(metadata("{\"k\":null}") == "m.st, __metadata__, \"k\": expected a text, but found null");
  CHECK(metadata("{\"k\":\"\",\"k\":\"\"}") == "m.st, __metadata__, \"k\" is there twice");
  CHECK(metadata("{},\"__metadata__\":{}") == "m.st: __metadata__ is there twice");
  CHECK(complaint(file_of("{\"w\":\"F32\"}")) ==
        "m.st, tensor \"w\": expected an object of dtype, shape and data_offsets, but found the text \"F32\"");
  CHECK(complaint(file_of("{\"w\":{}}")) == "m.st, tensor \"w\": expected dtype, shape and data_offsets, but dtype is missing");
  CHECK(complaint(file_of(R"({"w":{"dtype":"F32","shape":[0]}})")) ==
        "m.st, tensor \"w\": expected dtype, shape and data_offsets, but data_offsets is missing");
  CHECK(complaint(file_of(R"({"w":{"colour":1}})")) == "m.st, tensor \"w\": expected dtype, shape and data_offsets, but found \"colour\"");
  CHECK(complaint(file_of(R"({"w":{"dtype":"F32","dtype":"F32"}})")) == "m.st, tensor \"w\", dtype is there twice");
  CHECK(
      complaint(tensor("F8_E4M3", "[1]", "[0,1]", "x")) ==
      "m.st, tensor \"w\", dtype: expected one of F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL, but found \"F8_E4M3\"");
  CHECK(complaint(file_of(R"({"w":{"dtype":7}})")).ends_with("U8, BOOL, but found the number 7"));
  CHECK(complaint(tensor("F32", "4", "[0,16]")) == "m.st, tensor \"w\", shape: expected an array of extents, but found the number 4");
  CHECK(complaint(tensor("F32", "true", "[0,16]")) == "m.st, tensor \"w\", shape: expected an array of extents, but found true");
  const std::string whole = "m.st, tensor \"w\", shape: expected extents, whole numbers from 0, but found ";
  CHECK(complaint(tensor("F32", "[-1]", "[0,16]")) == whole + "the number -1");
  CHECK(complaint(tensor("F32", "[4.0]", "[0,16]")) == whole + "the number 4.0");
  CHECK(complaint(tensor("F32", "[1e400]", "[0,16]")).starts_with("m.st: expected a header of JSON in UTF-8"));
  CHECK(complaint(tensor("F32", "[\"4\"]", "[0,16]")) == whole + "the text \"4\"");
  CHECK(complaint(tensor("F32", "[18446744073709551616]", "[0,16]")) == whole + "the number 18446744073709551616");
  std::string ones = "1";
  for (int i = 1; i < 65; ++i) ones += ",1";
  CHECK(complaint(tensor("U8", "[" + ones + "]", "[0,1]", "x")) ==
        "m.st, tensor \"w\", shape: expected at most 64 extents, but found more");
  CHECK(complaint(tensor("U8", "[" + ones.substr(2) + "]", "[0,1]", "x")) == "");
}

TEST_CASE("tensors that do not fill the file one after the other are refused") {
  const std::string offsets = "m.st, tensor \"w\", data_offsets: expected two offsets, whole numbers from 0, but found ";
  CHECK(complaint(tensor("U8", "[1]", "[0]", "x")) == offsets + "1 of them");
  CHECK(complaint(tensor("U8", "[1]", "[0,1,2]", "x")) == offsets + "the number 2");
  CHECK(complaint(tensor("U8", "[1]", "[-1,0]", "x")) == offsets + "the number -1");
  CHECK(complaint(tensor("U8", "[1]", "{}", "x")) == offsets + "an object");
  CHECK(complaint(tensor("U8", "[1]", "[1,0]", "x")) ==
        "m.st, tensor \"w\": expected data_offsets that end where they begin or later, but found 1 and 0");
  CHECK(complaint(tensor("F32", "[2,3]", "[0,20]", std::string(20, 'x'))) ==
        "m.st, tensor \"w\": expected 24 bytes, for 2 x 3 of F32, but data_offsets 0 and 20 are 20 apart");
  CHECK(complaint(tensor("F32", "[4294967296,4294967296]", "[0,0]")) ==
        "m.st, tensor \"w\": the header says that there are 4294967296 x 4294967296 numbers, more than any file can hold");
  CHECK(complaint(tensor("F32", "[4294967296,4294967296,0]", "[0,0]")).ends_with("x 0 numbers, more than any file can hold"));
  CHECK(complaint(tensor("F32", "[2]", "[18446744073709551608,0]")).ends_with("but found 18446744073709551608 and 0"));
  CHECK(complaint(tensor("U8", "[1]", "[18446744073709551614,18446744073709551615]")) ==
        "m.st, tensor \"w\": expected bytes from 0, where those before it end, but data_offsets begins at 18446744073709551614, so that "
        "there is a hole");
  CHECK(complaint(tensor("U8", "[9]", "[0,9]", "12345678")) ==
        "m.st is cut short: tensor \"w\" ends at byte 9 after the header, but there are 8");
  const auto two = [](const std::string& a, const std::string& b, const char* second = "b") {
    const auto entry = [](const std::string& name, const std::string& at) {
      return "\"" + name + R"(":{"dtype":"U16","shape":[1],"data_offsets":)" + at + "}";
    };
    return complaint(file_of("{" + entry("a", a) + "," + entry(second, b) + "}", "1234"));
  };
  CHECK(two("[0,2]", "[2,4]") == "");
  CHECK(two("[2,4]", "[0,2]") == "");
  CHECK(two("[0,2]", "[1,3]") ==
        "m.st, tensor \"b\": expected bytes from 2, where those before it end, but data_offsets begins at 1, so that they overlap");
  CHECK(two("[0,2]", "[3,5]").ends_with("begins at 3, so that there is a hole"));
  CHECK(two("[1,3]", "[3,5]").ends_with("begins at 1, so that there is a hole"));
  CHECK(two("[0,2]", "[0,2]").ends_with("begins at 0, so that they overlap"));
  CHECK(two("[0,2]", "[2,4]", "a") == "m.st, tensor \"a\" is there twice");
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
      } catch (const Error&) {  // and nothing else
      }
    }
  CHECK(read >= 24 * 9);  // any float is a number
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
  CHECK_THROWS_SAYING(read_safetensors(folder.file("broken", "{}")), ValueError, "broken is cut short");
  if (std::filesystem::is_character_file("/dev/full"))
    CHECK_THROWS_SAYING(write_safetensors("/dev/full", tensors), ValueError, "cannot write \"/dev/full\": No space left");
}
