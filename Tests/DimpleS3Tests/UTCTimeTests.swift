import DimpleTestSupport
import Foundation
import Testing

@testable import DimpleS3

@Suite("Times as S3 spells them")
struct UTCTimeTests {
  @Test(
    "Known moments",
    arguments: [
      (0, "19700101T000000Z"), (1_440_938_160, "20150830T123600Z"), (951_782_400, "20000229T000000Z"),
      (4_107_542_399, "21000228T235959Z"), (4_107_542_400, "21000301T000000Z"), (-1, "19691231T235959Z"),
    ] as [(Int64, String)])
  func known(seconds: Int64, text: String) {
    #expect(UTCTime(seconds: seconds).basicFormat == text)
    #expect(UTCTime(seconds: seconds).basicDate == text.prefix(8))
  }

  @Test("Agrees with Foundation on random moments, both ways") func random() throws {
    var random = SeededRandom(seed: 1)
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    for _ in 0..<500 {
      let seconds = Int64(random.below(8_000_000_000))
      let date = Date(timeIntervalSince1970: TimeInterval(seconds))
      formatter.dateFormat = "yyyyMMdd'T'HHmmss'Z'"
      #expect(UTCTime(seconds: seconds).basicFormat == formatter.string(from: date))
      formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
      #expect(UTCTime(httpDate: formatter.string(from: date))?.seconds == seconds)
    }
  }

  @Test(
    "Other spellings are not dates",
    arguments: [
      "", "Sun", "Sun, 06 Nov 1994 08:49:37 CET", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
      "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
      "Sun, 06 Nov 99999999999999 08:49:37 GMT",
    ])
  func refused(text: String) { #expect(UTCTime(httpDate: text) == nil) }
}
