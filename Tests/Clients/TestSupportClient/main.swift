import DimpleTestSupport

var random = SeededRandom(seed: 1)
precondition(random.next() != random.next())
print("ok")
