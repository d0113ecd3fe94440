// SPDX-License-Identifier: Apache-2.0
/// The Python names that checkpoints hold, and the little that each of them means to us.
///
/// This list is closed: nothing is ever imported or called. A name that is not here is refused.
enum PickleSymbol: Equatable, Sendable {
  case orderedDictionary
  case counter
  case defaultDictionary
  case rebuildTensor
  case rebuildTensorV2
  case rebuildTensorV3
  case rebuildParameter
  case rebuildFromType
  /// A tensor we cannot read; it is refused where it is used as a weight.
  case rebuildExotic(String)
  case parameter
  case storage(String)
  case torchType(String)
  case device
  case size
  case layout
  case numpyScalar
  case numpyReconstruct
  case numpyFromBuffer
  case numpyType
  case numpyArray
  case encode
  case path
  case collection
  case bytes
  /// A harmless object whose content we do not need.
  case inert(String)
  /// A class or function of a library that checkpoints mention as a value; an instance of it is
  /// another matter.
  case libraryName(String)
  /// `getattr`, which schedulers' states call for a method of their own class, and attacks for more.
  case attributeAccess

  /// Looks a name up.
  init?(module: String, name: String) {
    if let symbol = Self.table["\(module) \(name)"] {
      self = symbol
    } else if module == "torch" || module == "torch.cuda" || module == "torch.storage",
      name.hasSuffix("Storage")
    {
      self = .storage(name)
    } else if module == "torch", Self.torchTypes.contains(name) {
      self = .torchType(name)
    } else if Self.builtins.contains(module), name == "getattr" {
      self = .attributeAccess
    } else if Self.libraries.contains(where: { module.hasPrefix($0) }),
      !Self.isDangerous(module: module, name: name)
    {
      self = .libraryName("\(module).\(name)")
    } else {
      return nil
    }
  }

  private static let builtins = ["builtins", "__builtin__"]

  /// Modules whose classes stand in init_args and scheduler states.
  private static let libraries = [
    "torch.nn.", "torch.optim", "dynamic_network_architectures.", "nnunetv2.", "nnunet.", "nnssl.",
    "monai.networks.",
  ]

  /// Whether a name can run code, read files or reach the network: no option lets it in.
  static func isDangerous(module: String, name: String) -> Bool {
    let top = module.split(separator: ".").first.map(String.init) ?? module
    // A call that is kept for later; what it will call is a name of its own.
    if module == "functools", ["partial", "partialmethod"].contains(name) { return false }
    if dangerousModules.contains(top) { return true }
    if builtins.contains(top) {
      return !harmlessBuiltins.contains(name.split(separator: ".").first.map(String.init) ?? name)
    }
    return dangerousNames.contains { name == $0 || name.hasSuffix(".\($0)") }
  }

  private static let harmlessBuiltins: Set<String> = [
    "set", "frozenset", "complex", "bytearray", "bytes", "list", "dict", "tuple", "int", "float",
    "str", "bool", "slice", "range", "object", "type", "NoneType", "Ellipsis",
  ]

  private static let dangerousModules: Set<String> = [
    "os", "posix", "nt", "posixpath", "ntpath", "subprocess", "sys", "importlib", "imp", "operator",
    "copyreg", "copy_reg", "functools", "types", "pickle", "_pickle", "cPickle", "runpy",
    "webbrowser", "socket", "ctypes", "shutil", "pty", "code", "codeop", "commands", "popen2",
    "asyncio", "multiprocessing", "threading", "_thread", "signal", "tempfile", "glob", "io", "_io",
    "urllib", "urllib2", "http", "httplib", "ftplib", "smtplib", "telnetlib", "requests", "pip",
    "setuptools", "distutils", "venv", "ensurepip", "pkgutil", "pkg_resources", "zipimport",
    "zipfile", "tarfile", "marshal", "shelve", "dill", "cloudpickle", "joblib", "inspect", "gc",
    "atexit", "bdb", "pdb", "cProfile", "profile", "timeit", "trace", "doctest", "unittest",
    "platform", "pydoc", "idlelib", "lib2to3", "test", "builtin", "nturl2path", "uuid", "logging",
    "site", "sysconfig", "linecache", "fileinput", "mmap", "fcntl", "resource", "pwd", "select",
    "ssl", "xmlrpc", "socketserver", "cffi", "numba",
  ]

  private static let dangerousNames: [String] = [
    "eval", "exec", "execfile", "compile", "open", "__import__", "getattr", "setattr", "delattr",
    "system", "popen", "spawn", "load_library", "runstring", "loads", "load", "save", "savetxt",
    "fromfile", "memmap", "tofile", "call", "check_output", "Popen", "run", "resolve_name",
  ]

  private static let torchTypes: Set<String> = [
    "float32", "float", "float64", "double", "float16", "half", "bfloat16", "int64", "long",
    "int32",
    "int", "int16", "short", "int8", "uint8", "bool", "complex64", "complex128", "complex32",
    "uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz",
    "float8_e5m2fnuz", "float8_e8m0fnu", "qint8", "quint8", "qint32", "strided", "sparse_coo",
    "contiguous_format", "preserve_format", "channels_last", "channels_last_3d",
    "per_tensor_affine",
    "per_channel_affine",
  ]

  /// Objects of the standard library and NumPy that hold data and nothing else.
  private static let inertNames = [
    "argparse Namespace", "types SimpleNamespace", "uuid UUID", "uuid SafeUUID",
    "datetime datetime", "datetime date", "datetime time", "datetime timedelta",
    "datetime timezone", "zoneinfo ZoneInfo", "zoneinfo ZoneInfo._unpickle", "decimal Decimal",
    "fractions Fraction", "time struct_time", "logging Logger", "logging RootLogger",
    "logging getLogger", "random Random", "numpy.random._pickle __randomstate_ctor",
    "numpy.random._pickle __generator_ctor", "numpy.random._pickle __bit_generator_ctor",
    "numpy.random._mt19937 MT19937", "numpy.random._pcg64 PCG64",
    "numpy bool", "numpy bool_", "numpy int32", "numpy int64", "numpy float32", "numpy float64",
    "numpy str_",
  ]

  private static let table: [String: PickleSymbol] = {
    var table: [String: PickleSymbol] = [
      "collections OrderedDict": .orderedDictionary,
      "collections Counter": .counter,
      "collections defaultdict": .defaultDictionary,
      "torch._utils _rebuild_tensor": .rebuildTensor,
      "torch._utils _rebuild_tensor_v2": .rebuildTensorV2,
      "torch._utils _rebuild_tensor_v3": .rebuildTensorV3,
      "torch._utils _rebuild_parameter": .rebuildParameter,
      "torch._utils _rebuild_parameter_with_state": .rebuildParameter,
      "torch._tensor _rebuild_from_type_v2": .rebuildFromType,
      "torch.tensor _rebuild_from_type_v2": .rebuildFromType,
      "torch._utils _rebuild_sparse_tensor": .rebuildExotic("sparse tensor"),
      "torch._utils _rebuild_sparse_csr_tensor": .rebuildExotic("sparse tensor"),
      "torch._utils _rebuild_qtensor": .rebuildExotic("quantised tensor"),
      "torch._utils _rebuild_nested_tensor": .rebuildExotic("nested tensor"),
      "torch._utils _rebuild_meta_tensor_no_storage": .rebuildExotic("meta tensor without data"),
      "torch._utils _rebuild_wrapper_subclass": .rebuildExotic("tensor subclass"),
      "torch._utils _rebuild_device_tensor_from_numpy": .rebuildExotic("device tensor"),
      "torch._utils _rebuild_device_tensor_from_cpu_tensor": .rebuildExotic("device tensor"),
      "torch._utils _rebuild_xla_tensor": .rebuildExotic("XLA tensor"),
      "torch.nn.parameter Parameter": .parameter,
      "torch Tensor": .inert("torch.Tensor"),
      "torch device": .device,
      "torch Size": .size,
      "torch.serialization _get_layout": .layout,
      "numpy dtype": .numpyType,
      "numpy ndarray": .numpyArray,
      "_codecs encode": .encode,
      "collections deque": .collection,
    ]
    for name in inertNames {
      table[name] = .inert(name.split(separator: " ").joined(separator: "."))
    }
    for numpy in ["numpy.core", "numpy._core"] {
      table["\(numpy).multiarray scalar"] = .numpyScalar
      table["\(numpy).multiarray _reconstruct"] = .numpyReconstruct
      table["\(numpy).numeric _frombuffer"] = .numpyFromBuffer
    }
    for builtins in builtins {
      for name in ["set", "frozenset", "list", "tuple"] {
        table["\(builtins) \(name)"] = .collection
      }
      for name in ["bytes", "bytearray"] { table["\(builtins) \(name)"] = .bytes }
      table["\(builtins) dict"] = .orderedDictionary
      for name in ["complex", "slice", "range", "object", "int", "float", "str", "bool"] {
        table["\(builtins) \(name)"] = .inert(name)
      }
    }
    for pathlib in ["pathlib", "pathlib._local"] {
      for name in [
        "Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath",
      ] {
        table["\(pathlib) \(name)"] = .path
      }
    }
    return table
  }()
}
