// SPDX-License-Identifier: Apache-2.0
import SWTFormat
import Testing

@testable import Converter

/// What trainers' names say of networks, from nnunet 1.7.1 and nnunetv2 2.8.1.
@Suite struct TrainerTests {
  private static let reLU = NetworkArchitecture.Nonlinearity(kind: .reLU, negativeSlope: 0)

  @Test(arguments: [
    "nnUNetTrainerV2", "nnUNetTrainerV2_noMirroring", "nnUNetTrainerV2_ep4000_nomirror",
    "nnUNetTrainerV2_Loss_DiceTopK10", "nnUNetTrainerV2_DA5", "nnUNetTrainerV2_BN",
    "nnUNetTrainerV2_lReLU_biasInSegOutput", "nnUNetTrainerV2BraTSRegions_DA4_BN_BD",
    "nnUNetTrainerV2_Adam_nnUNetTrainerlr", "nnUNetTrainerV2_SGD_lr1en3",
    "nnUNetTrainerV2CascadeFullRes_EducatedGuess2", "nnUNetTrainerV2_Ranger_lr3en4",
  ])
  func trainersOfVersion1BuildThePlannedNetwork(name: String) {
    #expect(Trainer(name: name, isVersion1: true).effect == .planned)
  }

  @Test(arguments: [
    "nnUNetTrainer", "nnUNetTrainerNoMirroring", "nnUNetTrainer_250epochs_NoMirroring",
    "nnUNetTrainerDA5_10epochs", "nnUNetTrainer_onlyMirror01_1500ep", "nnUNetTrainerBN",
    "nnUNetTrainerVanillaAdam3en4", "nnUNetTrainerAdan1en1", "nnUNetTrainerDiceCELoss_noSmooth",
    "nnUNetTrainer_probabilisticOversampling_033", "nnUNetTrainerBenchmark_5epochs_noDataLoading",
    "nnUNetTrainerNoDeepSupervision", "PretrainedTrainer_150ep", "nnUNet_Trainer_BS8",
  ])
  func trainersOfVersion2BuildThePlannedNetwork(name: String) {
    #expect(Trainer(name: name, isVersion1: false).effect == .planned)
  }

  @Test func nonlinearitiesAreTheTrainers() {
    func effect(_ name: String) -> Trainer.Effect { Trainer(name: name, isVersion1: true).effect }
    #expect(effect("nnUNetTrainerV2_ReLU") == .nonlinearity(Self.reLU))
    #expect(effect("nnUNetTrainerV2_ReLU_biasInSegOutput") == .nonlinearity(Self.reLU))
    #expect(
      effect("nnUNetTrainerV2_LReLU_slope_2en1")
        == .nonlinearity(
          NetworkArchitecture.Nonlinearity(kind: .leakyReLU, negativeSlope: 0.2)))
    #expect(effect("nnUNetTrainerV2_3ConvPerStage") == .shownByWeights)
  }

  @Test(arguments: [
    "nnUNetTrainerV2_GN", "nnUNetTrainerV2_GeLU", "nnUNetTrainerV2_Mish", "nnUNetTrainerV2_FRN",
    "nnUNetTrainerV2_ReLU_convReLUIN", "nnUNetTrainerV2_lReLU_convlReLUIN",
    "nnUNetTrainerV2_NoNormalization",
  ])
  func whatCannotBeRunIsUnsupported(name: String) {
    guard case .unsupported = Trainer(name: name, isVersion1: true).effect else {
      Issue.record("\(name) is taken")
      return
    }
  }

  @Test(arguments: [
    "nnUNetTrainer_ReLU", "MyTrainer", "nnUNetTrainerGELU", "nnUNetTrainer_GroupNorm",
  ])
  func ofOthersNobodyKnows(name: String) {
    #expect(Trainer(name: name, isVersion1: false).effect == .unknown)
    #expect(
      Trainer(name: name, isVersion1: false).warning(planned: Self.reLU).contains(name))
  }
}
