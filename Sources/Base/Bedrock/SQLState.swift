// SQLSTATE codes, from PostgreSQL 15 appendix A. Only codes that Cramped raises are listed.

/// A five-character SQLSTATE.
package struct SQLState: Hashable, Sendable {
  package let code: StaticString
  package init(_ code: StaticString) {
    precondition(code.utf8CodeUnitCount == 5, "an SQLSTATE has five characters")
    self.code = code
  }
  package var text: String { code.description }

  package static func == (a: SQLState, b: SQLState) -> Bool { a.text == b.text }
  package func hash(into hasher: inout Hasher) { hasher.combine(text) }

  package static let successfulCompletion = SQLState("00000")
  package static let warning = SQLState("01000")
  package static let connectionFailure = SQLState("08006")
  package static let protocolViolation = SQLState("08P01")
  package static let featureNotSupported = SQLState("0A000")
  package static let cardinalityViolation = SQLState("21000")
  package static let stringDataRightTruncation = SQLState("22001")
  package static let numericValueOutOfRange = SQLState("22003")
  package static let nullValueNotAllowed = SQLState("22004")
  package static let invalidDatetimeFormat = SQLState("22007")
  package static let datetimeFieldOverflow = SQLState("22008")
  package static let divisionByZero = SQLState("22012")
  package static let invalidPrecedingOrFollowingSize = SQLState("22013")
  package static let invalidArgumentForNtile = SQLState("22014")
  package static let invalidArgumentForNthValue = SQLState("22016")
  package static let invalidEscapeSequence = SQLState("22025")
  package static let substringError = SQLState("22011")
  package static let characterNotInRepertoire = SQLState("22021")
  package static let invalidParameterValue = SQLState("22023")
  package static let invalidRegularExpression = SQLState("2201B")
  package static let invalidRowCountInLimitClause = SQLState("2201W")
  package static let invalidRowCountInOffsetClause = SQLState("2201X")
  package static let invalidTextRepresentation = SQLState("22P02")
  package static let invalidBinaryRepresentation = SQLState("22P03")
  package static let arraySubscriptError = SQLState("2202E")
  package static let invalidSQLJSONSubscript = SQLState("22033")
  package static let nonNumericSQLJSONItem = SQLState("22036")
  package static let singletonSQLJSONItemRequired = SQLState("22038")
  package static let sqlJSONArrayNotFound = SQLState("22039")
  package static let sqlJSONMemberNotFound = SQLState("2203A")
  package static let sqlJSONNumberNotFound = SQLState("2203B")
  package static let sqlJSONObjectNotFound = SQLState("2203C")
  package static let untranslatableCharacter = SQLState("22P05")
  package static let uniqueViolation = SQLState("23505")
  package static let notNullViolation = SQLState("23502")
  package static let invalidCursorState = SQLState("24000")
  package static let activeSQLTransaction = SQLState("25001")
  package static let noActiveSQLTransaction = SQLState("25P01")
  package static let inFailedSQLTransaction = SQLState("25P02")
  package static let readOnlySQLTransaction = SQLState("25006")
  package static let invalidStatementName = SQLState("26000")
  package static let invalidAuthorization = SQLState("28000")
  package static let invalidCursorName = SQLState("34000")
  package static let invalidCatalogName = SQLState("3D000")
  package static let invalidSchemaName = SQLState("3F000")
  package static let serializationFailure = SQLState("40001")
  package static let syntaxError = SQLState("42601")
  package static let insufficientPrivilege = SQLState("42501")
  package static let groupingError = SQLState("42803")
  package static let datatypeMismatch = SQLState("42804")
  package static let wrongObjectType = SQLState("42809")
  package static let windowingError = SQLState("42P20")
  package static let ambiguousColumn = SQLState("42702")
  package static let undefinedColumn = SQLState("42703")
  package static let undefinedObject = SQLState("42704")
  package static let duplicateAlias = SQLState("42712")
  package static let duplicateObject = SQLState("42710")
  package static let ambiguousFunction = SQLState("42725")
  package static let undefinedFunction = SQLState("42883")
  package static let cannotCoerce = SQLState("42846")
  package static let duplicateTable = SQLState("42P07")
  package static let undefinedTable = SQLState("42P01")
  package static let undefinedParameter = SQLState("42P02")
  package static let duplicateCursor = SQLState("42P03")
  package static let duplicatePreparedStatement = SQLState("42P05")
  package static let invalidColumnReference = SQLState("42P10")
  package static let indeterminateDatatype = SQLState("42P18")
  package static let invalidSchemaDefinition = SQLState("42P15")
  package static let outOfMemory = SQLState("53200")
  package static let diskFull = SQLState("53100")
  package static let tooManyConnections = SQLState("53300")
  package static let programLimitExceeded = SQLState("54000")
  package static let tooManyArguments = SQLState("54023")
  package static let tooManyColumns = SQLState("54011")
  package static let statementTooComplex = SQLState("54001")
  package static let objectNotInPrerequisiteState = SQLState("55000")
  package static let cantChangeRuntimeParam = SQLState("55P02")
  package static let queryCanceled = SQLState("57014")
  package static let adminShutdown = SQLState("57P01")
  package static let cannotConnectNow = SQLState("57P03")
  package static let ioError = SQLState("58030")
  package static let undefinedFile = SQLState("58P01")
  package static let snapshotTooOld = SQLState("72000")
  package static let configFileError = SQLState("F0000")
  package static let foreignInvalidOptionName = SQLState("HV00D")
  package static let foreignOptionNameNotFound = SQLState("HV00J")
  package static let internalError = SQLState("XX000")
  package static let dataCorrupted = SQLState("XX001")

  /// The advice that fits a state when its raiser gives none.
  package var usualKind: FaultKind {
    let text = self.text
    switch text.prefix(2) {
    case "0A": return .unsupported
    case "08", "40", "53", "58": return .tryLater
    case "57": return text == "57014" ? .cancelled : .tryLater
    case "72": return .gone
    case "XX": return text == "XX001" ? .corrupt : .bug
    default: return .callersMistake
    }
  }
}
