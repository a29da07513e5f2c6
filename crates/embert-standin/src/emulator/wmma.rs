//! `wmma`: loads, stores and products of fragments.
//!
//! A fragment's layout is opaque in PTX. Here element e of a matrix of 32 p elements is number e % p of lane e / p.
//! Accumulators of f16 and f32 have the same layout, which CubeCL's casts rely on.

use super::lanes::Lanes;
use super::matrix::{Element, Fragment, Product, Shape};
use super::mma::{LARGEST, Matrix, pack};
use super::multiply;

/// The elements of a lane that are different.
fn per_lane(fragment: Fragment) -> usize {
    fragment.rows() * fragment.columns() / 32
}

/// The distance in elements of an element from the fragment's address.
fn distance(fragment: Fragment, is_row_major: bool, stride: usize, element: usize) -> usize {
    let (row, column) = (element / fragment.columns(), element % fragment.columns());
    if is_row_major { row * stride + column } else { column * stride + row }
}

/// `wmma.load`: the input is the stride.
pub(super) fn load(fragment: Fragment, is_row_major: bool, lanes: &mut Lanes) {
    let per_lane = per_lane(fragment);
    let per_register = fragment.element.per_register();
    for lane in lanes.iter() {
        let (Some(address), stride) = (lanes.address(lane), lanes.input(lane, 0) as usize) else { continue };
        for register in 0..fragment.registers() {
            let mut bits = 0;
            for index in 0..per_register {
                let element = lane * per_lane + (register * per_register + index) % per_lane;
                let at = distance(fragment, is_row_major, stride, element) * fragment.element.bits() / 8;
                // SAFETY: the kernel must pass the address of a matrix. Another address is a fault of the kernel.
                bits |= unsafe { read(address as usize + at, fragment.element) }
                    << (index * fragment.element.bits());
            }
            lanes.output(lane, register, bits);
        }
    }
}

/// `wmma.store`: inputs are the stride and the registers.
pub(super) fn store(fragment: Fragment, is_row_major: bool, lanes: &mut Lanes) {
    let per_lane = per_lane(fragment);
    let per_register = fragment.element.per_register();
    for lane in lanes.iter() {
        let (Some(address), stride) = (lanes.address(lane), lanes.input(lane, 0) as usize) else { continue };
        for number in 0..per_lane {
            let element = lane * per_lane + number;
            let at = distance(fragment, is_row_major, stride, element) * fragment.element.bits() / 8;
            let register = lanes.input(lane, 1 + number / per_register);
            let bits = register >> (number % per_register * fragment.element.bits());
            // SAFETY: as in `load`.
            unsafe { write(address as usize + at, fragment.element, bits) };
        }
    }
}

/// `wmma.mma`: inputs are the registers of a, b and c, outputs those of d.
pub(super) fn multiply(product: &Product, lanes: &mut Lanes) {
    let shape = product.shape;
    let [a, b] = [Fragment::a(shape, product.a), Fragment::b(shape, product.b)];
    let [c, d] = [product.c, product.d].map(|element| Fragment::accumulator(shape, element));
    let first_of_c = a.registers() + b.registers();
    let left = values(a, 0, lanes);
    let right = values(b, a.registers(), lanes);
    if product.is_integer() {
        return multiply_integers(product, &left, &right, first_of_c, lanes);
    }
    let mut sums = values(c, first_of_c, lanes);
    multiply::add_product(shape, &left, &right, &mut sums);
    for lane in lanes.iter() {
        for register in 0..d.registers() {
            let bits = match d.element {
                Element::F16 => pack(sums[lane * 8 + 2 * register], sums[lane * 8 + 2 * register + 1]),
                _ => sums[lane * 8 + register].to_bits(),
            };
            lanes.output(lane, register, bits);
        }
    }
}

fn multiply_integers(product: &Product, a: &[f32], b: &[f32], first_of_c: usize, lanes: &mut Lanes) {
    let Shape { n, k, .. } = product.shape;
    for lane in lanes.iter() {
        for register in 0..8 {
            let element = lane * 8 + register;
            let (row, column) = (element / n, element % n);
            let c = lanes.input(lane, first_of_c + register) as i32;
            let sum = multiply::dot_integers(&a[row * k..][..k], &b[column..], n, c, product.saturates);
            lanes.output(lane, register, sum as u32);
        }
    }
}

/// The values of a fragment, row-major, whose first register is the input `first`.
fn values(fragment: Fragment, first: usize, lanes: &Lanes) -> Matrix {
    let (per_lane, per_register) = (per_lane(fragment), fragment.element.per_register());
    let mut values = [0.0; LARGEST];
    for (lane, values) in values.chunks_exact_mut(per_lane).take(32).enumerate() {
        let inputs = &lanes.inputs(lane)[first..];
        for (values, bits) in values.chunks_exact_mut(per_register).zip(inputs) {
            fragment.element.values(*bits, values);
        }
    }
    values
}

/// Reads the bits of an element.
///
/// # Safety
/// `address` is the address of an element.
unsafe fn read(address: usize, element: Element) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        match element.bits() {
            8 => u32::from((address as *const u8).read()),
            16 => u32::from((address as *const u16).read_unaligned()),
            _ => (address as *const u32).read_unaligned(),
        }
    }
}

/// Writes the bits of an element.
///
/// # Safety
/// `address` is the address of an element.
unsafe fn write(address: usize, element: Element, bits: u32) {
    // SAFETY: the caller's promise.
    unsafe {
        match element.bits() {
            8 => (address as *mut u8).write(bits as u8),
            16 => (address as *mut u16).write_unaligned(bits as u16),
            _ => (address as *mut u32).write_unaligned(bits),
        }
    }
}
