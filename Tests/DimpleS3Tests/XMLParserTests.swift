import DimpleTestSupport
import Testing

@testable import DimpleS3

@Suite("XML")
struct XMLParserTests {
  private func parse(_ text: String) throws -> XMLElement { try XMLParser.parse([UInt8](text.utf8)) }

  @Test("Elements, text, attributes, comments and CDATA") func reads() throws {
    let root = try parse(
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <!-- a <comment> -->
      <s3:Root xmlns:s3="http://x/" a='>"' >
        one<Empty/><Key >a&amp;b&lt;&gt;&quot;&apos;&#65;&#x1F600;</Key><!--x--> two<![CDATA[<raw> & ]]>
        <Key/>
      </s3:Root>

      """)
    #expect(root.name == "Root")
    #expect(root["Key"]?.text == "a&b<>\"'A😀")
    #expect(root.all("Key").count == 2)
    #expect(root["Empty"]?.text == "")
    #expect(root.text.split(whereSeparator: \.isWhitespace) == ["one", "two<raw>", "&"])
  }

  @Test(
    "What is not well-formed, or more than S3 needs, is refused",
    arguments: [
      "", " ", "text", "<a>", "<a></b>", "<a><b></a></b>", "<a/><b/>", "<a/>x", "x<a/>", "<a b=c/>", "<a b/>",
      "<a b='1>", "<>",
      "<a>&unknown;</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>&#x110000;</a>", "<a>&amp</a>", "<a>&65;</a>",
      "<!DOCTYPE a><a/>", "<a><!DOCTYPE b></a>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<a><!-- </a>",
      "<a><![CDATA[ </a>", "<?xml", "< a/>", "<a/ >",
    ])
  func refuses(text: String) {
    #expect(throws: XMLParser.Failure.self) { try parse(text) }
  }

  @Test("Depth is bounded, and text is UTF-8") func bounds() throws {
    let deep = { (depth: Int) in
      String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)
    }
    _ = try parse(deep(XMLParser.maximumDepth))
    #expect(throws: XMLParser.Failure.self) { try parse(deep(XMLParser.maximumDepth + 1)) }
    #expect(throws: XMLParser.Failure.self) { try parse(deep(100_000)) }
    #expect(throws: XMLParser.Failure.self) { try XMLParser.parse([UInt8]("<a>".utf8) + [0xFF] + [UInt8]("</a>".utf8)) }
  }

  @Test("Mutated documents are read or refused, never worse", arguments: 0..<20 as Range<UInt64>)
  func fuzz(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let original = [UInt8](
      """
      <?xml version="1.0"?><ListBucketResult xmlns="http://s3/"><Name>b</Name><IsTruncated>true</IsTruncated>
      <Contents><Key>a%20&amp;b</Key><Size>12</Size><ETag>&quot;x&quot;</ETag></Contents><!-- c --><![CDATA[d]]>
      <NextContinuationToken>t&#65;</NextContinuationToken><EncodingType>url</EncodingType></ListBucketResult>
      """.utf8)
    let alphabet = [UInt8]("<>/&;!-[]?'\"= a#x\u{0}".utf8) + [0x80, 0xFF]
    var readable = 0
    for _ in 0..<500 {
      var mutant = original
      for _ in 0...random.below(4) {
        let place = random.below(mutant.count)
        switch random.below(4) {
        case 0: mutant[place] = random.pick(alphabet) ?? 0
        case 1: mutant.remove(at: place)
        case 2: mutant.insert(random.pick(alphabet) ?? 0, at: place)
        default: mutant.removeSubrange(place..<min(mutant.count, place + random.below(20)))
        }
      }
      do {
        _ = try S3ListPage(parsing: mutant, prefix: "", serverTimeMilliseconds: nil)
        readable += 1
      } catch {
        // Typed: nothing but a refusal can come here.
      }
      _ = S3ErrorDocument(parsing: mutant)
    }
    #expect(readable > 0, "seed \(seed): no mutant was harmless, which is as odd as none harmful")
    #expect(readable < 500, "seed \(seed)")
  }
}
