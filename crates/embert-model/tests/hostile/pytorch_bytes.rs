//! The bytes of `pytorch_model.bin` in the format before PyTorch 1.6, written by hand.

/// Returns a file with this pickle instead of a state dict, and without storages.
pub(crate) fn with_pickle(pickle: &[u8]) -> Vec<u8> {
    file(pickle, &[], &[])
}

/// Returns a file with this pickle, these keys of storages, and these bytes after the last pickle.
pub(crate) fn file(pickle: &[u8], keys: &[&str], storages: &[u8]) -> Vec<u8> {
    let magic = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    let version = b"\x80\x02M\xe9\x03.";
    let system = b"\x80\x02}X\x0d\0\0\0little_endian\x88s.";
    let keys = keys.iter().flat_map(|key| text(key)).collect::<Vec<_>>();
    let keys = [b"\x80\x02](", &keys[..], b"e."].concat();
    [magic, &version[..], system, pickle, &keys, storages].concat()
}

/// Returns a storage: the number of its values, which need not be true, and its bytes.
pub(crate) fn storage_bytes(num_values: u64, bytes: &[u8]) -> Vec<u8> {
    [&num_values.to_le_bytes(), bytes].concat()
}

/// Returns the pickle of a state dict.
pub(crate) fn state_dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries = entries.iter().flat_map(|(name, value)| [text(name), value.clone()].concat());
    [b"\x80\x02}(", &entries.collect::<Vec<_>>()[..], b"u."].concat()
}

/// Returns the opcodes of a tensor.
pub(crate) fn tensor(storage: &[u8], offset: i64, size: &[i64], stride: &[i64]) -> Vec<u8> {
    let [size, stride] = [size, stride].map(|sizes| tuple(sizes.iter().map(|&size| int(size))));
    let arguments = [storage.to_vec(), int(offset), size, stride, b"\x89".to_vec(), b"}".to_vec()];
    [b"ctorch._utils\n_rebuild_tensor_v2\n", &tuple(arguments)[..], b"R"].concat()
}

/// Returns the opcodes of a storage.
pub(crate) fn storage(class: &str, key: &str, num_values: i64) -> Vec<u8> {
    let class = format!("ctorch\n{class}\n").into_bytes();
    let id = [text("storage"), class, text(key), text("cpu"), int(num_values), b"N".to_vec()];
    [&tuple(id)[..], b"Q"].concat()
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

fn int(value: i64) -> Vec<u8> {
    [b"\x8a\x08", &value.to_le_bytes()[..]].concat()
}

fn tuple(items: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    [b"(", &items.into_iter().flatten().collect::<Vec<_>>()[..], b"t"].concat()
}
