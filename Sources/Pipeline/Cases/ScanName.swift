// SPDX-License-Identifier: Apache-2.0
/// A scan's or array's file name, in nnU-Net's manner: `case_0000.nii.gz`.
package struct ScanName: Sendable {
  /// The name without folder, ending and channel number.
  package let caseName: String
  /// The name without folder and ending.
  package let stem: String
  /// The channel, where the name tells one.
  package let channel: Int?
  /// Whether the ending is one of NIfTI's.
  package let isNIfTI: Bool

  package init(path: String) {
    var name = path.split(separator: "/").last.map(String.init) ?? path
    let ending = [".nii.gz", ".nii", ".npy"].first { name.lowercased().hasSuffix($0) }
    isNIfTI = ending != nil && ending != ".npy"
    name.removeLast(ending?.count ?? 0)
    stem = name
    let digits = name.suffix(4)
    if name.dropLast(4).hasSuffix("_"), name.count > 5, let number = Int(digits),
      digits.allSatisfy({ $0.isASCII && $0.isNumber })
    {
      channel = number
      name.removeLast(5)
    } else {
      channel = nil
    }
    caseName = name
  }
}
