"""Ways to break the sync engine, for scripts/mutate: each has a name, a sentence, and edits as (file, old text, new text).

The old text must stand in its file exactly once, so that a mutation that no longer fits is noticed. The new text does what the
old did unless `broken(name)`: all mutations are built into one program, and each run turns one on.
"""

sync = "Sources/DimpleSync/"
packed = sync + "Merge/Packed/"

mutations = [
    {
        "name": "stamps-backwards",
        "what": "The earlier of two writes wins",
        "edits": [
            (packed + "PackedRow.swift",
             "left.time == right.time ? left.replica < right.replica : left.time < right.time",
             'left.time == right.time ? left.replica < right.replica\n'
             '      : broken("stamps-backwards") ? left.time > right.time : left.time < right.time'),
        ],
    },
    {
        "name": "the-dead-live",
        "what": "A delete does not count against an insert",
        "edits": [
            (packed + "PackedRow.swift",
             "return deleted.map { $0 < inserted } ?? true",
             'return broken("the-dead-live") || (deleted.map { $0 < inserted } ?? true)'),
            (sync + "State/RowState.swift",
             "return deleted.map { $0 < inserted } ?? true",
             'return broken("the-dead-live") || (deleted.map { $0 < inserted } ?? true)'),
        ],
    },
    {
        "name": "old-life-counts",
        "what": "What was written before a delete counts in the row's next life",
        "edits": [
            (sync + "State/RowState.swift",
             "return deleted < cell.stamp", 'return broken("old-life-counts") || deleted < cell.stamp'),
        ],
    },
    {
        "name": "sent-before-answered",
        "what": "A put counts as done before it has answered",
        "edits": [
            (sync + "Engine/Push.swift",
             "      let stored = try await PackPut(session: session)",
             '      if broken("sent-before-answered") { try await record(next.body, of: identity) }\n'
             "      let stored = try await PackPut(session: session)"),
        ],
    },
    {
        "name": "postponed-counts-as-merged",
        "what": "The vector advances over a transaction that was postponed",
        "edits": [
            (sync + "Engine/PackMerge.swift",
             "          PostponedTable.append(number, of: header.replica, at: time, to: &position.postponed)\n",
             '          if broken("postponed-counts-as-merged") {\n'
             "            seen.insert(number...number, of: decoded)\n          }\n"
             "          PostponedTable.append(number, of: header.replica, at: time, to: &position.postponed)\n"),
        ],
    },
    {
        "name": "held-row-dropped",
        "what": "A held row is not kept",
        "edits": [
            (sync + "Merge/MergeSession+Writing.swift",
             "    let status = status(of: row)\n",
             '    let status = status(of: row)\n    if status.isHeld, broken("held-row-dropped") { return }\n'),
        ],
    },
    {
        "name": "unknown-column-forgotten",
        "what": "Values of columns that the app does not know are not kept",
        "edits": [
            (packed + "RowMerger.swift",
             "      if isUnknown { hasUnknownColumns = true }\n      return isUnknown\n",
             "      if isUnknown { hasUnknownColumns = true }\n"
             '      return isUnknown && !broken("unknown-column-forgotten")\n'),
        ],
    },
    {
        "name": "fold-skipped",
        "what": "A lone change of the app is not folded into the state",
        "edits": [
            (sync + "Merge/Fold.swift",
             "    if !batch.isEmpty { try fold() }",
             '    if batch.count > (broken("fold-skipped") ? 1 : 0) { try fold() }'),
        ],
    },
    {
        "name": "later-insert-keeps-the-value",
        "what": "Of two rows with a unique value the later stays",
        "edits": [
            (sync + "Merge/WorkRow.swift",
             "return mine < theirs", 'return broken("later-insert-keeps-the-value") ? theirs < mine : mine < theirs'),
        ],
    },
    {
        "name": "no-second-listing",
        "what": "A pack that is gone is not looked for again",
        "edits": [
            (sync + "Engine/Pull.swift",
             "if gone.isEmpty || listedAgain { break }",
             'if gone.isEmpty || listedAgain || broken("no-second-listing") { break }'),
        ],
    },
    {
        "name": "clock-not-moved",
        "what": "The clock is not moved by what comes in",
        "edits": [
            (sync + "Engine/PackMerge.swift",
             "if let newest = outcome.newest { try changelog.receive(newest, connection) }",
             'if let newest = outcome.newest, !broken("clock-not-moved") { try changelog.receive(newest, connection) }'),
        ],
    },
    {
        "name": "clock-not-kept",
        "what": "Where the clock was moved to is forgotten when the next transaction begins",
        "edits": [
            ("Sources/DimpleChangelog/Changelog+Transactions.swift",
             "let floor = try MetaValue.clock.get(connection) ?? 0",
             'let floor = broken("clock-not-kept") ? 0 : try MetaValue.clock.get(connection) ?? 0'),
        ],
    },
    {
        "name": "copies-not-noticed",
        "what": "A pack of another copy of the database is taken for the own one",
        "edits": [
            (sync + "Engine/Identity/OwnLog.swift",
             "    let (range, bounds) = (decoded.header.range, try bounds())\n",
             '    if broken("copies-not-noticed") { return .same }\n'
             "    let (range, bounds) = (decoded.header.range, try bounds())\n"),
        ],
    },
    {
        "name": "parts-deleted-in-any-case",
        "what": "Packs are deleted although the put of their union failed",
        "edits": [
            (sync + "Engine/Compaction.swift",
             "        guard let union = try await join(group) else {\n",
             '        if broken("parts-deleted-in-any-case"), (try? await join(group)).flatMap({ $0 }) == nil {\n'
             "          try await delete(group, from: &packs)\n          continue\n        }\n"
             "        guard let union = try await join(group) else {\n"),
        ],
    },
    {
        "name": "references-unanswered",
        "what": "A reference to a row that is not shown passes",
        "edits": [
            (sync + "Merge/MergeSession+References.swift",
             "      parent.isVisible && parent.nulled.isDisjoint(with: key.parentColumns)\n",
             '      broken("references-unanswered")\n'
             "        || parent.isVisible && parent.nulled.isDisjoint(with: key.parentColumns)\n"),
        ],
    },
    {
        "name": "digest-not-kept",
        "what": "The digest of the state leaves out rows that are new",
        "edits": [
            (packed + "RowMerger+Foreign.swift",
             "    guard try insertState(change.key, of: table, status) else { return nil }\n"
             "    digest.add(digestOfRow(change.key, of: table))\n",
             "    guard try insertState(change.key, of: table, status) else { return nil }\n"
             '    if !broken("digest-not-kept") { digest.add(digestOfRow(change.key, of: table)) }\n'),
        ],
    },
]
