// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// libFuzzer targets over everything that reads untrusted bytes. A package of its own, because its
// unsafe flags would keep the main one from being a dependency; `Library` is a link to its sources,
// which are compiled here with coverage instrumentation. See scripts/fuzz.

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  // Some targets enter below the public functions, to get past checksums.
  .unsafeFlags(["-enable-testing"]),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Library/\(name)", swiftSettings: settings)
}

func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies + ["FileIO"], path: "Targets/\(name)",
    swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])])
}

let package = Package(
  name: "Fuzz",
  targets: [
    .target(name: "CSHA256", path: "Library/CSHA256"),
    .target(name: "CLinux", path: "Library/CLinux"),
    .target(name: "CResampling", path: "Library/CResampling"),
    .systemLibrary(name: "CZlib", path: "Library/CZlib", pkgConfig: "zlib"),
    library("FileIO", ["CLinux", "CZlib"]),
    library("NPY", ["FileIO"]),
    library("SWTFormat", ["FileIO", "CSHA256"]),
    library("Network", ["SWTFormat", "FileIO"]),
    library("PickleReader", ["FileIO", "CZlib"]),
    library("Converter", ["PickleReader", "Network", "SWTFormat", "FileIO", "NPY"]),
    library("DICOM", ["FileIO", "CZlib"]),
    library("Preprocessing", ["SWTFormat", "FileIO", "CZlib", "CResampling"]),

    fuzzer("FuzzNIfTI", ["Preprocessing"]),
    fuzzer("FuzzScan", ["Preprocessing", "SWTFormat"]),
    fuzzer("FuzzDICOM", ["DICOM"]),
    fuzzer("FuzzRunLength", ["DICOM"]),
    fuzzer("FuzzJPEGLossless", ["DICOM"]),
    fuzzer("FuzzSeries", ["DICOM"]),
    fuzzer("FuzzZip", ["PickleReader"]),
    fuzzer("FuzzPickle", ["PickleReader"]),
    fuzzer("FuzzLegacy", ["PickleReader"]),
    fuzzer("FuzzSWT", ["Network", "SWTFormat"]),
    fuzzer("FuzzNPY", ["NPY"]),
    fuzzer("FuzzJSON", ["SWTFormat"]),
    fuzzer("FuzzPlans", ["Converter", "Network", "SWTFormat"]),
    fuzzer("FuzzFamilies", ["Converter", "Network", "PickleReader", "SWTFormat"]),
    fuzzer("FuzzSafetensors", ["Converter", "PickleReader"]),
  ],
  cLanguageStandard: .c17
)
