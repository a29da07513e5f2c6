// Atomic instructions without a builtin: a loop around a compare and exchange.
#define ATOMIC(name, bits, ...)                                                                                \
  static inline u##bits atom_##name(u64 address, u##bits b) {                                                  \
    u##bits *memory = (u##bits *)address, old = __atomic_load_n(memory, __ATOMIC_RELAXED), new;                \
    do { new = (__VA_ARGS__); }                                                                                \
    while (!__atomic_compare_exchange_n(memory, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));            \
    return old;                                                                                                \
  }
#define ATOMIC_MINIMA(bits)                                                                                    \
  ATOMIC(min_u##bits, bits, old < b ? old : b)                                                                 \
  ATOMIC(max_u##bits, bits, old > b ? old : b)                                                                 \
  ATOMIC(min_i##bits, bits, (i##bits)old < (i##bits)b ? old : b)                                               \
  ATOMIC(max_i##bits, bits, (i##bits)old > (i##bits)b ? old : b)
ATOMIC_MINIMA(32)
ATOMIC_MINIMA(64)
ATOMIC(inc_u32, 32, old >= b ? 0 : old + 1)
ATOMIC(dec_u32, 32, old == 0 || old > b ? b : old - 1)
ATOMIC(add_f32, 32, bits32(f32(old) + f32(b)))
ATOMIC(min_f32, 32, bits32(min_f32(f32(old), f32(b))))
ATOMIC(max_f32, 32, bits32(max_f32(f32(old), f32(b))))
ATOMIC(add_f64, 64, bits64(f64(old) + f64(b)))
#define ATOMIC_16(op, type)                                                                                    \
  ATOMIC(op##_##type, 16, op##_##type(old, b))                                                                 \
  ATOMIC(op##_##type##x2, 32, pair(op##_##type(low(old), low(b)), op##_##type(high(old), high(b))))
ATOMIC_16(add, f16) ATOMIC_16(min, f16) ATOMIC_16(max, f16)
ATOMIC_16(add, bf16) ATOMIC_16(min, bf16) ATOMIC_16(max, bf16)

#define COMPARE_EXCHANGE(bits)                                                                                 \
  static inline u##bits atom_cas_u##bits(u64 address, u##bits expected, u##bits new) {                         \
    __atomic_compare_exchange_n((u##bits *)address, &expected, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);    \
    return expected;                                                                                           \
  }
COMPARE_EXCHANGE(16)
COMPARE_EXCHANGE(32)
COMPARE_EXCHANGE(64)
