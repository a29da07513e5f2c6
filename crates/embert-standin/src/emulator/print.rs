//! `vprintf`: formats what a kernel prints.

use std::ffi::{CStr, c_char};
use std::io::Write;

/// Called by a kernel with the format and the buffer of its values.
pub(super) extern "C" fn print(format: *const c_char, values: *const u8) {
    // SAFETY: the kernel passes a text that ends with 0.
    let format = unsafe { CStr::from_ptr(format) }.to_string_lossy();
    let text = formatted(&format, values);
    let _ = std::io::stdout().write_all(text.as_bytes()); // A kernel cannot do anything about a closed output.
}

fn formatted(format: &str, values: *const u8) -> String {
    let mut text = String::new();
    let mut at = 0;
    let mut rest = format;
    while let Some(start) = rest.find('%') {
        text.push_str(&rest[..start]);
        let after = &rest[start + 1..];
        let Some(end) =
            after.find(|last: char| last.is_ascii_alphabetic() && !"lhz".contains(last) || last == '%')
        else {
            break;
        };
        let (specification, conversion) = (&after[..end], after.as_bytes()[end]);
        text.push_str(&value(conversion, specification.contains('l'), values, &mut at));
        rest = &after[end + 1..];
    }
    text + rest
}

/// Formats the next value: 4 bytes, or 8 for floats, pointers and long integers, each at a multiple of its size.
fn value(conversion: u8, is_long: bool, values: *const u8, at: &mut usize) -> String {
    if conversion == b'%' {
        return "%".to_owned();
    }
    let size = if is_long || matches!(conversion, b'f' | b'g' | b'e' | b'p' | b's') { 8 } else { 4 };
    *at = at.next_multiple_of(size);
    // SAFETY: the compiler of the kernel put the values of this format into the buffer.
    let bits = unsafe {
        match size {
            8 => values.add(*at).cast::<u64>().read_unaligned(),
            _ => u64::from(values.add(*at).cast::<u32>().read_unaligned()),
        }
    };
    *at += size;
    match conversion {
        b'd' | b'i' if size == 4 => (bits as i32).to_string(),
        b'd' | b'i' => (bits as i64).to_string(),
        b'u' => bits.to_string(),
        b'f' | b'g' | b'e' => f64::from_bits(bits).to_string(),
        // SAFETY: the value of %s is a text that ends with 0.
        b's' => unsafe { CStr::from_ptr(bits as *const c_char) }.to_string_lossy().into_owned(),
        b'c' => char::from(bits as u8).to_string(),
        _ => format!("{bits:x}"),
    }
}
