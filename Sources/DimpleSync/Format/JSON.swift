/// JSON (RFC 8259) that keeps integers and reals apart: `1` is an integer, `1.0` a real.
enum JSON: Equatable {
  case null
  case bool(Bool)
  case integer(Int64)
  case real(Double)
  case string(String)
  case array([JSON])
  /// Members in the order written; names are unique.
  case object([Member])

  struct Member: Equatable {
    var name: String
    var value: JSON
  }

  /// The member called `name` of an object.
  subscript(name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  var stringValue: String? { if case .string(let value) = self { value } else { nil } }
  var integerValue: Int64? { if case .integer(let value) = self { value } else { nil } }
  var arrayValue: [JSON]? { if case .array(let value) = self { value } else { nil } }
  var members: [Member]? { if case .object(let value) = self { value } else { nil } }
}
