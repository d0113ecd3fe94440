// SPDX-License-Identifier: Apache-2.0
import CAPI
import CSWT
import Glibc
import NPY
import TestSupport
import Testing

/// The C functions as C calls them: PyTorch's numbers, and an error code for every misuse.
@Suite final class CAPITests {
  private let folder: TemporaryFolder
  private let path: String
  private var model: OpaquePointer?
  private var error = swt_error()
  private static let example = "\(Fixtures.repository)/Examples/brain-mri"

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("m.swt")
    _ = try Command.run(
      "nnconvert",
      [
        "convert", Fixtures.exampleCheckpoint, "--head", "\(Self.example)/head.pth", "-o", path,
      ])
    #expect(swt_model_open(path, &model, nil) == SWT_OK)
  }

  deinit { swt_model_close(&model) }

  private var message: String {
    withUnsafeBytes(of: error.message) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  private func expectEqual(_ found: [Float], _ file: String) throws {
    let expected = try NPYArray(contentsOf: "\(Self.example)/\(file)").values
    #expect(Difference(found, expected).relative <= 1e-4)
  }

  @Test func describesItself() throws {
    #expect(swt_version().map { String(cString: $0) } == "0.2.0")
    let json = try #require(swt_model_description(model).map { String(cString: $0) })
    #expect(json.contains("\"model_id\"") && json.contains("\"features\""))
    #expect(swt_model_pooled_count(model) == 64 && swt_model_logit_count(model) == 2)
  }

  /// Row-major, and with the axes of the caller's array the other way round.
  @Test(arguments: [false, true])
  func aSessionGivesPyTorchsNumbers(isReversed: Bool) throws {
    let array = try NPYArray(contentsOf: "\(Self.example)/input.npy")
    let shape = array.shape.dropFirst().map { Int64($0) }
    var session: OpaquePointer?
    let stages: [Int32] = [2]
    #expect(
      swt_session_create(
        model, shape, 4, UInt32(SWT_POOLED | SWT_LOGITS), stages, 1, 2, &session, &error) == SWT_OK)
    defer { swt_session_close(&session) }
    if isReversed {
      let count = array.values.count
      #expect(
        array.values.reversed().withUnsafeBufferPointer { buffer in
          swt_session_run(
            session, buffer.baseAddress.map { $0 + count - 1 },
            [-shape[1] * shape[2] * shape[3], -shape[2] * shape[3], -shape[3], -1], &error)
        } == SWT_OK)
    } else {
      #expect(swt_session_run(session, array.values, nil, &error) == SWT_OK)
    }
    var logits = [Float](repeating: 0, count: 2)
    #expect(swt_session_logits(session, &logits, 2, &error) == SWT_OK)
    try expectEqual(logits, "logits.npy")
    var pooled = [Float](repeating: 0, count: 64)
    #expect(swt_session_pooled(session, &pooled, 64, &error) == SWT_OK)
    try expectEqual(pooled, "pooled.npy")
    var sizes = [Int64](repeating: 0, count: 4)
    #expect(swt_session_stage_shape(session, 2, &sizes, 4, &error) == SWT_OK)
    var features = [Float](repeating: 0, count: Int(sizes.reduce(1, *)))
    #expect(swt_session_stage(session, 2, &features, features.count, &error) == SWT_OK)
    try expectEqual(features, "skip_2.npy")
  }

  @Test func aPipelineGivesNNUNetsNumbers() throws {
    var pipeline: OpaquePointer?
    #expect(swt_pipeline_create(model, nil, 2, 0, &pipeline, &error) == SWT_OK)
    defer { swt_pipeline_close(&pipeline) }
    var logits: [Float] = [0, 0]
    let scan = "\(Self.example)/scans/brain_t1.nii.gz"
    let status = scan.withCString { path in
      swt_pipeline_run_files(pipeline, [path], 1, nil, 0, &logits, 2, &error)
    }
    #expect(status == SWT_OK, "\(message)")
    try expectEqual(logits, "expected/brain_t1.logits.npy")
  }

  /// What `nnrun` gives for a series, and its refusals; nothing about the patient in either.
  @Test func aFolderOfDICOMIsACase() throws {
    let dicom = "\(Fixtures.folder)/dicom"
    let output = folder.file("l.npy")
    let command = try Command.run(
      "nnrun",
      ["classify", path, "\(dicom)/sag_mr/study", "--dicom-convention", "dcm2niix", "-o", output])
    #expect(command.status == 0, "\(command.errors)")
    let expected = try NPYArray(contentsOf: output).values
    var pipeline: OpaquePointer?
    #expect(swt_pipeline_create(model, nil, 2, 0, &pipeline, &error) == SWT_OK)
    defer { swt_pipeline_close(&pipeline) }
    func run(_ study: String, _ series: [String], _ convention: String?) -> (swt_status, [Float]) {
      var logits: [Float] = [0, 0]
      let names = series.map { strdup($0) }
      defer { for name in names { free(name) } }
      let pointers = names.map { UnsafePointer<CChar>($0) }
      let status = swt_pipeline_run_dicom(
        pipeline, "\(dicom)/\(study)/study", pointers, series.count, convention, nil, 0, &logits, 2,
        &error)
      return (status, logits)
    }
    let found = run("sag_mr", [], "dcm2niix")
    #expect(found.0 == SWT_OK && found.1 == expected, "\(message)")
    let echoes = "2.25.1198428332571589049381088986048233683"
    #expect(run("four_d_echo", ["\(echoes)-2"], "as-scanned").0 == SWT_OK, "\(message)")
    #expect(run("four_d_echo", [], "as-scanned").0 == SWT_BAD_INPUT)
    #expect(message.contains("\(echoes)-1: MR") && !message.contains("Nobody"))
    #expect(run("four_d_echo", ["1.2.3"], "as-scanned").0 == SWT_BAD_INPUT)
    #expect(run("sag_mr", [], nil).0 == SWT_BAD_INPUT && message.contains("dicomConvention"))
    #expect(run("sag_mr", [], "other").0 == SWT_USAGE)
    #expect(run("missing_slice", [], "dcm2niix").0 == SWT_BAD_INPUT)
    #expect(run("nowhere", [], "dcm2niix").0 == SWT_CANNOT_OPEN)

    var scan: OpaquePointer?
    #expect(
      swt_case_read_dicom(
        pipeline, "\(dicom)/sag_mr/study", nil, 0, "dcm2niix", &scan, &error) == SWT_OK)
    defer { swt_case_close(&scan) }
    let json = try #require(swt_case_description(scan).map { String(cString: $0) })
    #expect(json.contains("\"scan_shape\"") && json.contains("\"affine\""))
    #expect(swt_case_run(pipeline, scan, nil, nil, &error) == SWT_OK)
    var logits: [Float] = [0, 0]
    #expect(swt_case_logits(scan, &logits, 2, &error) == SWT_OK && logits == expected)
  }

  @Test func aSessionOutlivesItsModelsHandle() throws {
    var other: OpaquePointer?
    #expect(swt_model_open(path, &other, &error) == SWT_OK)
    var session: OpaquePointer?
    let shape: [Int64] = [1, 16, 16, 16]
    #expect(
      swt_session_create(other, shape, 4, UInt32(SWT_LOGITS), nil, 0, 1, &session, &error)
        == SWT_OK)
    swt_model_close(&other)
    #expect(other == nil)
    swt_model_close(&other)
    let input = [Float](repeating: 0.5, count: 4096)
    #expect(swt_session_run(session, input, nil, &error) == SWT_OK)
    swt_session_close(&session)
    #expect(swt_session_run(session, input, nil, &error) == SWT_USAGE)
  }

  @Test func closedHandlesStayClosed() {
    var copy = model
    let old = model
    #expect(swt_model_close(&model) == SWT_OK && model == nil)
    #expect(swt_model_close(&copy) == SWT_USAGE && copy == old)
    #expect(swt_model_close(&model) == SWT_OK)
    // Another model is none that the old handle opens.
    #expect(swt_model_open(path, &model, &error) == SWT_OK && model != old)
    #expect(swt_model_description(old) == nil && swt_model_logit_count(old) == 0)
    var pipeline: OpaquePointer?
    #expect(swt_pipeline_create(old, nil, 1, 0, &pipeline, &error) == SWT_USAGE)
    #expect(pipeline == nil && message.contains("closed"))
  }

  @Test func aHandleOfAnotherKindIsRefused() {
    var pipeline: OpaquePointer?
    #expect(swt_pipeline_create(model, nil, 1, 0, &pipeline, &error) == SWT_OK)
    defer { swt_pipeline_close(&pipeline) }
    var other = pipeline
    #expect(swt_model_close(&other) == SWT_USAGE && other == pipeline)
    #expect(swt_session_run(pipeline, nil, nil, &error) == SWT_USAGE)
    #expect(message.contains("another kind"))
    #expect(swt_model_pooled_count(pipeline) == 0)
  }

  @Test func thereAreNoResultsBeforeARun() {
    var session: OpaquePointer?
    #expect(
      swt_session_create(model, [1, 16, 16, 16], 4, 1, nil, 0, 1, &session, &error) == SWT_OK)
    defer { swt_session_close(&session) }
    var pooled = [Float](repeating: 0, count: 64)
    #expect(swt_session_pooled(session, &pooled, 64, &error) == SWT_USAGE)
    #expect(message.contains("not run yet"))
  }

  @Test func everyMisuseHasAnErrorCode() throws {
    var handle: OpaquePointer?
    #expect(swt_model_open(nil, &handle, &error) == SWT_USAGE)
    #expect(swt_model_open(path, nil, &error) == SWT_USAGE)
    #expect(swt_model_open(folder.file("none"), &handle, &error) == SWT_CANNOT_OPEN)
    #expect(handle == nil && message.contains("none"))
    #expect(swt_model_open(Fixtures.exampleCheckpoint, &handle, &error) == SWT_BAD_INPUT)
    #expect(swt_model_description(nil) == nil && swt_model_pooled_count(nil) == 0)
    swt_model_close(nil)

    let shape: [Int64] = [1, 16, 16, 16]
    func create(
      _ model: OpaquePointer?, _ shape: [Int64]?, _ rank: Int, _ outputs: UInt32 = 1,
      _ stages: [Int32]? = nil, _ threads: Int32 = 1
    ) -> swt_status {
      swt_session_create(
        model, shape, rank, outputs, stages, stages?.count ?? 0, threads, &handle, &error)
    }
    #expect(create(nil, shape, 4) == SWT_USAGE)
    #expect(create(model, nil, 4) == SWT_USAGE)
    for rank in [0, 3, 5, .max] { #expect(create(model, shape, rank) == SWT_USAGE) }
    for bad: [Int64] in [
      [2, 16, 16, 16], [1, 0, 16, 16], [1, -1, 16, 16], [1, .max, .max, .max],
    ] {
      #expect(create(model, bad, 4) == SWT_USAGE)
    }
    #expect(create(model, shape, 4, 4) == SWT_USAGE)
    #expect(create(model, shape, 4, 1, [9]) == SWT_USAGE)
    #expect(create(model, shape, 4, 1, nil, -1) == SWT_USAGE)
    #expect(handle == nil)
    #expect(create(model, shape, 4) == SWT_OK)
    var session = handle
    defer { swt_session_close(&session) }
    var values = [Float](repeating: 0, count: 64)
    #expect(swt_session_run(session, nil, nil, &error) == SWT_USAGE)
    #expect(swt_session_run(nil, values, nil, nil) == SWT_USAGE)
    #expect(swt_session_pooled(session, &values, 63, &error) == SWT_USAGE)
    #expect(swt_session_pooled(session, nil, 64, &error) == SWT_USAGE)
    #expect(swt_session_logits(session, &values, 2, &error) == SWT_USAGE)
    #expect(swt_session_stage(session, 0, &values, 64, &error) == SWT_USAGE)
    #expect(swt_session_stage(session, -7, &values, 64, &error) == SWT_USAGE)

    var pipeline: OpaquePointer?
    #expect(swt_pipeline_create(nil, nil, 0, 0, &pipeline, &error) == SWT_USAGE)
    #expect(swt_pipeline_create(model, "other", 0, 0, &pipeline, &error) == SWT_USAGE)
    #expect(swt_pipeline_create(model, nil, -1, 0, &pipeline, &error) == SWT_USAGE)
    #expect(swt_pipeline_create(model, "center-crop", 1, 1_000, &pipeline, &error) == SWT_OK)
    defer { swt_pipeline_close(&pipeline) }
    let volume = [Float](repeating: 1, count: 512)
    let size: [Int64] = [8, 8, 8]
    let spacing = [1.0, 1, 1]
    func run(
      _ channels: [UnsafePointer<Float>?], _ size: [Int64], _ spacing: [Double], _ count: Int
    )
      -> swt_status
    {
      swt_pipeline_run_volumes(
        pipeline, channels, channels.count, size, spacing, nil, 0, &values, count, &error)
    }
    volume.withUnsafeBufferPointer { volume in
      let channel = volume.baseAddress
      #expect(run([channel], size, spacing, 3) == SWT_USAGE)
      #expect(run([nil], size, spacing, 2) == SWT_USAGE)
      #expect(run([channel], [8, 0, 8], spacing, 2) == SWT_USAGE)
      #expect(run([channel], size, [1, .nan, 1], 2) == SWT_BAD_INPUT)
      #expect(run([channel, channel], size, spacing, 2) == SWT_BAD_INPUT)
      #expect(run([channel], size, spacing, 2) == SWT_MEMORY)
    }
    #expect(
      swt_pipeline_run_files(pipeline, nil, 1, nil, 0, &values, 2, &error) == SWT_USAGE)
    #expect(
      swt_pipeline_run_files(pipeline, [nil], 1, nil, 0, &values, 2, &error) == SWT_USAGE)
  }
}
