/// One kind of call to the file system; tests make the first, second, third … of them fail.
package enum FileStep: String, Sendable, Hashable, CaseIterable {
  case read, list, makeFolder, create, write, sync, publish, syncFolder, remove
}
