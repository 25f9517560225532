import Foundation
import Testing

@testable import DimpleStore

@Suite struct DatabasePlaceTests {
  @Test func aRelativePathMeansTheFolderOfTheMomentOfOpening() throws {
    #expect(try DatabasePlace("a.db") == .file(FileManager.default.currentDirectoryPath + "/a.db"))
    #expect(try DatabasePlace("/x/a.db").path == "/x/a.db")
    #expect(try DatabasePlace(":memory:") == .memory)
  }
}
