// See CCapnp.h. Walks the nodes of parsed schema files into vectors of plain values; decides nothing.

#include "CCapnp.h"

#include <capnp/dynamic.h>
#include <capnp/schema-parser.h>
#include <capnp/schema.capnp.h>
#include <kj/exception.h>
#include <kj/filesystem.h>

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

struct StructValues {
  cramped_capnp_struct c{};
  std::deque<std::vector<const char *>> enumerants;
  std::deque<std::vector<cramped_capnp_annotation>> annotations;
  std::vector<cramped_capnp_field> fields;
};

struct cramped_capnp_result {
  std::deque<std::string> strings;
  std::deque<StructValues> structs;
  bool failed = false;
  std::string error, errorPath;
  int32_t errorLine = 0;

  const char *keep(kj::StringPtr text) {
    strings.emplace_back(text.cStr(), text.size());
    return strings.back().c_str();
  }
};

namespace {

using capnp::schema::Type;

cramped_capnp_kind kindOf(Type::Which which) {
  switch (which) {
    case Type::VOID: return CRAMPED_CAPNP_VOID;
    case Type::BOOL: return CRAMPED_CAPNP_BOOL;
    case Type::INT8: return CRAMPED_CAPNP_INT8;
    case Type::INT16: return CRAMPED_CAPNP_INT16;
    case Type::INT32: return CRAMPED_CAPNP_INT32;
    case Type::INT64: return CRAMPED_CAPNP_INT64;
    case Type::UINT8: return CRAMPED_CAPNP_UINT8;
    case Type::UINT16: return CRAMPED_CAPNP_UINT16;
    case Type::UINT32: return CRAMPED_CAPNP_UINT32;
    case Type::UINT64: return CRAMPED_CAPNP_UINT64;
    case Type::FLOAT32: return CRAMPED_CAPNP_FLOAT32;
    case Type::FLOAT64: return CRAMPED_CAPNP_FLOAT64;
    case Type::TEXT: return CRAMPED_CAPNP_TEXT;
    case Type::DATA: return CRAMPED_CAPNP_DATA;
    case Type::LIST: return CRAMPED_CAPNP_LIST;
    case Type::ENUM: return CRAMPED_CAPNP_ENUM;
    case Type::STRUCT: return CRAMPED_CAPNP_STRUCT;
    case Type::INTERFACE: return CRAMPED_CAPNP_INTERFACE;
    case Type::ANY_POINTER: return CRAMPED_CAPNP_ANY_POINTER;
  }
  return CRAMPED_CAPNP_ANY_POINTER;
}

uint64_t bitsOf(capnp::schema::Value::Reader value) {
  using capnp::schema::Value;
  switch (value.which()) {
    case Value::BOOL: return value.getBool() ? 1 : 0;
    case Value::INT8: return static_cast<uint8_t>(value.getInt8());
    case Value::INT16: return static_cast<uint16_t>(value.getInt16());
    case Value::INT32: return static_cast<uint32_t>(value.getInt32());
    case Value::INT64: return static_cast<uint64_t>(value.getInt64());
    case Value::UINT8: return value.getUint8();
    case Value::UINT16: return value.getUint16();
    case Value::UINT32: return value.getUint32();
    case Value::UINT64: return value.getUint64();
    case Value::ENUM: return value.getEnum();
    case Value::FLOAT32: {
      float number = value.getFloat32();
      uint32_t bits;
      memcpy(&bits, &number, sizeof bits);
      return bits;
    }
    case Value::FLOAT64: {
      double number = value.getFloat64();
      uint64_t bits;
      memcpy(&bits, &number, sizeof bits);
      return bits;
    }
    default: return 0;
  }
}

class Walker {
 public:
  Walker(cramped_capnp_result &result, capnp::ParsedSchema vocabulary) : result(result) {
    for (auto nested : vocabulary.getAllNested()) known.emplace(nested.getProto().getId(), nested);
  }

  void walk(const char *path, const std::string &prefix, capnp::ParsedSchema parent) {
    auto protos = parent.getProto().getNestedNodes();
    for (auto proto : protos) {
      auto nested = parent.getNested(proto.getName());
      std::string name = prefix + proto.getName().cStr();
      if (nested.getProto().isStruct()) add(path, name, nested.asStruct());
      walk(path, name + ".", nested);
    }
  }

 private:
  cramped_capnp_result &result;
  std::unordered_map<uint64_t, capnp::ParsedSchema> known;

  void add(const char *path, const std::string &name, capnp::StructSchema schema) {
    result.structs.emplace_back();
    auto &out = result.structs.back();
    out.c.path = path;
    out.c.name = result.keep(name.c_str());
    out.c.id = schema.getProto().getId();
    auto &marks = annotations(out, schema.getProto().getAnnotations());
    out.c.annotations = marks.data();
    out.c.annotation_count = marks.size();
    for (auto field : schema.getFields()) out.fields.push_back(describe(out, field));
    out.c.fields = out.fields.data();
    out.c.field_count = out.fields.size();
  }

  cramped_capnp_field describe(StructValues &out, capnp::StructSchema::Field field) {
    cramped_capnp_field c{};
    auto proto = field.getProto();
    c.name = result.keep(proto.getName());
    c.in_union = proto.getDiscriminantValue() != capnp::schema::Field::NO_DISCRIMINANT;
    auto &marks = annotations(out, proto.getAnnotations());
    c.annotations = marks.data();
    c.annotation_count = marks.size();
    if (proto.isGroup()) {
      c.kind = CRAMPED_CAPNP_GROUP;
      return c;
    }
    auto slot = proto.getSlot();
    c.kind = kindOf(slot.getType().which());
    c.offset = slot.getOffset();
    c.default_bits = bitsOf(slot.getDefaultValue());
    c.has_default_pointer = slot.getHadExplicitDefault() && c.kind >= CRAMPED_CAPNP_TEXT && c.kind != CRAMPED_CAPNP_ENUM;
    if (c.kind == CRAMPED_CAPNP_ENUM) {
      out.enumerants.emplace_back();
      auto &names = out.enumerants.back();
      for (auto enumerant : field.getType().asEnum().getEnumerants()) {
        names.push_back(result.keep(enumerant.getProto().getName()));
      }
      c.enumerants = names.data();
      c.enumerant_count = names.size();
    }
    return c;
  }

  std::vector<cramped_capnp_annotation> &annotations(
      StructValues &out, capnp::List<capnp::schema::Annotation>::Reader list) {
    out.annotations.emplace_back();
    auto &marks = out.annotations.back();
    for (auto annotation : list) {
      auto found = known.find(annotation.getId());
      if (found == known.end()) continue;
      auto declaration = found->second;
      cramped_capnp_annotation c{};
      auto name = declaration.getShortDisplayName();
      c.name = result.keep(name);
      auto value = annotation.getValue();
      if (value.isText()) c.text = result.keep(value.getText());
      if (value.isEnum()) {
        auto type = declaration.getProto().getAnnotation().getType();
        auto found = known.find(type.getEnum().getTypeId());
        auto ordinal = value.getEnum();
        if (found != known.end()) {
          auto enumerants = found->second.asEnum().getEnumerants();
          if (ordinal < enumerants.size()) c.text = result.keep(enumerants[ordinal].getProto().getName());
        }
      }
      if (value.isStruct()) {
        auto type = declaration.getProto().getAnnotation().getType();
        auto found = known.find(type.getStruct().getTypeId());
        if (found != known.end()) {
          auto reader = value.getStruct().getAs<capnp::DynamicStruct>(found->second.asStruct());
          uint64_t numbers[2] = {0, 0};
          size_t index = 0;
          for (auto field : found->second.asStruct().getFields()) {
            if (index < 2) numbers[index++] = reader.get(field).as<uint64_t>();
          }
          c.first = numbers[0];
          c.second = numbers[1];
        }
      }
      marks.push_back(c);
    }
    return marks;
  }
};

void fail(cramped_capnp_result &result, const char *path, int line, const char *message) {
  result.failed = true;
  result.errorPath = path == nullptr ? "" : path;
  result.errorLine = line;
  result.error = message;
}

void parse(cramped_capnp_result &result, const cramped_capnp_file *files, size_t count, const char *vocabulary) {
  auto folder = kj::newInMemoryDirectory(kj::nullClock());
  for (size_t index = 0; index < count; index++) {
    folder->openFile(kj::Path::parse(files[index].path), kj::WriteMode::CREATE | kj::WriteMode::CREATE_PARENT)
        ->writeAll(kj::ArrayPtr<const kj::byte>(
            reinterpret_cast<const kj::byte *>(files[index].text), files[index].length));
  }
  const kj::ReadableDirectory *roots[] = {folder.get()};
  auto importPath = kj::arrayPtr(roots, 1);
  capnp::SchemaParser parser;
  Walker walker(result, parser.parseFromDirectory(*folder, kj::Path::parse(vocabulary), importPath));
  for (size_t index = 0; index < count; index++) {
    auto path = result.keep(files[index].path);
    walker.walk(path, "", parser.parseFromDirectory(*folder, kj::Path::parse(files[index].path), importPath));
  }
}

}  // namespace

extern "C" {

cramped_capnp_result *cramped_capnp_parse(const cramped_capnp_file *files, size_t count, const char *vocabulary) {
  auto result = new (std::nothrow) cramped_capnp_result();
  if (result == nullptr) return nullptr;
  try {
    parse(*result, files, count, vocabulary);
  } catch (const kj::Exception &exception) {
    fail(*result, exception.getFile(), exception.getLine(), exception.getDescription().cStr());
  } catch (const std::exception &exception) {
    fail(*result, nullptr, 0, exception.what());
  } catch (...) {
    fail(*result, nullptr, 0, "unknown exception");
  }
  return result;
}

void cramped_capnp_free(cramped_capnp_result *result) { delete result; }

const char *cramped_capnp_error(const cramped_capnp_result *result) {
  return result->failed ? result->error.c_str() : nullptr;
}
const char *cramped_capnp_error_path(const cramped_capnp_result *result) { return result->errorPath.c_str(); }
int32_t cramped_capnp_error_line(const cramped_capnp_result *result) { return result->errorLine; }

size_t cramped_capnp_struct_count(const cramped_capnp_result *result) { return result->structs.size(); }
const cramped_capnp_struct *cramped_capnp_struct_at(const cramped_capnp_result *result, size_t index) {
  return &result->structs[index].c;
}

}  // extern "C"
