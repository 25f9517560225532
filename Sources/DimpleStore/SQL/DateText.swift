/// Dates as the text that SQLite's own date functions read and write: https://sqlite.org/lang_datefunc.html
enum DateText {
  /// `YYYY-MM-DD HH:MM:SS.SSS` in UTC, to the nearest millisecond; `nil` outside the years 0 to 9999.
  static func format(secondsSince1970 seconds: Double) -> String? {
    let milliseconds = (seconds * 1000).rounded()
    // The years 0 to 9999; also keeps NaN and infinities out of the conversion.
    guard milliseconds >= -62_167_219_200_000, milliseconds < 253_402_300_800_000 else { return nil }
    let total = Int64(milliseconds)
    let day = total.flooredQuotient(86_400_000)
    let time = total - day * 86_400_000
    let (year, month, dayOfMonth) = civil(fromDay: day)
    return String(unsafeUninitializedCapacity: 23) { buffer in
      var writer = DigitWriter(buffer: buffer)
      writer.write(year, width: 4, then: UInt8(ascii: "-"))
      writer.write(month, width: 2, then: UInt8(ascii: "-"))
      writer.write(dayOfMonth, width: 2, then: UInt8(ascii: " "))
      writer.write(time / 3_600_000, width: 2, then: UInt8(ascii: ":"))
      writer.write(time / 60_000 % 60, width: 2, then: UInt8(ascii: ":"))
      writer.write(time / 1000 % 60, width: 2, then: UInt8(ascii: "."))
      writer.write(time % 1000, width: 3, then: nil)
      return writer.count
    }
  }

  /// Seconds since 1970, or `nil` if the text is no date.
  static func parse(_ text: String) -> Double? {
    var text = text
    return text.withUTF8 { bytes in
      var reader = DigitReader(bytes: bytes)
      guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
        let day = reader.number(2), (1...12).contains(month), (1...daysIn(month, year)).contains(day)
      else { return nil }
      let midnight = Double(self.day(year: year, month: month, dayOfMonth: day)) * 86400
      if reader.isAtEnd { return midnight }
      guard reader.skip(" ") || reader.skip("T") || reader.skip("t"), let time = reader.timeOfDay(),
        let offset = reader.offset(), reader.isAtEnd
      else { return nil }
      return midnight + time - offset
    }
  }

  /// Days since 1970-01-01 to the Gregorian calendar: https://howardhinnant.github.io/date_algorithms.html
  private static func civil(fromDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = day + 719_468
    let era = shifted.flooredQuotient(146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  private static func day(year: Int64, month: Int64, dayOfMonth: Int64) -> Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = shiftedYear.flooredQuotient(400)
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + dayOfMonth - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func daysIn(_ month: Int64, _ year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

/// Writes numbers of fixed width into a buffer.
private struct DigitWriter {
  let buffer: UnsafeMutableBufferPointer<UInt8>
  var count = 0

  init(buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

  mutating func write(_ value: Int64, width: Int, then separator: UInt8?) {
    var rest = value
    for position in (0..<width).reversed() {
      buffer[count + position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    count += width
    guard let separator else { return }
    buffer[count] = separator
    count += 1
  }
}

/// Reads numbers of fixed width.
private struct DigitReader {
  let bytes: UnsafeBufferPointer<UInt8>
  var position = 0

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  mutating func digit() -> Int64? {
    guard position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) else { return nil }
    defer { position += 1 }
    return Int64(bytes[position] - UInt8(ascii: "0"))
  }

  mutating func number(_ width: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<width {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fraction`, in seconds.
  mutating func timeOfDay() -> Double? {
    guard let hour = number(2), hour < 24, skip(":"), let minute = number(2), minute < 60 else { return nil }
    let whole = Double(hour * 3600 + minute * 60)
    guard skip(":") else { return whole }
    guard let second = number(2), second < 60 else { return nil }
    guard skip(".") else { return whole + Double(second) }
    var fraction: Int64 = 0
    var scale: Int64 = 1
    guard let first = digit() else { return nil }
    fraction = first
    scale = 10
    while let next = digit() {
      // Beyond nanoseconds a double of today's dates holds nothing.
      guard scale < 1_000_000_000 else { continue }
      fraction = fraction * 10 + next
      scale *= 10
    }
    return whole + Double(second) + Double(fraction) / Double(scale)
  }

  /// Nothing, `Z`, `+HH:MM` or `-HH:MM`, in seconds.
  mutating func offset() -> Double? {
    if isAtEnd || skip("Z") || skip("z") { return 0 }
    let sign: Double
    if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
    guard let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
    return sign * Double(hours * 3600 + minutes * 60)
  }
}

extension Int64 {
  /// Rounded towards negative infinity.
  fileprivate func flooredQuotient(_ divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
