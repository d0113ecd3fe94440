// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error, .when(configuration: .debug)),
]

let cSettings: [CSetting] = [.define("NDEBUG", .when(configuration: .release))]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

func library(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: settings)
}

let package = Package(
  name: "nnconvert",
  products: [
    .library(name: "SWTFormat", targets: ["SWTFormat"]),
    .library(name: "SWTRuntime", targets: ["SWTRuntime"]),
    .library(name: "Preprocessing", targets: ["Preprocessing"]),
    .library(name: "DICOM", targets: ["DICOM"]),
    .library(name: "Pipeline", targets: ["Pipeline"]),
    .library(name: "swt", type: .dynamic, targets: ["CAPI"]),
    .library(name: "Converter", targets: ["Converter"]),
    .executable(name: "nnconvert", targets: ["nnconvert"]),
    .executable(name: "nnrun", targets: ["nnrun"]),
    .executable(name: "nntrain", targets: ["nntrain"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // Leaf C code: no threads, no allocation, no I/O.
    .target(name: "CKernels", cSettings: cSettings),
    .target(name: "CSHA256", cSettings: cSettings),
    .target(name: "CResampling", cSettings: cSettings),
    // What glibc and libdispatch offer to C only, and what static programs need at their start.
    .target(name: "CLinux", cSettings: cSettings),
    .target(name: "CStartup", cSettings: cSettings),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // What both halves share: bytes and files, arrays on disk, and the file format between them.
    library("FileIO", ["CLinux", "CZlib"]),
    library("NPY", ["FileIO", "CZlib"]),
    library("SWTFormat", ["FileIO", "CSHA256"]),
    // What a network is: both halves read their parameters off its graph.
    library("Network", ["SWTFormat", "FileIO"]),

    // What the executables share: errors, exit statuses, names of options.
    library("CommandLineInterface", ["FileIO", argumentParser]),

    // The offline half: checkpoint in, .swt out.
    library("PickleReader", ["FileIO", "CZlib"]),
    library("Converter", ["PickleReader", "Network", "SWTFormat", "FileIO", "NPY"]),
    .executableTarget(
      name: "nnconvert",
      dependencies: [
        "Converter", "Preprocessing", "DICOM", "SWTFormat", "FileIO", "CommandLineInterface",
        "CStartup",
        argumentParser,
      ],
      swiftSettings: settings),

    // The lean half: .swt in, features and logits out. It never links the offline half.
    library(
      "SWTRuntime", path: "Sources/Runtime", ["Network", "SWTFormat", "FileIO", "CKernels"]),
    library("Preprocessing", ["SWTFormat", "FileIO", "CZlib", "CResampling"]),
    library("DICOM", ["FileIO", "CZlib"]),
    library(
      "Pipeline",
      ["SWTRuntime", "Preprocessing", "DICOM", "SWTFormat", "FileIO", "NPY", "CKernels"]),
    // What people look at: tables and pictures.
    library("Report", ["FileIO", "CZlib"]),
    // What nnrun and nntrain share: how cases are named on a command line, and shown to people.
    library(
      "CaseCommands",
      [
        "CommandLineInterface", "Report", "Pipeline", "Preprocessing", "DICOM", "SWTFormat",
        "FileIO",
        argumentParser,
      ]),
    // libswt: the same for C; the header is made by hand.
    .target(name: "CSWT", cSettings: cSettings),
    library(
      "CAPI", ["CSWT", "Pipeline", "DICOM", "Preprocessing", "SWTRuntime", "SWTFormat", "FileIO"]),
    .executableTarget(
      name: "nnrun",
      dependencies: [
        "CaseCommands", "Report", "Pipeline", "SWTRuntime", "Preprocessing", "DICOM", "NPY",
        "SWTFormat", "FileIO", "CommandLineInterface", "CStartup", argumentParser,
      ],
      swiftSettings: settings),

    // Training: labelled features in, a classifier out. Nothing of the lean half links it.
    .target(name: "CLinearAlgebra", cSettings: cSettings),
    library(
      "Training",
      [
        "Report", "Pipeline", "Preprocessing", "SWTRuntime", "SWTFormat", "NPY", "PickleReader",
        "FileIO", "CLinearAlgebra",
      ]),
    .executableTarget(
      name: "nntrain",
      dependencies: [
        "Training", "CaseCommands", "Report", "Pipeline", "SWTRuntime", "Network", "SWTFormat",
        "NPY", "FileIO", "CommandLineInterface", "CStartup", argumentParser,
      ],
      swiftSettings: settings),

    .target(
      name: "TestSupport", dependencies: ["FileIO", "NPY"], path: "Tests/TestSupport",
      swiftSettings: settings),
    tests("FileIOTests", ["FileIO"]),
    tests("NPYTests", ["NPY", "FileIO", "PickleReader"]),
    tests("SWTFormatTests", ["SWTFormat", "Network", "FileIO"]),
    tests("NetworkTests", ["Network", "SWTFormat", "FileIO"]),
    tests("PickleReaderTests", ["PickleReader", "FileIO"]),
    tests(
      "ConverterTests",
      ["CommandLineInterface", "Converter", "PickleReader", "SWTFormat", "FileIO"]),
    .target(name: "CReference", path: "Tests/CReference", cSettings: cSettings),
    tests(
      "RuntimeTests",
      ["SWTRuntime", "Network", "SWTFormat", "CKernels", "CReference", "FileIO", "NPY"]),
    tests("PreprocessingTests", ["Preprocessing", "SWTFormat", "FileIO", "NPY"]),
    tests("DICOMTests", ["DICOM", "FileIO", "NPY"]),
    tests(
      "PipelineTests",
      [
        "Pipeline", "Preprocessing", "SWTRuntime", "SWTFormat", "NPY", "FileIO", "PickleReader",
      ]),
    tests("ReportTests", ["Report"]),
    tests("CAPITests", ["CAPI", "CSWT", "NPY"]),
    tests("TrainingTests", ["Training", "SWTFormat", "NPY", "FileIO"]),
    // Runs the executables as a user would: whole journeys, exit codes, messages.
    tests(
      "CommandLineTests",
      [
        "FileIO", "NPY", "PickleReader", "Preprocessing", "SWTFormat", "SWTRuntime", "nnconvert",
        "nnrun", "nntrain",
      ]),
  ],
  cLanguageStandard: .c17
)
