#if canImport(Darwin)
  private import Darwin
#elseif canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#elseif canImport(Android)
  private import Android
#endif

/// What tells a database file from every copy of it, whatever either is called and wherever it lies.
///
/// The file system gives each file a number and notes when it was made: both stay while the file is written, renamed and
/// moved, and a copy has others. A number that the machine has tells disks apart that were copied whole. The device's
/// number does not count, since systems give it out anew at each start.
struct FileIdentity: Hashable, Sendable {
  /// The inode.
  var number: UInt64
  /// In nanoseconds since 1970; 0 where the file system does not know.
  var birth: Int64
  /// A hash of the machine's identifier; 0 where there is none.
  var machine: UInt64

  /// As `dimple_meta` keeps it.
  var text: String { "\(number) \(birth) \(machine)" }

  init(number: UInt64, birth: Int64, machine: UInt64) {
    self.number = number
    self.birth = birth
    self.machine = machine
  }

  init?(text: String) {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 3, let number = UInt64(parts[0]), let birth = Int64(parts[1]), let machine = UInt64(parts[2])
    else { return nil }
    self.init(number: number, birth: birth, machine: machine)
  }

  /// Whether both are of one file, as far as is known.
  func isSame(as other: FileIdentity) -> Bool {
    guard number == other.number, birth == other.birth else { return false }
    return machine == other.machine || machine == 0 || other.machine == 0
  }
}

extension FileIdentity {
  /// The identity of a file; `nil` where it cannot be had.
  init?(path: String) {
    guard let (number, birth) = Self.numbers(path) else { return nil }
    self.init(number: number, birth: birth, machine: Self.machine)
  }

  #if canImport(Darwin)
    private static func numbers(_ path: String) -> (number: UInt64, birth: Int64)? {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      let birth = status.st_birthtimespec
      return (UInt64(status.st_ino), Int64(birth.tv_sec) &* 1_000_000_000 &+ Int64(birth.tv_nsec))
    }

    /// Devices that are set up from a backup of another have files of their own.
    private static let machine: UInt64 = 0
  #else
    private static func numbers(_ path: String) -> (number: UInt64, birth: Int64)? {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      return (UInt64(status.st_ino), birth(path) ?? 0)
    }

    /// https://man7.org/linux/man-pages/man2/statx.2.html, which the C library's headers do not show to Swift.
    private static func birth(_ path: String) -> Int64? {
      typealias Function =
        @convention(c) (
          Int32, UnsafePointer<CChar>, Int32, UInt32, UnsafeMutableRawPointer
        ) -> Int32
      guard let symbol = dlsym(nil, "statx") else { return nil }
      let statx = unsafeBitCast(symbol, to: Function.self)
      let birthTime: UInt32 = 0x800
      return withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { buffer in
        guard let start = buffer.baseAddress, statx(AT_FDCWD, path, 0, birthTime, start) == 0,
          buffer.load(as: UInt32.self) & birthTime != 0
        else { return nil }
        let seconds = buffer.load(fromByteOffset: 80, as: Int64.self)
        return seconds &* 1_000_000_000 &+ Int64(buffer.load(fromByteOffset: 88, as: UInt32.self))
      }
    }

    /// https://man7.org/linux/man-pages/man5/machine-id.5.html, which is not to be shown as it is.
    private static let machine: UInt64 = {
      let descriptor = open("/etc/machine-id", O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return 0 }
      defer { close(descriptor) }
      return withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
        let count = read(descriptor, buffer.baseAddress, buffer.count)
        // Some systems say "uninitialized" before it is known.
        guard count >= 32 else { return 0 }
        // FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
        return buffer.prefix(32).reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
      }
    }()
  #endif
}
