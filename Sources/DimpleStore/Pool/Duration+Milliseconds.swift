extension Duration {
  /// Rounded towards zero. What does not fit is the greatest, or the smallest, that there is.
  package var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, isTooMuch) = seconds.multipliedReportingOverflow(by: 1000)
    let (sum, isTooMuchNow) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
    return isTooMuch || isTooMuchNow ? (seconds < 0 ? .min : .max) : sum
  }
}
