import ExampleSupport

// Imported here, so that QuickStart.swift begins as README shows it.
typealias TemporaryFolder = ExampleSupport.TemporaryFolder
