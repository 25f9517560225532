@_exported public import DimpleChangelog
@_exported public import DimpleCrypto
@_exported public import DimpleReactive
@_exported public import DimpleRemote
@_exported public import DimpleS3
@_exported public import DimpleStore
@_exported public import DimpleSync
