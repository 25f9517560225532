/// Which column each call for a key means, learnt while the first row is decoded.
///
/// Synthesised `init(from:)` asks for its keys in the same order for every row, so the plan predicts the k-th call's
/// column and only compares the name; what it has not predicted, it looks up.
final class DecodingPlan {
  private struct Prediction {
    let name: String
    let column: Int32
  }

  private let names: [String]
  private let columns: [String: Int32]
  private var predictions: [Prediction] = []
  /// Types whose values have turned out to be JSON, by column.
  var jsonColumns: Set<Int32> = []

  init(columnNames: [String]) {
    names = columnNames
    columns = Dictionary(
      columnNames.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
  }

  /// The column of the name, or `nil`; `call` counts the calls of one row, from 0.
  func column(_ name: String, call: Int) -> Int32? {
    if call < predictions.count, predictions[call].name == name { return predictions[call].column }
    guard let column = columns[name] ?? columnIgnoringCase(name) else { return nil }
    if call == predictions.count { predictions.append(Prediction(name: name, column: column)) }
    return column
  }

  private func columnIgnoringCase(_ name: String) -> Int32? {
    let lowercased = name.lowercased()
    return names.firstIndex { $0.lowercased() == lowercased }.map(Int32.init)
  }
}
