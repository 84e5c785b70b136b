// Taking rows out of columns: gather, slice, flatten, concatenate. Loops run once per physical width.

import Bedrock

extension Column {
  /// The rows at `indices`, in that order. Dictionary and constant columns keep their form. A negative index gives null.
  package func gather(_ indices: Span<Int32>) -> Column {
    let rows = indices.count
    var hasNegative = false
    for index in 0..<rows where indices[index] < 0 {
      hasNegative = true
      break
    }
    if case .constant(let one) = form {
      if !hasNegative || one.validity != nil {
        return Column(type: type, count: rows, validity: nil, form: .constant(one))
      }
      return flat().gather(indices)
    }
    var bitmap: Bitmap?
    if hasNegative || validity != nil {
      bitmap = Bitmap.make(count: rows) { row in
        let index = indices[row]
        return index >= 0 && (validity?.isSet(Int(index)) ?? true)
      }
    }
    let form: Form
    switch self.form {
    case .fixed(let buffer): form = .fixed(Self.gatherFixed(buffer, width: type.physical.width!, indices))
    case .dictionary(let codes, let dictionary):
      form = .dictionary(codes: Self.gatherFixed(codes, width: 4, indices), dictionary: dictionary)
    case .bytes:
      let (offsets, data) = gatherBytes(indices)
      form = .bytes(offsets: offsets, data: data)
    case .list(_, let elements):
      let (offsets, positions) = listPositions(indices)
      form = .list(offsets: offsets, elements: elements.gather(positions.span))
    case .constant: preconditionFailure("handled above")
    }
    return Column(type: type, count: rows, validity: bitmap, form: form)
  }

  private static func gatherFixed(_ buffer: Buffer, width: Int, _ indices: Span<Int32>) -> Buffer {
    switch width {
    case 1: gatherWidth(UInt8.self, buffer, indices)
    case 4: gatherWidth(UInt32.self, buffer, indices)
    case 8: gatherWidth(UInt64.self, buffer, indices)
    default: gatherWidth(UInt128.self, buffer, indices)
    }
  }

  private static func gatherWidth<T: BitwiseCopyable & FixedWidthInteger>(
    _ type: T.Type, _ buffer: Buffer, _ indices: Span<Int32>
  ) -> Buffer {
    let source = buffer.span(of: T.self)
    return Buffer.of(T.self, count: indices.count) { out in
      for row in 0..<indices.count {
        let index = indices[row]
        out[row] = index < 0 ? 0 : source[Int(index)]
      }
    }
  }

  private func gatherBytes(_ indices: Span<Int32>) -> (Buffer, Buffer) {
    let source = offsets
    var total = 0
    let newOffsets = Buffer.of(Int32.self, count: indices.count + 1) { out in
      out[0] = 0
      for row in 0..<indices.count {
        let index = Int(indices[row])
        if index >= 0 { total += Int(source[index + 1] - source[index]) }
        out[row + 1] = Int32(total)
      }
    }
    let bytes = data
    let newData = Buffer(uninitializedByteCount: total) { out in
      var written = 0
      bytes.withUnsafeBytes { raw in
        for row in 0..<indices.count {
          let index = Int(indices[row])
          if index < 0 { continue }
          let start = Int(source[index]), length = Int(source[index + 1]) - start
          if length == 0 { continue }
          (out.baseAddress! + written).copyMemory(from: raw.baseAddress! + start, byteCount: length)
          written += length
        }
      }
    }
    return (newOffsets, newData)
  }

  private func listPositions(_ indices: Span<Int32>) -> (Buffer, [Int32]) {
    let source = offsets
    var positions: [Int32] = []
    var newOffsets: [Int32] = [0]
    newOffsets.reserveCapacity(indices.count + 1)
    for row in 0..<indices.count {
      let index = Int(indices[row])
      if index >= 0 { positions.append(contentsOf: source[index]..<source[index + 1]) }
      newOffsets.append(Int32(positions.count))
    }
    return (.copying(newOffsets), positions)
  }

  /// The same rows in fixed, bytes or list form.
  package func flat() -> Column {
    switch form {
    case .fixed, .bytes, .list: return self
    case .constant(let one):
      let flatOne = one.flat()
      if count == 1 { return flatOne }
      if one.validity != nil {
        var builder = ColumnBuilder(type: type, capacity: count)
        for _ in 0..<count { builder.appendNull() }
        return builder.finish()
      }
      let zeros = Buffer(byteCount: count * 4)
      return flatOne.gather(zeros.span(of: Int32.self))
    case .dictionary(let codes, let dictionary):
      if dictionary.count == 0 {
        return Column.nulls(type, count: count).flat()
      }
      let gathered: Column
      if let validity {
        // A null's code is 0; ask for null (-1) there, so that the value of a null row is empty.
        let source = codes.span(of: Int32.self)
        let indices = Buffer.of(Int32.self, count: count) { out in
          for row in 0..<count { out[row] = validity.isSet(row) ? source[row] : -1 }
        }
        gathered = dictionary.values.gather(indices.span(of: Int32.self))
      } else {
        gathered = dictionary.values.gather(codes.span(of: Int32.self).extracting(0..<count))
      }
      return gathered.retyped(type)
    }
  }

  /// Rows `range` as a column of their own.
  package func slice(_ range: Range<Int>) -> Column {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    if range == 0..<count { return self }
    if case .constant(let one) = form {
      return Column(type: type, count: range.count, validity: nil, form: .constant(one))
    }
    let indices = Buffer.of(Int32.self, count: range.count) { out in
      for row in 0..<range.count { out[row] = Int32(range.lowerBound + row) }
    }
    return gather(indices.span(of: Int32.self))
  }

  /// The rows of all `parts`, in order. Parts that share one dictionary stay coded.
  package static func concatenate(_ parts: [Column]) -> Column {
    precondition(!parts.isEmpty)
    if parts.count == 1 { return parts[0] }
    let type = parts[0].type
    let count = parts.reduce(0) { $0 + $1.count }
    let hasNulls = parts.contains { $0.mayHaveNulls }
    let bitmap = hasNulls ? joinValidity(parts, count: count) : nil
    if let dictionary = parts[0].dictionary, parts.allSatisfy({ $0.dictionary === dictionary }) {
      let codes = joinFixed(
        parts.map { part -> (Buffer, Int) in
          guard case .dictionary(let codes, _) = part.form else { preconditionFailure("checked above") }
          return (codes, part.count * 4)
        })
      return Column(type: type, count: count, validity: bitmap, form: .dictionary(codes: codes, dictionary: dictionary))
    }
    let flats = parts.map { $0.flat() }
    switch type.physical {
    case .bytes, .list: return concatenateVariable(flats, type: type, count: count, validity: bitmap)
    default:
      let width = type.physical.width!
      let joined = joinFixed(
        flats.map { part -> (Buffer, Int) in
          guard case .fixed(let buffer) = part.form else { preconditionFailure("flat and of fixed width") }
          return (buffer, part.count * width)
        })
      return Column(type: type, count: count, validity: bitmap, form: .fixed(joined))
    }
  }

  private static func joinValidity(_ parts: [Column], count: Int) -> Bitmap {
    let wordCount = Bitmap.wordCount(count)
    let words = Buffer(byteCount: wordCount * 8) { raw in
      let out = raw.bindMemory(to: UInt64.self)
      var row = 0
      for part in parts {
        let isAllNull = part.validity == nil && part.mayHaveNulls
        for index in 0..<(isAllNull ? 0 : Bitmap.wordCount(part.count)) {
          let bitsMax = min(64, part.count - index * 64)
          let mask: UInt64 = bitsMax == 64 ? .max : (1 << UInt64(bitsMax)) - 1
          let word = (part.validity?.words[index] ?? .max) & mask
          let start = row + index * 64, shift = UInt64(start & 63)
          out[start >> 6] |= word << shift
          if shift > 0 && word >> (64 - shift) != 0 { out[start >> 6 + 1] |= word >> (64 - shift) }
        }
        row += part.count
      }
    }
    return Bitmap(buffer: words, count: count)
  }

  private static func joinFixed(_ parts: [(Buffer, Int)]) -> Buffer {
    Buffer(uninitializedByteCount: parts.reduce(0) { $0 + $1.1 }) { out in
      var written = 0
      for (buffer, byteCount) in parts where byteCount > 0 {
        buffer.withUnsafeBytes { (out.baseAddress! + written).copyMemory(from: $0.baseAddress!, byteCount: byteCount) }
        written += byteCount
      }
    }
  }

  private static func concatenateVariable(
    _ parts: [Column], type: DataType, count: Int, validity: Bitmap?
  ) -> Column {
    let offsets = Buffer.of(Int32.self, count: count + 1) { out in
      out[0] = 0
      var row = 0
      var base: Int32 = 0
      for part in parts {
        let source = part.offsets
        for index in 0..<part.count { out[row + index + 1] = base + source[index + 1] }
        row += part.count
        base += source[part.count]
      }
    }
    if type.physical == .list {
      let elements = parts.map { part -> Column in
        guard case .list(_, let elements) = part.form else { preconditionFailure("flat list") }
        return elements
      }
      return Column(
        type: type, count: count, validity: validity, form: .list(offsets: offsets, elements: .concatenate(elements)))
    }
    let data = joinFixed(
      parts.map { part -> (Buffer, Int) in
        guard case .bytes(_, let data) = part.form else { preconditionFailure("flat bytes") }
        return (data, Int(part.offsets[part.count]))
      })
    return Column(type: type, count: count, validity: validity, form: .bytes(offsets: offsets, data: data))
  }
}

extension Chunk {
  /// The rows at `indices` of every column.
  package func gather(_ indices: Span<Int32>) -> Chunk {
    Chunk(columns: columns.map { $0.gather(indices) }, rowCount: indices.count)
  }

  package func slice(_ range: Range<Int>) -> Chunk {
    if range == 0..<rowCount { return self }
    return Chunk(columns: columns.map { $0.slice(range) }, rowCount: range.count)
  }

  /// The rows of all `chunks`, which have the same columns.
  package static func concatenate(_ chunks: [Chunk]) -> Chunk {
    precondition(!chunks.isEmpty)
    if chunks.count == 1 { return chunks[0] }
    let columns = chunks[0].columns.indices.map { index in Column.concatenate(chunks.map { $0.columns[index] }) }
    return Chunk(columns: columns, rowCount: chunks.reduce(0) { $0 + $1.rowCount })
  }
}
