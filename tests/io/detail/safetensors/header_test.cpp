#include "support/catch.hpp"
#include "support/safetensors_bytes.hpp"

using namespace std::string_literals;
using chainrule_test::complaint;
using chainrule_test::file_of;
using chainrule_test::tensor;

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
