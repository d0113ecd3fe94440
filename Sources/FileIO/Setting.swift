// SPDX-License-Identifier: Apache-2.0
/// What advice may tell the user to set. A library calls it by its name in Swift, a command by its option.
package enum Setting: String, Sendable, Equatable {
  case replacesOutput
  case allowsNonFinite
  case toleratesUnknownObjects
  case dataType
  case head
  case inputPolicy
  case memoryLimit
  case precision
  case part
  case ignoresHeadOrigin
  case headPrefix
  case series
  case dicomConvention
  case plansPath
  case configuration
  case datasetPath
  case modelFolder
  case fold
  case checkpoint
  case weightsKey
  case prefix
  case spacing
  case heads
  case tokenOrder
  case inputSize
  case folds
  case labelColumn
  case groupColumn
  case recursive
  case resume
  case learningRate
  case featureCache
}
