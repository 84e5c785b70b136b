// In which order the rows of a data file lie, so that bounds of its pages are narrow for the columns people filter by.
//
//   no key        by `published`
//   one key       by the key, then by `published`
//   several keys  along a curve through the space of the keys, then by `published`
//
// A curve runs over ranks, not values: each key's distinct values are numbered in order and spread over the same number
// of bits, so that skewed keys count as much as even ones. Hilbert's curve keeps neighbours together better than Z-order,
// whose order is cheaper to explain; Hilbert is the default.

package import Bedrock
import Columnar
import DeltaFormat
package import EventSchema

/// The keys by which files of a table are laid out.
package struct LakeClustering: Sendable, Hashable {
  package enum Curve: String, Sendable, Hashable, CaseIterable {
    case hilbert
    case zOrder = "z_order"
  }
  /// Column names; the first is the only one when there is one.
  package var columns: [String]
  package var curve: Curve
  /// More keys would leave each with too few bits to narrow anything.
  package static let columnsMax = 4

  package init(columns: [String], curve: Curve = .hilbert) {
    self.columns = columns
    self.curve = curve
  }

  /// The usual layout.
  package static let published = LakeClustering(columns: ["published"])

  /// True when rows are in the order of `published` alone.
  package var isByTime: Bool { columns.isEmpty || columns == Self.published.columns }

  /// As files and people are told: `published`, `series`, `hilbert(series, value)`.
  package var text: String {
    if isByTime { return "published" }
    if columns.count == 1 { return columns[0] }
    return "\(curve.rawValue)(\(columns.joined(separator: ", ")))"
  }

  /// From a configuration: names separated by commas. Throws F0000 for too many, repeated or empty names.
  package init(keys: String, curve: Curve) throws(Fault) {
    let columns = keys.split(separator: ",", omittingEmptySubsequences: false).map { part in
      String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    guard columns.count <= Self.columnsMax, Set(columns).count == columns.count, !columns.contains("") else {
      throw Fault(
        .configFileError, "the clustering keys \"\(keys.prefix(200))\" are not up to \(Self.columnsMax) different columns",
        hint: "Write column names separated by commas; the default is published.")
    }
    self.init(columns: columns, curve: curve)
  }

  /// Places of the keys among `columns`; empty for the order by time. Throws 42703 for an unknown column and 42P15 for one
  /// that cannot be a key.
  func keys(_ all: [TableColumn]) throws(Fault) -> [Int] {
    if isByTime { return [] }
    guard columns.count <= Self.columnsMax, Set(columns).count == columns.count else {
      throw Fault(
        .invalidSchemaDefinition, "a table is clustered by up to \(Self.columnsMax) different columns")
    }
    var keys: [Int] = []
    for name in columns {
      guard let index = all.firstIndex(where: { $0.name == name }) else {
        throw Fault(.undefinedColumn, "column \"\(name)\" to cluster by does not exist")
      }
      guard !all[index].isPersonal else {
        throw Fault(
          .invalidSchemaDefinition, "personal column \"\(name)\" cannot be a clustering key",
          detail: "The order of rows would tell its values.")
      }
      guard ClusteringRanks.hasOrder(all[index].type) else {
        throw Fault(.invalidSchemaDefinition, "column \"\(name)\" of type \(all[index].type) cannot be a clustering key")
      }
      keys.append(index)
    }
    return keys
  }

  /// The order of rows: `nil` when they lie as they should. `column` gives all rows of a column.
  func order(_ keys: [Int], published: Int, rowCount: Int, column: (Int) -> Column) -> [Int32]? {
    let times = column(published).flat()
    var order = RadixSort.order(times.int64s)
    if keys.isEmpty { return order }
    let ranks = keys.map { ClusteringRanks(column($0).flat()) }
    let codes = ranks.count == 1 ? ranks[0].ranks.map { Int64($0) } : ClusteringCurve.codes(ranks, curve)
    guard let byTime = order else { return RadixSort.order(codes.span) }
    let sorted = byTime.map { codes[Int($0)] }
    if let byKey = RadixSort.order(sorted.span) { order = byKey.map { byTime[Int($0)] } }
    return order
  }
}

/// Which table is laid out how: what is said of a table counts before what is said of its domain.
package struct LakeClusteringPolicy: Sendable, Hashable {
  package var usual: LakeClustering
  package var domains: [String: LakeClustering]
  /// By `domain.entity`.
  package var tables: [String: LakeClustering]

  package init(
    usual: LakeClustering = .published, domains: [String: LakeClustering] = [:], tables: [String: LakeClustering] = [:]
  ) {
    self.usual = usual
    self.domains = domains
    self.tables = tables
  }

  /// - Parameter table: `domain.entity`.
  package func clustering(of table: String) -> LakeClustering {
    tables[table] ?? domains[String(table.prefix { $0 != "." })] ?? usual
  }
}

/// The layout that files of a table get now.
package struct LakeTableLayout: Sendable {
  /// What is configured where the table can be laid out so, else the order by `published`.
  package let clustering: LakeClustering
  /// Why it is not what is configured.
  package let problem: Fault?
}

extension LakeTable {
  /// How files with these columns are laid out: as configured, or by `published` when a key is not among them, or cannot
  /// be one.
  func layout(_ columns: [TableColumn]) -> LakeTableLayout {
    let wanted = lake.options.clustering.clustering(of: name)
    do throws(Fault) {
      _ = try wanted.keys(columns)
      return LakeTableLayout(clustering: wanted, problem: nil)
    } catch {
      return LakeTableLayout(clustering: .published, problem: error)
    }
  }

  /// How files that are flushed under `schema` are laid out.
  package func layout(of schema: TableSchema) -> LakeTableLayout {
    layout(DeltaTransactionBuilder.lakeColumns(schema).map(\.column))
  }

  /// How files of `base` are laid out when they are rewritten under `schema`: a key that the lake has no column of yet
  /// waits for its first flush.
  package func layout(of schema: TableSchema, in base: LakeSnapshot) -> LakeTableLayout {
    let known = Set((base.schema?.fields ?? []).compactMap(\.fieldID))
    return layout(DeltaTransactionBuilder.lakeColumns(schema).map(\.column).filter { known.contains($0.fieldID) })
  }
}

// What a file says of its own layout: tags of its log entry, which checkpoints keep.
extension LakeDataFile {
  /// As `LakeClustering.text`; files without the tag are from before it, and by time.
  static let layoutTag = "cramped.sortedBy"
  /// Files that one step of clustering made share a name here: they lie side by side along the keys.
  static let clusterTag = "cramped.cluster"

  package var layoutText: String { add.tags[Self.layoutTag].flatMap { $0 } ?? LakeClustering.published.text }
  var cluster: String? { add.tags[Self.clusterTag].flatMap { $0 } }
}

extension LakeClustering {
  /// Tags of a file laid out so. - Parameter cluster: of the step of clustering that made it.
  func tags(cluster: String? = nil) -> [String: String?] {
    if isByTime { return [:] }
    var tags: [String: String?] = [LakeDataFile.layoutTag: text]
    if let cluster { tags[LakeDataFile.clusterTag] = cluster }
    return tags
  }
}
