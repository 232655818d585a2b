#pragma once
// Looks through the bytes of an ONNX model before protobuf makes objects of them, because an object of protobuf takes up to 280 bytes of
// memory and only 2 bytes of a file.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <chainrule/io/detail/onnx/protobuf.hpp>
#include <cstddef>
#include <limits>
#include <string_view>

namespace chainrule::detail {

/// Counts the fields of a message of protobuf that hold texts, bytes, packed numbers or messages, with those of the messages inside.
class OnnxFieldCounter {
 public:
  explicit OnnxFieldCounter(std::string_view bytes)
      : input_{reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size())} {}

  /// Counts the fields, and stops when there are more than `most`. Returns false for bytes that are no message of this type.
  bool count(const google::protobuf::Descriptor& type, std::size_t most) {
    most_ = most;
    return message(&type, 0) || count_ > most_;
  }
  std::size_t fields() const { return count_; }

 private:
  static constexpr int max_depth = 100;  // protobuf itself reads no deeper messages
  enum WireType { varint = 0, fixed64 = 1, length_delimited = 2, fixed32 = 5 };

  bool message(const google::protobuf::Descriptor* type, int depth) {
    if (depth > max_depth) return false;
    while (const std::uint32_t tag = input_.ReadTag()) {
      std::uint64_t number = 0;
      std::uint32_t size = 0;
      bool is_valid = false;
      switch (tag & 7) {
        case varint:
          is_valid = input_.ReadVarint64(&number);
          break;
        case fixed64:
          is_valid = input_.Skip(8);
          break;
        case fixed32:
          is_valid = input_.Skip(4);
          break;
        case length_delimited:
          if (++count_ > most_) return false;
          is_valid = input_.ReadVarint32(&size) && size <= std::uint32_t{(std::numeric_limits<std::int32_t>::max)()} &&
                     field(*type, static_cast<int>(tag >> 3), static_cast<int>(size), depth);
          break;
        default:  // groups, which ONNX has none of
          break;
      }
      if (!is_valid) return false;
    }
    return input_.ConsumedEntireMessage();
  }
  bool field(const google::protobuf::Descriptor& type, int number, int size, int depth) {
    const google::protobuf::FieldDescriptor* known = type.FindFieldByNumber(number);
    if (known == nullptr || known->message_type() == nullptr) return input_.Skip(size);
    const auto limit = input_.PushLimit(size);
    const bool is_valid = message(known->message_type(), depth + 1);
    input_.PopLimit(limit);
    return is_valid;
  }

  google::protobuf::io::CodedInputStream input_;
  std::size_t most_ = 0, count_ = 0;
};

}  // namespace chainrule::detail
