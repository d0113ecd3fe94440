// SPDX-License-Identifier: Apache-2.0
import CommandLineInterface
import FileIO
import Pipeline
import Preprocessing
import Report
import SWTFormat

/// Where `classify --maps` puts the class activation maps of cases: a NIfTI file for every class, and a
/// picture of the likeliest.
struct MapOutputs {
  private let folder: String
  private let inputs: [MappedFile.Identity]
  /// The classes' names, fit for names of files.
  private let fileNames: [String]

  /// Makes the folder.
  init(folder: String, classNames: [String], inputs: [MappedFile.Identity]) throws {
    try OutputFile.makeFolder(folder)
    self.folder = folder
    self.inputs = inputs
    let plain = classNames.map { name in
      name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
    }
    fileNames =
      plain.contains(false) || Set(classNames.map { $0.lowercased() }).count < classNames.count
      ? classNames.indices.map { "class\($0)" } : classNames
  }

  /// The map of a case's class.
  func path(_ name: String, ofClass index: Int) -> String {
    "\(folder)/\(name).\(fileNames[index]).nii.gz"
  }

  /// Writes a case's maps.
  func write(_ mapped: MappedCase, threads: Int) throws {
    let picture = "\(folder)/\(mapped.name).png"
    try Folder.make(parentsOf: picture, below: folder)
    let writer = try NIfTIWriter(geometry: mapped.place, threads: threads)
    for index in fileNames.indices {
      try writer.write(
        map: mapped.maps.scanMap(ofClass: index), to: path(mapped.name, ofClass: index),
        inputs: inputs)
    }
    try mapped.picture.picture(title: mapped.title).write(to: picture, inputs: inputs)
  }
}

/// A case with its class activation maps, ready to be drawn.
struct MappedCase {
  let name: String
  let maps: ActivationMaps
  let place: ScanGeometry
  /// What the picture is headed with: the case, its class and how likely that is.
  let title: String
  /// The scan with what speaks for the likeliest class, against the others.
  let picture: MapPicture

  /// - Parameter volume: of the first channel, as it was read.
  init(
    name: String, maps: ActivationMaps, logits: [Float], _ classifier: Classifier,
    volume: OrientedVolume, place: ScanGeometry, isCT: Bool
  ) {
    self.name = name
    self.maps = maps
    self.place = place
    let probabilities = classifier.probabilities(logits)
    let best = probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
    title =
      "\(name): \(classifier.likeliestClass(probabilities)) "
      + Decimals.text(probabilities[best], places: 3)
    var map = maps.scanMap(ofClass: best)
    let others = probabilities.indices.filter { $0 != best }
    for other in others {
      let values = maps.scanMap(ofClass: other)
      for voxel in map.indices { map[voxel] -= values[voxel] / Float(others.count) }
    }
    if others.isEmpty, probabilities[best] < 0.5 {
      for voxel in map.indices { map[voxel].negate() }
    }
    picture = MapPicture(volume, map: map, box: maps.box, isCT: isCT)
  }
}
