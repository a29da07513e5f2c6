//! Hostile pickles in pytorch_model.bin: nothing is executed, and the error names what is not allowed.

use std::path::Path;

use embert_hostile::FuzzTarget;
use embert_model::ModelError;

use crate::pytorch_bytes::{file, state_dict, storage, storage_bytes, tensor, text, with_pickle};
use crate::{folder_of, load_and_run};

/// Loads a model; checks that an error has one line.
pub(crate) fn load(file: &Path) -> Result<(), ModelError> {
    load_and_run(file).inspect_err(|error| assert_eq!(error.to_string().lines().count(), 1, "{error}"))
}

/// Returns pickles that would run code in Python, and part of the error for each.
fn code() -> Vec<(&'static str, &'static [u8], &'static str)> {
    let system = "the global \"posix.system\" is not allowed";
    vec![
        ("GLOBAL and REDUCE", b"\x80\x02cposix\nsystem\nX\x02\0\0\0id\x85R.", system),
        ("STACK_GLOBAL and REDUCE", b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.", system),
        ("a global that is not called", b"\x80\x02cposix\nsystem\n.", system),
        ("a global in the memo", b"\x80\x02cposix\nsystem\nq\0h\0X\x02\0\0\0id\x85R.", system),
        ("INST", b"\x80\x02(X\x02\0\0\0idiposix\nsystem\n.", "the opcode INST"),
        ("OBJ", b"\x80\x02(cposix\nsystem\nX\x02\0\0\0ido.", system),
        ("OBJ of an allowed class", b"\x80\x02(ccollections\nOrderedDict\no.", "the opcode OBJ"),
        ("NEWOBJ", b"\x80\x02ccollections\nOrderedDict\n)\x81.", "the opcode NEWOBJ"),
        ("NEWOBJ_EX", b"\x80\x04ccollections\nOrderedDict\n)}\x92.", "the opcode NEWOBJ_EX"),
        ("BUILD of a class", b"\x80\x02ccollections\nOrderedDict\n}b.", "a state of a class or a function"),
        ("BUILD of a list", b"\x80\x02]}b.", "a state of a list"),
        ("BUILD with a tuple", b"\x80\x02})b.", "a state of a dict"),
        ("REDUCE of a str", b"\x80\x02X\x01\0\0\0a)R.", "a call of a str"),
        ("REDUCE of a storage class", b"\x80\x02ctorch\nFloatStorage\n)R.", "a call of FloatStorage"),
        ("OrderedDict of items", b"\x80\x02ccollections\nOrderedDict\n]\x85R.", "a call of OrderedDict"),
        (
            "a tensor of nothing",
            b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.",
            "a call of _rebuild_tensor_v2",
        ),
        (
            "a parameter of a dict",
            b"\x80\x02ctorch._utils\n_rebuild_parameter\n}\x88}\x87R.",
            "a call of _rebuild_",
        ),
        ("eval", b"\x80\x02cbuiltins\neval\n.", "the global \"builtins.eval\""),
        ("getattr", b"\x80\x02c__builtin__\ngetattr\n.", "the global \"__builtin__.getattr\""),
        ("a nested pickle", b"\x80\x02ctorch.storage\n_load_from_bytes\n.", "torch.storage._load_from_bytes"),
        (
            "an attribute",
            b"\x80\x04\x8c\x05torch\x8c\x16FloatStorage.__class__\x93.",
            "torch.FloatStorage.__class__",
        ),
        ("another module", b"\x80\x02cos.torch\nFloatStorage\n.", "the global \"os.torch.FloatStorage\""),
        ("a control character", b"\x80\x02c\x1b[31m\r\nx\n.", "the global \"\\u{1b}[31m\\r.x\""),
        ("EXT1", b"\x80\x02\x82\x01.", "the opcode EXT1"),
        ("PERSID", b"\x80\x02Pstorage\n.", "the opcode PERSID"),
        ("NEXT_BUFFER", b"\x80\x05\x97.", "the opcode NEXT_BUFFER"),
        ("FROZENSET", b"\x80\x04(\x91.", "the opcode FROZENSET"),
        ("protocol 0", b"(lp0\n.", "the opcode LIST"),
        ("protocol 1", b"\x80\x01}.", "protocol 1 of pickle is not supported"),
        ("protocol 6", b"\x80\x06}.", "protocol 6 of pickle is not supported"),
    ]
}

/// Returns pickles that are damaged or no state dict, and part of the error for each.
fn damage() -> Vec<(&'static str, &'static [u8], &'static str)> {
    let empty = "the stack of the pickle is empty";
    let persistent_id = "a persistent id that is not a storage";
    vec![
        ("an unknown opcode", b"\x80\x02\xff.", "0xff is no opcode"),
        ("LONG4", b"\x80\x02\x8b\xff\xff\xff\x7f.", "the opcode LONG4"),
        ("a large integer", b"\x80\x02\x8a\xff\x01.", "an integer of 255 bytes"),
        ("a huge string", b"\x80\x02X\xff\xff\xff\xff.", "a string of 4294967295 bytes does not fit"),
        ("a string of all bytes", b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "bytes does not fit"),
        ("a huge frame", b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff.", empty),
        ("invalid UTF-8", b"\x80\x04\x8c\x01\xff.", "not UTF-8"),
        ("STOP without a value", b"\x80\x02.", empty),
        ("an open mark", b"\x80\x02N(.", empty),
        ("a tuple across a mark", b"\x80\x02N(\x85.", empty),
        ("TUPLE3 of two", b"\x80\x02NN\x87.", empty),
        ("TUPLE without a mark", b"\x80\x02t.", "has no mark"),
        ("BINPUT of nothing", b"\x80\x02q\0.", empty),
        ("MEMOIZE of nothing", b"\x80\x04\x94.", empty),
        ("BINGET of nothing", b"\x80\x02h\x07.", "no entry 7"),
        ("LONG_BINGET of nothing", b"\x80\x02j\xff\xff\xff\xff.", "no entry 4294967295"),
        ("APPEND to a dict", b"\x80\x02}Na.", "a dict instead of a list"),
        ("SETITEM of a list", b"\x80\x02]NNs.", "a list instead of a dict"),
        ("a key without a value", b"\x80\x02}(Nu.", "a key of a dict has no value"),
        ("REDUCE with a list", b"\x80\x02ccollections\nOrderedDict\n]R.", "a list instead of a tuple"),
        ("STACK_GLOBAL of ints", b"\x80\x04K\x01K\x02\x93.", "an int instead of a str"),
        ("an empty persistent id", b"\x80\x02)Q.", persistent_id),
        ("a str as persistent id", b"\x80\x02X\x01\0\0\0aQ.", "a str instead of a tuple"),
        ("a list in itself", b"\x80\x02]q\0h\0a.", "its top level is a list"),
        ("a dict in itself", b"\x80\x02}q\0X\x01\0\0\0ah\0s.", "\"a\" is a dict, not a tensor"),
        ("a dict as its own key", b"\x80\x02}q\0h\0h\0s.", "a key of its dict is a dict"),
        ("a dict as its own state", b"\x80\x02}q\0h\0b(X\x01\0\0\0aNu.", "\"a\" is None"),
        ("a float", b"\x80\x02}X\x01\0\0\0aG\0\0\0\0\0\0\0\0s.", "\"a\" is a float"),
        ("a storage", b"\x80\x02ctorch\nFloatStorage\n.", "its top level is a class"),
        ("None", b"\x80\x02N.", "its top level is None"),
    ]
}

/// Returns long pickles that need much memory or a deep stack in other readers.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    const COUNT: usize = 1 << 20;
    let repeated = |begin: &[u8], part: &[u8]| [b"\x80\x02", begin, &part.repeat(COUNT), b"."].concat();
    vec![
        ("nested lists", repeated(b"", b"](")),
        (
            "nested lists in each other",
            [b"\x80\x02", &b"]".repeat(COUNT)[..], &b"a".repeat(COUNT - 1), b"."].concat(),
        ),
        ("nested tuples", repeated(b"N", b"\x85")),
        ("doubled tuples", repeated(b"]q\0", b"h\0h\0\x86q\0")),
        ("nested OrderedDicts", repeated(b"ccollections\nOrderedDict\nq\0", b"h\0)R")),
        ("marks", repeated(b"", b"(")),
        ("values", repeated(b"", b"N")),
        ("lists", repeated(b"", b"]")),
        ("dicts", repeated(b"", b"}")),
        ("empty strings", repeated(b"", b"\x8c\0")),
        ("memo entries", repeated(b"N", b"\x94")),
        ("copies from the memo", repeated(b"]q\0", b"h\0")),
        ("a list that grows by itself", repeated(b"]q\0", b"h\0a")),
        ("a dict that grows by itself", repeated(b"}q\0", b"h\0h\0s")),
        ("a global of a megabyte", repeated(b"c", b"long")),
        ("protocols", repeated(b"}", b"\x80\x02")),
    ]
}

#[test]
fn hostile_pickles_are_refused_by_what_is_not_allowed() {
    let folder = folder_of("pytorch", &["config.json"]);
    let mut target = FuzzTarget::new(folder.path().join("pytorch_model.bin"), load);
    for (what, pickle, expected) in code().into_iter().chain(damage()) {
        let error = target.refused(what, with_pickle(pickle));
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
        assert!(error.len() < 600, "{what}: {error:?}");
    }
    for (what, pickle) in bombs() {
        let error = target.refused(what, with_pickle(&pickle));
        assert!(error.len() < 600, "{what}: {error:?}");
    }
    println!("{}", target.finish(76, 0));
}

/// Returns locations that do not fit a storage "0" of four f32 values, and part of the error for each.
fn locations() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let four = || storage("FloatStorage", "0", 4);
    let view = |offset, size: &[i64], stride: &[i64]| tensor(&four(), offset, size, stride);
    let of = |storage: Vec<u8>| tensor(&storage, 0, &[4], &[1]);
    let shape = "does not fit in a storage of 4 values";
    vec![
        ("too many values", view(0, &[5], &[1]), shape),
        ("too many rows", view(0, &[3, 2], &[2, 1]), shape),
        ("an offset at the end", view(4, &[1], &[1]), shape),
        ("a huge offset", view(i64::MAX, &[4], &[1]), shape),
        ("a large stride", view(0, &[2, 2], &[3, 1]), shape),
        ("a huge stride", view(0, &[3], &[i64::MAX]), shape),
        ("a size that overflows", view(0, &[i64::MAX, i64::MAX], &[1, 1]), shape),
        ("repeated values", view(0, &[5], &[0]), shape),
        ("values repeated without end", view(0, &[1 << 62, 1 << 62], &[0, 0]), shape),
        ("a negative offset", view(-1, &[4], &[1]), "its offset is negative"),
        ("a negative size", view(0, &[-4], &[1]), "the size or stride -4 is negative"),
        ("a negative stride", view(3, &[4], &[-1]), "the size or stride -1 is negative"),
        ("one stride of two", view(0, &[2, 2], &[1]), "2 dimensions have 1 strides"),
        ("nine dimensions", view(0, &[1; 9], &[1; 9]), "9 dimensions are too many"),
        ("a smaller storage", of(storage("FloatStorage", "0", 3)), "needs 12 bytes, but the file has 16"),
        ("a larger storage", of(storage("FloatStorage", "0", 5)), "needs 20 bytes, but the file has 16"),
        ("a negative storage", of(storage("FloatStorage", "0", -4)), "has an invalid size"),
        ("a huge storage", of(storage("FloatStorage", "0", i64::MAX)), "has an invalid size"),
        ("a missing storage", of(storage("FloatStorage", "1", 4)), "the file has no storage \"1\""),
        ("an unknown class", of(storage("QInt8Storage", "0", 4)), "the global \"torch.QInt8Storage\""),
    ]
}

#[test]
fn locations_outside_of_a_storage_are_refused_by_tensor() {
    let folder = folder_of("pytorch", &["config.json"]);
    let mut target = FuzzTarget::new(folder.path().join("pytorch_model.bin"), load);
    let four = || storage("FloatStorage", "0", 4);
    let whole = || ("whole", tensor(&four(), 0, &[4], &[1]));
    let bytes = storage_bytes(4, &[0; 16]);
    let valid = file(&state_dict(&[whole()]), &["0"], &bytes);
    assert!(target.refused("a valid tensor", valid).contains("of the model's tensors"));
    for (what, tensor, expected) in locations() {
        let error = target.refused(what, file(&state_dict(&[whole(), ("name", tensor)]), &["0"], &bytes));
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
    }
    let one = |keys: &[&str], bytes: &[u8]| file(&state_dict(&[whole()]), keys, bytes);
    let two = |second: (&str, Vec<u8>)| file(&state_dict(&[whole(), second]), &["0"], &bytes);
    let doubles = tensor(&storage("DoubleStorage", "0", 2), 0, &[2], &[1]);
    for (what, file, expected) in [
        ("no storages", one(&[], &[]), "the file has no storage \"0\""),
        ("a storage twice", one(&["0", "0"], &[&bytes[..], &bytes].concat()), "\"0\" is in the file twice"),
        ("a storage without a tensor", one(&["0", "1"], &bytes.repeat(2)), "the storage \"1\" does not fit"),
        ("a truncated storage", one(&["0"], &bytes[..20]), "the storage \"0\" does not fit"),
        ("a truncated count", one(&["0"], &bytes[..7]), "the file ends too early"),
        ("bytes after the end", one(&["0"], &bytes.repeat(2)), "the storages end at byte"),
        ("a huge count", one(&["0"], &storage_bytes(u64::MAX, &[0; 16])), "the storage \"0\" does not fit"),
        (
            "a count of all bytes",
            one(&["0"], &storage_bytes(u64::MAX / 4, &[])),
            "the storage \"0\" does not fit",
        ),
        ("a name twice", two(whole()), "\"whole\" is in the dict twice"),
        ("two dtypes", two(("name", doubles)), "the storage \"0\" has two dtypes"),
    ] {
        let error = target.refused(what, file);
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
    }
    println!("{}", target.finish(31, 0));
}

/// Many tensors with many dimensions each, which share one tuple of sizes and one storage.
#[test]
fn memory_does_not_grow_with_shared_objects() {
    let folder = folder_of("pytorch", &["config.json"]);
    let mut target = FuzzTarget::new(folder.path().join("pytorch_model.bin"), load);
    let tensor = tensor(&storage("FloatStorage", "0", 4), 0, &[1; 8], &[1; 8]);
    let entries = (0..50_000).flat_map(|name| [text(&name.to_string()), b"h\0".to_vec()].concat());
    let pickle = [b"\x80\x02", &tensor[..], b"q\0}(", &entries.collect::<Vec<_>>(), b"u."].concat();
    let file = file(&pickle, &["0"], &storage_bytes(4, &[0; 16]));
    assert!(target.refused("tensors", file).contains("of the model's tensors"));
    println!("{}", target.finish(1, 0));
}
