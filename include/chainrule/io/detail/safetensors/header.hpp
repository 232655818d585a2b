#pragma once

#include <algorithm>
#include <chainrule/io/safetensors_types.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace chainrule::detail {

/// The tensor as errors name it: m.safetensors, tensor "weight"
inline std::string safetensors_place(std::string_view file, std::string_view tensor) {
  return text_of(file, ", tensor ", in_quotes(tensor));
}

/// Reads the header of a safetensors file, which is JSON with at most three levels:
///     {"__metadata__": {"made by": "us"}, "weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
/// It is a SAX handler: nlohmann's parser calls it for each part, in the order of the text, and builds no tree. So of two entries
/// with the same name neither is lost, and a text that nests very deep cannot overflow the stack.
class SafetensorsHeader {
 public:
  using Json = nlohmann::json;

  struct Entry {
    std::string name;
    SafetensorsType type = SafetensorsType::F32;
    std::vector<std::uint64_t> shape = {};
    std::array<std::uint64_t, 2> offsets = {};  ///< where its bytes begin and end, from the end of the header
  };

  /// Throws ValueError for a text that is no header. `text` and `file`, the name for errors, must outlive the object.
  SafetensorsHeader(std::string_view text, const std::string& file) : text_{text}, file_{file} {
    if (!text.starts_with('{')) raise<ValueError>(file_, ": expected a header that begins with {, but found ", in_quotes(text));
    if (const auto zero = text.find('\0'); zero != std::string_view::npos)  // the parser would stop there
      raise<ValueError>(file_, ": expected a header of JSON, but at byte ", zero, " of it found a zero");
    Json::sax_parse(text.begin(), text.end(), this);
  }

  /// The texts of __metadata__.
  std::map<std::string, std::string> metadata = {};
  /// The tensors, in the order of the header. Names may repeat here; SafetensorsFile refuses them later.
  std::vector<Entry> entries = {};

  // The functions that nlohmann/json's SAX parser calls. Each returns true, so that the parser goes on, or throws.
  bool start_object(std::size_t) {
    switch (level_) {
      case Level::none:
        level_ = Level::header;
        return true;
      case Level::header:
        level_ = name_ == metadata_name ? Level::metadata : Level::tensor;
        if (level_ == Level::tensor) entries.push_back({name_});
        has_ = {};
        return true;
      default:
        refuse("an object");
    }
  }

  bool key(std::string& key) {
    if (level_ == Level::header) {
      name_ = std::move(key);
      if (name_ != metadata_name) return true;
      if (has_metadata_) raise<ValueError>(file_, ": ", metadata_name, " is there twice");
      has_metadata_ = true;
      return true;
    }
    key_ = std::move(key);
    if (level_ == Level::metadata) {
      if (metadata.contains(key_)) raise<ValueError>(place(), " is there twice");
      return true;
    }
    const auto known = std::find(keys.begin(), keys.end(), key_);
    if (known == keys.end())
      raise<ValueError>(safetensors_place(file_, name_), ": expected dtype, shape and data_offsets, but found ", in_quotes(key_));
    if (std::exchange(has_[static_cast<std::size_t>(known - keys.begin())], true)) raise<ValueError>(place(), " is there twice");
    return true;
  }

  bool string(std::string& text) {
    if (level_ == Level::metadata) {
      metadata.emplace(std::move(key_), std::move(text));
      return true;
    }
    if (level_ != Level::tensor || key_ != keys[0]) refuse(text_of("the text ", in_quotes(text)));
    const auto known =
        std::find_if(safetensors_types.begin(), safetensors_types.end(), [&](const auto& type) { return type.name == text; });
    if (known == safetensors_types.end()) refuse(in_quotes(text));
    entries.back().type = static_cast<SafetensorsType>(known - safetensors_types.begin());
    return true;
  }

  bool start_array(std::size_t) {
    if (level_ != Level::tensor || key_ == keys[0]) refuse("an array");
    level_ = key_ == keys[1] ? Level::shape : Level::offsets;
    count_ = 0;
    return true;
  }

  bool number_unsigned(std::uint64_t number) {
    if (level_ == Level::shape) {
      if (count_++ == max_extents) raise<ValueError>(place(), ": expected at most ", max_extents, " extents, but found more");
      entries.back().shape.push_back(number);
    } else if (level_ == Level::offsets && count_ < 2) {
      entries.back().offsets[count_++] = number;
    } else {
      refuse(text_of("the number ", number));
    }
    return true;
  }

  bool end_array() {
    if (level_ == Level::offsets && count_ != 2) refuse(text_of(count_, " of them"));
    level_ = Level::tensor;
    return true;
  }

  bool end_object() {
    for (std::size_t i = 0; level_ == Level::tensor && i < keys.size(); ++i)
      if (!has_[i])
        raise<ValueError>(safetensors_place(file_, name_), ": expected dtype, shape and data_offsets, but ", keys[i], " is missing");
    level_ = level_ == Level::header ? Level::none : Level::header;
    return true;
  }

  bool null() { refuse("null"); }
  bool boolean(bool value) { refuse(value ? "true" : "false"); }
  bool number_integer(std::int64_t number) { refuse(text_of("the number ", number)); }
  bool number_float(double, const std::string& text) { refuse(text_of("the number ", excerpt(text))); }
  bool binary(Json::binary_t&) { refuse("bytes"); }  // for binary forms of JSON; never called for a text

  bool parse_error(std::size_t position, const std::string&, const Json::exception&) {
    const std::size_t at = (std::min)(position - (std::min)(position, std::size_t{1}), text_.size());  // `position` counts from 1
    raise<ValueError>(file_, ": expected a header of JSON in UTF-8, but at byte ", at, " of it found ",
                      at == text_.size() ? "its end" : in_quotes(text_.substr(at)));
  }

  static constexpr std::string_view metadata_name = "__metadata__";

 private:
  enum class Level { none, header, metadata, tensor, shape, offsets };
  static constexpr std::array<std::string_view, 3> keys = {"dtype", "shape", "data_offsets"};
  static constexpr std::size_t max_extents = 64;  // as in NumPy; a limit, so that a file full of extents cannot take many times its size

  /// Where the parser is: m.safetensors, tensor "weight", shape
  std::string place() const {
    switch (level_) {
      case Level::none:
        return file_;
      case Level::header:
        return name_ == metadata_name ? text_of(file_, ", ", metadata_name) : safetensors_place(file_, name_);
      case Level::metadata:
        return text_of(file_, ", ", metadata_name, ", ", in_quotes(key_));
      default:
        return text_of(safetensors_place(file_, name_), ", ", key_);
    }
  }

  std::string expected() const {
    switch (level_) {
      case Level::none:
        return "an object";
      case Level::header:
        return name_ == metadata_name ? "an object of texts" : "an object of dtype, shape and data_offsets";
      case Level::metadata:
        return "a text";
      case Level::shape:
        return "extents, whole numbers from 0";
      default:
        if (key_ == keys[1]) return "an array of extents";
        if (key_ == keys[2]) return "two offsets, whole numbers from 0";
    }
    std::string names;
    for (const SafetensorsTypeInfo& type : safetensors_types) names += text_of(names.empty() ? "" : ", ", type.name);
    return "one of " + names;
  }

  [[noreturn]] void refuse(std::string_view found) const { raise<ValueError>(place(), ": expected ", expected(), ", but found ", found); }

  std::string_view text_;
  const std::string& file_;
  Level level_ = Level::none;
  std::string name_ = {};  // the key in the header: a tensor, or __metadata__
  std::string key_ = {};
  bool has_metadata_ = false;
  std::array<bool, 3> has_ = {};  // has_[k]: whether keys[k] has occurred in this tensor
  std::size_t count_ = 0;         // how many numbers of the array have been read
};

}  // namespace chainrule::detail
