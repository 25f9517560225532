// Links DimpleCrypto and nothing else: the age library without a database.
import DimpleCrypto

let identity = try X25519Identity()
let message = Array("It takes one key to close and the other to open.".utf8)
let file = try Age.encrypt(message, to: [identity.recipient], armored: true)
let opened = try Age.decrypt(file, with: [identity])
print(opened == message ? "ok" : "what was opened is not what was closed")
