/// A moment in the two spellings that S3 uses. (Foundation's formatters would bring its locales along.)
struct UTCTime: Hashable {
  /// Since 1970.
  let seconds: Int64

  init(seconds: Int64) { self.seconds = seconds }

  init(milliseconds: Int64) { seconds = milliseconds / 1000 }

  /// `20150830T123600Z`
  var basicFormat: String {
    let (year, month, day) = Self.date(ofDay: days)
    return "\(pad(year, 4))\(pad(month, 2))\(pad(day, 2))T"
      + "\(pad(secondOfDay / 3600, 2))\(pad(secondOfDay / 60 % 60, 2))\(pad(secondOfDay % 60, 2))Z"
  }

  /// `20150830`
  var basicDate: String { String(basicFormat.prefix(8)) }

  /// Reads an HTTP date, `Sun, 06 Nov 1994 08:49:37 GMT`; `nil` for anything else.
  init?(httpDate text: String) {
    let parts = text.split(whereSeparator: { $0 == " " || $0 == ":" })
    guard parts.count == 8, parts[7] == "GMT", let month = Self.months.firstIndex(of: String(parts[2])),
      let day = Int64(parts[1]), let year = Int64(parts[3]), let hour = Int64(parts[4]), let minute = Int64(parts[5]),
      let second = Int64(parts[6]), (1...31).contains(day), (1970...9999).contains(year), (0..<24).contains(hour),
      (0..<60).contains(minute), (0...60).contains(second)
    else { return nil }
    seconds = Self.day(year, Int64(month) + 1, day) * 86400 + hour * 3600 + minute * 60 + second
  }

  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  private var days: Int64 { seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400 }
  private var secondOfDay: Int64 { seconds - days * 86400 }

  private func pad(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  // Years begin in March here, so that the leap day is their last; 146,097 days are 400 years.
  private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    )
  }

  private static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let era = year / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

extension HTTPResponseHead {
  /// The server's clock when it answered, where it tells.
  var date: UTCTime? { self["date"].flatMap { UTCTime(httpDate: $0) } }
}
